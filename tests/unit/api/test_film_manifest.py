"""The film manifest, version 2, of exams whose packs are real: facts, coarse levels, smaller copies, states, history."""

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import imagecodecs
import numpy as np
import pytest
from flask.testing import FlaskClient

from api.application import create_app
from core.config import Settings
from core.models import Exam, Pack
from crypto.keyring import Keyring
from crypto.sealed_object import ClassKeys, SealedReader
from imaging import codecs
from imaging.frame_columns import expand
from tests.unit.api import archived, makers
from tests.unit.imaging import dicom_files
from tests.unit.imaging import documents_made as made
from tests.unit.imaging.dicom_files import ROOT, part10, slope
from workflow.context import Platform

pytestmark = pytest.mark.requirement("K2", "E12", "E13")


@pytest.fixture
def platform(settings: Settings, keyring: Keyring, memory_database: object) -> Platform:
    return archived.platform(settings, keyring)


@pytest.fixture
def patient(platform: Platform) -> FlaskClient:
    client = create_app(platform).test_client()
    makers.patient()
    makers.sign_in(client)
    return client


def manifest_of(client: FlaskClient, exam: Exam) -> dict[str, Any]:
    answer = client.get(f"/api/v1/exams/{exam.id}/film")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json["manifest"]
    return found


