"""Documents of a film: each kind readable in the browser, hostile ones refused with words, none of it without a right."""

from typing import Any

import numpy as np
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from pydicom.dataset import Dataset

from api.application import create_app
from core.config import Settings
from core.models import AuditEvent, Exam
from crypto.keyring import Keyring
from tests.unit.api import archived, makers
from tests.unit.api.html import page_of
from tests.unit.imaging import documents_made as made
from tests.unit.imaging.dicom_files import ROOT
from workflow.context import Platform
from workflow.film_documents import MAX_ITEMS

pytestmark = pytest.mark.requirement("E11", "E13")

MP4 = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def platform(settings: Settings, keyring: Keyring, memory_database: object) -> Platform:
    return archived.platform(settings, keyring)


@pytest.fixture
def app(platform: Platform) -> APIFlask:
    return create_app(platform)


@pytest.fixture
def exam(platform: Platform) -> Exam:
    return makers.published()


@pytest.fixture
def patient(app: APIFlask, exam: Exam) -> FlaskClient:
    client = app.test_client()
    makers.sign_in(client)
    return client


def opened(client: FlaskClient, exam: Exam, number: int) -> Any:
    return client.get(f"/exams/{exam.id}/documents/{ROOT}.3.{number}")


def test_a_pdf_is_shown_in_place_and_runs_nothing(
    platform: Platform, exam: Exam, patient: FlaskClient
) -> None:
    archived.archive(platform, exam, [made.pdf()])
    answer = opened(patient, exam, 70)
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "application/pdf", made.PDF)
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    manifest = patient.get(f"/api/v1/exams/{exam.id}/film").json["manifest"]
    assert manifest["documents"] == [
        {
            "kind": "pdf",
            "title": "出院小结",
            "url": f"/exams/{exam.id}/documents/{ROOT}.3.70",
            "download_url": f"/api/v1/exams/{exam.id}/files/{ROOT}.3.70",
        }
    ]


def test_what_calls_itself_a_pdf_and_is_none_is_not_shown(
    platform: Platform, exam: Exam, patient: FlaskClient
) -> None:
    archived.archive(platform, exam, [made.pdf(b"<html>" + SCRIPT.encode())])
    answer = opened(patient, exam, 70)
    assert answer.status_code == 422
    assert SCRIPT.encode() not in answer.data


def test_a_report_is_a_page_in_chinese(platform: Platform, exam: Exam, patient: FlaskClient) -> None:
    inner = made.item(
        ValueType="CONTAINER", ConceptNameCodeSequence=made.code("125007", "Measurement Group"),
        ContentSequence=[made.measured("12.5", "mm"), made.item(
            ValueType="IMAGE", ReferencedSOPSequence=[made.reference(1, 3)])],
    )  # fmt: skip
    archived.archive(platform, exam, [made.report([made.said("右肺上叶见结节"), inner])])
    page = page_of(opened(patient, exam, 71))
    for words in (
        "Imaging Measurement Report",
        "2026-11-24",
        "已审核",
        "所见（Finding）",
        "右肺上叶见结节",
        "长度（Length）",
    ):
        assert words in page.text
    assert "12.5 mm" in page.text and "第 3 帧" in page.text
    assert f"/exams/{exam.id}/film" in page.links()
    detail = AuditEvent.select().where(AuditEvent.action == "read_file").get()
    assert f"{ROOT}.3.71" in str(detail.detail)


def test_words_of_a_report_are_never_elements(platform: Platform, exam: Exam, patient: FlaskClient) -> None:
    archived.archive(platform, exam, [made.report([made.said(SCRIPT)])])
    page = page_of(opened(patient, exam, 71))
    assert SCRIPT in page.text
    assert not page.all("script")


def nested(depth: int) -> Dataset:
    found = made.said("innermost")
    for _ in range(depth):
        found = made.item(
            ValueType="CONTAINER", ConceptNameCodeSequence=made.code("1", "x"), ContentSequence=[found]
        )
    return found


