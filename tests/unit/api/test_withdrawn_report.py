"""A withdrawn report is nobody's to read: patient, doctor and API hear that it was withdrawn, not what it said."""

import pytest
from flask.testing import FlaskClient

from core.models import Report
from tests.unit.api import makers

pytestmark = pytest.mark.requirement("E1", "K5")

WORDS = "报告已撤回，医院正在更正"
SECRETS = ("双肺纹理清晰。", "未见异常。", "报告甲", "审核乙")


@pytest.fixture(params=["patient", "doctor"])
def reader(request: pytest.FixtureRequest, browser: FlaskClient) -> FlaskClient:
    makers.patient()
    if request.param == "patient":
        makers.sign_in(browser)
    else:
        makers.sign_in_staff(browser)
    return browser


def withdrawn() -> int:
    exam = makers.published()
    Report.update(status="X").where(Report.exam == exam).execute()
    return exam.id


def test_page_says_that_it_was_withdrawn_and_not_what_it_said(reader: FlaskClient) -> None:
    exam_id = withdrawn()
    page = reader.get(f"/exams/{exam_id}").get_data(as_text=True)
    assert WORDS in page
    assert not [text for text in SECRETS if text in page]
    assert "report.pdf" not in page


def test_document_is_not_given_out(reader: FlaskClient) -> None:
    exam_id = withdrawn()
    answer = reader.get(f"/exams/{exam_id}/report.pdf")
    assert answer.status_code == 403
    assert b"%PDF" not in answer.data


def test_data_says_x_and_nothing_else(reader: FlaskClient) -> None:
    exam_id = withdrawn()
    report = reader.get(f"/api/v1/exams/{exam_id}").get_json()["report"]
    assert report.pop("approved_at")
    assert report == {
        "status": "X",
        "findings": "",
        "impression": "",
        "reporter": "",
        "approver": "",
        "document_url": None,
    }


def test_corrected_report_is_shown_again(reader: FlaskClient) -> None:
    exam_id = withdrawn()
    Report.update(status="C").execute()
    page = reader.get(f"/exams/{exam_id}").get_data(as_text=True)
    assert WORDS not in page
    assert SECRETS[0] in page
