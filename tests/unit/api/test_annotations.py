"""Annotations: who may read and keep them, which version counts, what is refused, and how they lie in the database."""

import io
import json
from collections.abc import Callable
from typing import Any

import peewee
import pydicom
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from api.application import create_app
from api.v1.annotations import BODY_BYTES
from core.config import Settings
from core.models import AuditEvent, Exam, Instance, Pack, Staff
from crypto.keyring import Keyring
from tests.unit.api import archived, makers
from tests.unit.api.html import json_of
from tests.unit.imaging import dicom_files
from workflow import rebuild_file
from workflow.context import Platform
from workflow.read_pack import range_reader

SOP = "1.2.3.4.5"
Post = Callable[..., Any]


def line(uid: str = "a-1", revision: int = 1, **columns: Any) -> dict[str, Any]:
    usual = {
        "kind": "length",
        "series": "1.2.1.1",
        "instance": SOP,
        "frame": 1,
        "points": [[10.5, 20], [30, 40.25]],
        "text": "结节 张珅東",
        "label": {"x": 1, "y": 2},
        "measured": [{"name": "length", "value": 12.5, "unit": "mm"}],
    }
    return {"uid": uid, "revision": revision, **usual, **columns}


@pytest.fixture
def exam(app: APIFlask) -> Exam:
    made = makers.published()
    pack = makers.pack(made)
    Instance.create(
        sop_uid=SOP,
        series=pack.series,
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        byte_size=1,
        dataset_sm3="0" * 64,
        file_sm3="0" * 64,
        pack=pack,
    )
    return made


@pytest.fixture
def post(browser: FlaskClient, exam: Exam) -> Post:
    token = makers.sign_in_staff(browser).visitor.csrf_token

    def send(*annotations: dict[str, Any], removed: tuple[str, ...] = (), **more: Any) -> Any:
        body = {"annotations": list(annotations), "removed": list(removed), **more}
        return browser.post(
            f"/api/v1/exams/{exam.id}/annotations",
            data=json.dumps(body),
            content_type="application/json",
            headers={"X-CSRF-Token": token},
        )

    return send


@pytest.mark.requirement("E16", "F9", "F10")
def test_what_a_doctor_keeps_the_patient_reads_under_the_doctors_name(
    app: APIFlask, exam: Exam, post: Post
) -> None:
    answer = post(line(author="院长", created_at="1999-01-01"))
    assert answer.status_code == 200
    (kept,) = json_of(answer)["annotations"]
    assert kept["author"] == Staff.get().display_name
    assert kept["created_at"] > "2026"
    same = {key: kept[key] for key in line()}
    assert same == line()
    patient = app.test_client()
    makers.sign_in(patient)
    assert json_of(patient.get(f"/api/v1/exams/{exam.id}/annotations")) == {"annotations": [kept]}
    actions = [(row.actor[:5], row.action, row.subject) for row in AuditEvent.select()]
    assert ("staff", "save_annotations", f"exam:{exam.id}") in actions
    assert actions[-1] == ("sessi", "read_annotations", f"exam:{exam.id}")


@pytest.mark.requirement("F9", "K5")
def test_patients_keep_nothing_and_others_read_nothing(app: APIFlask, exam: Exam, post: Post) -> None:
    post(line())
    url = f"/api/v1/exams/{exam.id}/annotations"
    patient = app.test_client()
    token = makers.sign_in(patient).visitor.csrf_token
    refused = patient.post(url, json={"annotations": [line("b")]}, headers={"X-CSRF-Token": token})
    assert refused.status_code == 403
    other = app.test_client()
    makers.sign_in(other, makers.OTHER_PHONE)
    assert other.get(url).status_code == 404
    assert app.test_client().get(url).status_code == 401
    Exam.update(published_at=None).execute()
    assert patient.get(url).status_code == 403


@pytest.mark.requirement("E16")
def test_the_higher_revision_counts_and_equal_ones_that_differ_conflict(post: Post) -> None:
    post(line(revision=2, text="二"), line("b-2"))
    assert json_of(post(line(revision=1, text="一")))["annotations"][0]["text"] == "二"
    assert post(line(revision=2, text="二")).status_code == 200
    conflict = post(line("c-3"), line(revision=2, text="另"))
    assert conflict.status_code == 409
    assert "a-1" in json_of(conflict)["detail"]
    kept = json_of(post(line(revision=3, text="三")))["annotations"]
    assert [(one["uid"], one["revision"], one["text"]) for one in kept] == [
        ("a-1", 3, "三"),
        ("b-2", 1, line()["text"]),
    ], "a request with a conflict changes nothing at all"


@pytest.mark.requirement("E16")
def test_what_was_removed_comes_back_by_a_higher_revision_only(post: Post) -> None:
    post(line())
    assert json_of(post(removed=("a-1", "unknown")))["annotations"] == []
    assert post(line()).status_code == 409
    assert len(json_of(post(line(revision=2)))["annotations"]) == 1


@pytest.mark.requirement("K5", "H2")
def test_text_is_sealed_in_the_database(post: Post, memory_database: peewee.Database) -> None:
    post(line())
    ((stored,),) = memory_database.execute_sql("SELECT body FROM annotation").fetchall()
    assert "张珅東".encode() not in bytes(stored)
    assert b"length" not in bytes(stored)


SPHERE = {"kind": "sphere", "points": [[1, 2, 3]], "radius": 5, "instance": None, "frame": None}