def test_a_report_without_end_is_cut_and_says_so(
    platform: Platform, exam: Exam, patient: FlaskClient
) -> None:
    archived.archive(platform, exam, [made.report([nested(40), *[made.said("x")] * 4000])])
    page = page_of(opened(patient, exam, 71))
    assert "未全部显示" in page.text
    assert "innermost" not in page.text
    assert len(page.all("p")) < 3100


@pytest.mark.requirement("K5")
def test_a_report_that_would_fill_the_memory_is_not_read(
    platform: Platform, exam: Exam, patient: FlaskClient
) -> None:
    many = made.report([made.said("x"), *[Dataset()] * (MAX_ITEMS + 1)])
    archived.archive(platform, exam, [many])
    assert opened(patient, exam, 71).status_code == 422


def test_an_ecg_is_drawn_on_millimetre_paper(platform: Platform, exam: Exam, patient: FlaskClient) -> None:
    seconds = np.arange(1000) / 500
    # 1 mV is 200 units of 5 µV: 10 mm of paper.
    values = np.column_stack([200 * (seconds >= 1), np.zeros(1000), -200 * (seconds >= 1)]).astype(int)
    archived.archive(platform, exam, [made.ecg(values)])
    answer = opened(patient, exam, 72)
    page = page_of(answer)
    curves = [path["d"] for path in page.all("path") if path["d"].count("L") > 100]
    assert len(curves) == 3
    first = [tuple(map(float, point.split())) for point in curves[0][1:].split("L")]
    assert first[0] == (0, 12.5) and first[-1][1] == 2.5
    assert abs(first[-1][0] - 50) < 0.2, "two seconds are 50 mm"
    assert [name for name in ("Lead 1", "25 mm/s", "10 mm/mV") if name not in page.text] == ["Lead 1"]
    assert "style" not in {name for _, attributes in page.elements for name in attributes}


@pytest.mark.parametrize(
    "wrong",
    [{"SamplingFrequency": "0"}, {"SamplingFrequency": "0.001"}, {"SamplingFrequency": "1e300"},
     {"NumberOfWaveformSamples": 2**31}, {"NumberOfWaveformChannels": 2},
     {"WaveformBitsAllocated": 64}, {"WaveformData": b"\0\0"}],
)  # fmt: skip
def test_a_waveform_that_lies_is_refused(
    platform: Platform, exam: Exam, patient: FlaskClient, wrong: dict[str, Any]
) -> None:
    archived.archive(platform, exam, [made.ecg(np.zeros((100, 3)), **wrong)])
    assert opened(patient, exam, 72).status_code == 422


@pytest.mark.parametrize("pieces", [1, 3])
def test_a_video_is_played_by_ranges(
    platform: Platform, exam: Exam, patient: FlaskClient, pieces: int
) -> None:
    archived.archive(platform, exam, [made.video(MP4, pieces=pieces)])
    page = page_of(opened(patient, exam, 73))
    source = page.all("video")[0]["src"]
    whole = patient.get(source)
    assert (whole.status_code, whole.mimetype, whole.data) == (200, "video/mp4", MP4)
    part = patient.get(source, headers={"Range": "bytes=3000-8999"})
    assert (part.status_code, part.data) == (206, MP4[3000:9000])
    assert patient.get(source, headers={"Range": f"bytes={len(MP4)}-"}).status_code == 416


def test_a_stream_that_no_browser_plays_is_offered_for_download(
    platform: Platform, exam: Exam, patient: FlaskClient
) -> None:
    archived.archive(platform, exam, [made.video(b"\x47" + bytes(187) * 20)])
    page = page_of(opened(patient, exam, 73))
    assert not page.all("video")
    assert "下载" in page.text


@pytest.mark.requirement("K5", "F9")
def test_others_have_none_of_it(platform: Platform, exam: Exam, app: APIFlask) -> None:
    archived.archive(platform, exam, [made.pdf(), made.video(MP4)])
    client = app.test_client()
    assert opened(client, exam, 70).status_code == 303
    makers.patient(makers.OTHER_PHONE, "李四")
    makers.sign_in(client, makers.OTHER_PHONE)
    for url in (f"documents/{ROOT}.3.70", f"documents/{ROOT}.3.73/video", f"documents/{ROOT}.3.99"):
        assert client.get(f"/exams/{exam.id}/{url}").status_code == 404
