"""A patient's pages: the list over the years, an exam in each of its states, the report and its document."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from core.models import Exam, ReportDocument
from tests.unit.api import makers
from tests.unit.api.html import page_of


@pytest.mark.requirement("E3", "E7", "E8", "E9")
def test_list_tells_item_hospital_time_and_state_newest_first(browser: FlaskClient) -> None:
    makers.sign_in(browser)
    old = makers.published("CT1", at=makers.MORNING - timedelta(days=400), item_name="头颅MR平扫")
    new = makers.published("CT2")
    makers.fee_line(makers.exam("CT3", at=makers.MORNING - timedelta(hours=1), item_name="腹部超声"))
    page = page_of(browser.get("/exams"))
    exams = [link for link in page.links() if link.startswith("/exams/")]
    assert exams == [f"/exams/{new.id}", f"/exams/{new.id + 1}", f"/exams/{old.id}"]
    assert page.text.index("2026 年") < page.text.index("胸部CT平扫") < page.text.index("2025 年")
    assert "2026-11-24 09:30" in page.text
    assert "待缴费 ¥25.00" in " ".join(page.text.split())


@pytest.mark.requirement("E3")
def test_empty_list_says_what_to_do(browser: FlaskClient) -> None:
    makers.sign_in(browser)
    makers.published(phone=makers.OTHER_PHONE)
    page = page_of(browser.get("/exams"))
    assert "还没有检查记录" in page.text
    assert not [link for link in page.links() if link.startswith("/exams/")]


@pytest.mark.requirement("E8", "E10", "E11")
def test_published_exam_shows_report_and_the_way_to_film_and_document(browser: FlaskClient) -> None:
    makers.sign_in(browser)
    exam = makers.published()
    page = page_of(browser.get(f"/exams/{exam.id}"))
    for text in ("双肺纹理清晰。", "未见异常。", "审核乙", "正式报告", "CT1", "呼吸内科", "张*東 男"):
        assert text in page.text
    assert f"/exams/{exam.id}/report.pdf" in page.links()
    document = browser.get(f"/exams/{exam.id}/report.pdf")
    assert (document.mimetype, document.data) == ("application/pdf", makers.PDF)
    assert document.headers["Content-Disposition"] == f'inline; filename="report-{exam.id}.pdf"'
    assert document.headers["Cache-Control"] == "no-store"


def _awaiting_payment() -> Exam:
    exam = makers.exam()
    makers.fee_line(exam)
    return exam


def _awaiting_images() -> Exam:
    exam = makers.exam()
    makers.fee_line(exam, state="paid")
    return exam


def _awaiting_report() -> Exam:
    exam = _awaiting_images()
    makers.pack(exam)
    return exam


@pytest.mark.requirement("E9", "S3")
@pytest.mark.parametrize(
    ("make", "label", "advice"),
    [
        (_awaiting_payment, "待缴费", "¥25.00"),
        (_awaiting_images, "影像整理中", "归档"),
        (_awaiting_report, "报告审核中", "审核报告"),
    ],
)
def test_waiting_exam_says_for_what(browser: FlaskClient, make: object, label: str, advice: str) -> None:
    makers.sign_in(browser)
    exam = make()  # type: ignore[operator]
    makers.report(exam)
    page = page_of(browser.get(f"/exams/{exam.id}"))
    assert label in page.text
    assert advice in page.text
    assert "双肺" not in page.text
    assert not [link for link in page.links() if link.endswith(("/film", "/report.pdf"))]
    assert browser.get(f"/exams/{exam.id}/report.pdf").status_code == 403


@pytest.mark.requirement("K5")
@pytest.mark.parametrize(
    ("media_type", "shown_as", "disposition"),
    [
        ("application/pdf", "application/pdf", "inline"),
        ("image/png", "image/png", "inline"),
        ("text/plain", "text/plain", "inline"),
        ("text/html", "application/octet-stream", "attachment"),
        ("image/svg+xml", "application/octet-stream", "attachment"),
        ("application/xhtml+xml; charset=utf-8", "application/octet-stream", "attachment"),
        ("", "application/octet-stream", "attachment"),
        ("application/dicom", "application/dicom", "attachment"),
    ],
)
def test_document_from_outside_cannot_run_in_our_name(
    browser: FlaskClient, media_type: str, shown_as: str, disposition: str
) -> None:
    makers.sign_in(browser)
    exam = makers.published()
    ReportDocument.update(media_type=media_type, content=b"<script>alert(1)</script>").execute()
    answer = browser.get(f"/exams/{exam.id}/report.pdf")
    assert answer.mimetype == shown_as
    assert answer.headers["Content-Disposition"].startswith(disposition)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.requirement("E10")
def test_exam_without_document_has_none(browser: FlaskClient) -> None:
    makers.sign_in(browser)
    exam = makers.published()
    ReportDocument.delete().execute()
    assert f"/exams/{exam.id}/report.pdf" not in page_of(browser.get(f"/exams/{exam.id}")).links()
    assert browser.get(f"/exams/{exam.id}/report.pdf").status_code == 404