def ct(number: int, **elements: Any) -> bytes:
    z = {"ImagePositionPatient": [0, 0, -2.5 * number], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
    noise = np.random.default_rng(number).normal(0, 8, (128, 128))
    return dicom_files.file((slope(128, 128) * 6 + noise).astype("<i2"), number, **z, **elements)


def reader(platform: Platform, pack: dict[str, str]) -> SealedReader:
    row = Pack.get(Pack.object_id == pack["object_id"])
    sealed = (platform.settings.packs_path / row.local_path).read_bytes()
    keys = ClassKeys(pixel=base64.b64decode(pack["key"]), head=None)
    return SealedReader(lambda start, end: sealed[start:end], keys, platform.provider)


def test_every_byte_that_the_manifest_tells_of_decodes(platform: Platform, patient: FlaskClient) -> None:
    exam = makers.published()
    archived.archive(platform, exam, [ct(number) for number in (1, 2, 3)])
    manifest = manifest_of(patient, exam)
    assert (manifest["version"], manifest["exam_id"], manifest["history"]) == (2, exam.id, [])
    assert manifest["may"] == {"save_annotations": False, "live": True, "download": True}
    (series,) = manifest["series"]
    assert (series["study_uid"], series["exam_id"], series["count"]) == (f"{ROOT}.1", exam.id, 3)
    assert manifest["first"] == {"series": 0, "frame": 1}
    frames = expand(series)
    assert [frame["number"] for frame in frames] == [3, 2, 1], "from feet to head"
    read = reader(platform, series["packs"][0]).read
    low = series["low"]
    for frame, (first, small, second, more) in zip(frames, low["parts"], strict=True):
        stream = read(frame["offset"], frame["offset"] + frame["length"])
        pixels = codecs.decode(stream, frame)
        assert frame["levels"] == sorted(frame["levels"]) and frame["levels"][-1] == frame["length"]
        assert first + small <= low["small"] <= second
        coarse = [
            read(low["offset"] + at, low["offset"] + at + n) for at, n in ((first, small), (second, more))
        ]
        assert b"".join(coarse) == stream[: small + more]
        assert {small, small + more} <= set(frame["levels"])
        copy = frame["lossy"]
        seen = imagecodecs.htj2k_decode(read(copy["offset"], copy["offset"] + copy["length"]))
        assert copy["length"] < frame["length"] / 2
        assert seen.dtype == pixels.dtype and 0 < np.abs(seen.astype(int) - pixels).max() < 100


def test_no_copy_where_it_is_switched_off(
    settings: Settings, keyring: Keyring, memory_database: object
) -> None:
    platform = archived.platform(replace(settings, lossy_copy=False), keyring)
    client = create_app(platform).test_client()
    exam = makers.published()
    makers.sign_in(client)
    archived.archive(platform, exam, [ct(1)])
    assert manifest_of(client, exam)["series"][0]["common"]["lossy"] is None


def test_instances_that_came_later_join_their_series(platform: Platform, patient: FlaskClient) -> None:
    exam = makers.published()
    lut = made.item(LUTDescriptor=[256, 0, 16], LUTData=np.arange(256, dtype="<u2").tobytes())
    archived.archive(platform, exam, [ct(1), ct(3)])
    archived.archive(platform, exam, [ct(2, VOILUTSequence=[lut])])
    (series,) = manifest_of(patient, exam)["series"]
    frames = expand(series)
    assert [(frame["number"], frame["pack"]) for frame in frames] == [(3, 0), (2, 1), (1, 0)]
    assert [part is None for part in series["low"]["parts"]] == [False, True, False]
    assert [frame["voi_lut"] for frame in frames] == [None, 0, None]
    assert series["tables"][0]["bits"] == 16
    assert (
        reader(platform, series["packs"][1]).read(frames[1]["offset"], frames[1]["offset"] + 2) == b"\xff\x4f"
    )


def test_states_and_key_images_are_told_and_hostile_ones_are_files(
    platform: Platform, patient: FlaskClient
) -> None:
    exam = makers.published()
    window = made.item(WindowCenter=[-600], WindowWidth=[1500], ReferencedImageSequence=[made.reference(1)])
    good = made.presentation(SoftcopyVOILUTSequence=[window], ImageRotation=90, ImageHorizontalFlip="Y")
    bad = made.presentation(76, references=0)
    archived.archive(platform, exam, [ct(1), ct(2), part10(good), part10(bad), made.key_objects([2, 1])])
    manifest = manifest_of(patient, exam)
    first, second = manifest["presentations"]
    assert (first["label"], first["rotation"], first["flip"], first["inverse"]) == ("LUNG", 90, True, False)
    assert first["targets"] == [{"instance": f"{ROOT}.3.1", "frames": None}]
    assert (first["voi"], second["voi"]) == ({"center": -600.0, "width": 1500.0}, None)
    assert [key["instance"] for key in manifest["key_images"]] == [f"{ROOT}.3.2", f"{ROOT}.3.1"]
    assert manifest["key_images"][0] == {
        "instance": f"{ROOT}.3.2",
        "frame": 1,
        "title": "Of Interest：见结节",
    }
    kinds = {document["url"].rpartition("/")[2]: document["kind"] for document in manifest["documents"]}
    assert kinds == {f"{ROOT}.3.75": "sr", f"{ROOT}.3.76": "other"}
    assert any("未能读取" in document["title"] for document in manifest["documents"])


@pytest.mark.requirement("E7", "F9")
def test_history_is_what_this_visitor_may_open(platform: Platform, patient: FlaskClient) -> None:
    now = makers.published("CT9")
    archived.archive(platform, now, [ct(1)])
    for number, days, columns in (("CT1", 400, {}), ("CT2", 30, {}), ("CT3", 10, {"published_at": None})):
        other = makers.exam(
            number, at=makers.MORNING - timedelta(days=days), **{"published_at": makers.MORNING, **columns}
        )
        makers.pack(other, object_id=f"{other.id:032x}")
    makers.exam("CT4", published_at=makers.MORNING)  # without images
    stranger = makers.published("CT5", phone=makers.OTHER_PHONE)
    makers.pack(stranger, object_id="cd" * 16)
    titles = [entry["exam_at"][:10] for entry in manifest_of(patient, now)["history"]]
    assert titles == ["2026-10-25", "2025-10-20"]
    doctor = create_app(platform).test_client()
    makers.sign_in_staff(doctor)
    manifest = manifest_of(doctor, now)
    assert len(manifest["history"]) == 3
    assert manifest["may"]["save_annotations"] is True