@pytest.mark.requirement("E16")
@pytest.mark.parametrize(
    "good",
    [
        line(**SPHERE),
        line(kind="cuboid", points=[[1, 2, 3]] * 4, instance=None, frame=None),
        line(kind="freehand", points=[[x, x] for x in range(2000)]),
        line(kind="text", points=[[0, 0]], text="字" * 500, label=None, measured=[]),
    ],
)
def test_every_kind_is_kept(post: Post, good: dict[str, Any]) -> None:
    assert post(good).status_code == 200


@pytest.mark.requirement("K5")
@pytest.mark.parametrize(
    "bad",
    [
        line(kind="script"),
        line(points=[[1, 2], [3, float("nan")]]),
        line(points=[[1, 2], [3, float("inf")]]),
        line(points=[[1, 2], [3, 1e300]]),
        line(points=[[1, 2], [3, 10**400]]),
        line(text="\ud800"),
        line(points=[[1, 2], [True, 3]]),
        line(points=[[1, 2], ["3", 4]]),
        line(points=[[1, 2], [3, 4, 5]]),
        line(points=[[1, 2]]),
        line(points=[]),
        line(points="x"),
        line(kind="freehand", points=[[1, 2]] * 2001),
        line(text="字" * 501),
        line(uid="<img>"),
        line(revision=0),
        line(revision="1"),
        line(measured=[{"name": "length", "value": float("nan"), "unit": "mm"}]),
        line(measured=[{"name": "luck", "value": 1, "unit": "mm"}]),
        line(label={"x": float("inf"), "y": 0}),
        line(frame=0),
        line(instance=None),
        line(**{**SPHERE, "radius": 0}),
        line(**{**SPHERE, "radius": None}),
        line(**{**SPHERE, "instance": SOP}),
        line(series="1.2.9"),
        line(instance="1.2.9"),
    ],
)
def test_what_makes_no_sense_is_refused(post: Post, bad: dict[str, Any]) -> None:
    answer = post(line("ok"), bad)
    assert answer.status_code == 422
    assert json_of(post())["annotations"] == []


@pytest.mark.requirement("K5")
def test_not_more_than_an_exam_keeps(post: Post) -> None:
    assert post(*[line(f"u{n}") for n in range(501)]).status_code == 422
    assert post(*[line(f"u{n}") for n in range(500)]).status_code == 200
    assert post(line("one-more")).status_code == 422
    assert post(line("one-more"), removed=("u0",)).status_code == 200
    assert post(line("big", text="x" * BODY_BYTES)).status_code == 413


@pytest.mark.requirement("E16", "F6", "F9", "F10")
def test_whoever_may_open_an_exam_takes_measurements_along_as_dicom(
    settings: Settings, keyring: Keyring, memory_database: peewee.Database
) -> None:
    platform = archived.platform(settings, keyring)
    app = create_app(platform)
    exam = makers.published()
    place = {"FrameOfReferenceUID": f"{dicom_files.ROOT}.4", "SpecificCharacterSet": "GB18030"}
    files = [
        dicom_files.file(dicom_files.slope(64, 48), number, PatientName="张^珅東", **place)
        for number in (1, 2)
    ]
    archived.archive(platform, exam, files)
    patient = app.test_client()
    token = makers.sign_in(patient).visitor.csrf_token
    body = {
        "annotations": [
            line(series=f"{dicom_files.ROOT}.2", instance=f"{dicom_files.ROOT}.3.2"),
            line(**{**SPHERE, "series": f"{dicom_files.ROOT}.2", "uid": "s"}),
        ]
    }
    url = f"/api/v1/exams/{exam.id}/annotations/sr"
    answer = patient.post(url, json=body, headers={"X-CSRF-Token": token})
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/dicom"
    assert "attachment" in answer.headers["Content-Disposition"]
    report = pydicom.dcmread(io.BytesIO(answer.data))
    assert str(report.PatientName) == "张^珅東"
    assert report.StudyInstanceUID == f"{dicom_files.ROOT}.1"
    assert AuditEvent.select().order_by(AuditEvent.seq.desc()).first().action == "export_measurements"
    foreign = {"annotations": [line(series="1.2.9")]}
    assert patient.post(url, json=foreign, headers={"X-CSRF-Token": token}).status_code == 422
    other = app.test_client()
    token = makers.sign_in(other, makers.OTHER_PHONE).visitor.csrf_token
    assert other.post(url, json=body, headers={"X-CSRF-Token": token}).status_code == 404


@pytest.mark.requirement("E16", "K5")
def test_for_the_head_of_a_long_run_its_pixels_are_not_opened(
    settings: Settings, keyring: Keyring, memory_database: peewee.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = archived.platform(settings, keyring)
    archived.archive(platform, makers.published(), [dicom_files.file(dicom_files.noise((16, 256, 256)))])
    read: list[int] = []

    def counted(platform: Platform, pack: Pack) -> Callable[[int, int], bytes]:
        usual = range_reader(platform, pack)

        def of(start: int, end: int) -> bytes:
            read.append(end - start)
            return usual(start, end)

        return of

    monkeypatch.setattr(rebuild_file, "range_reader", counted)
    instance = Instance.get()
    headers = rebuild_file.read_headers(platform, [instance])
    assert headers[instance.sop_uid].NumberOfFrames == 16
    assert sum(read) < instance.byte_size / 4
