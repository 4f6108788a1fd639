"""Doctors: log-in, search by what identifies a patient, the report before the patient may see it."""

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from access import staff as staff_accounts
from core.models import AuditEvent
from tests.unit.api import makers
from tests.unit.api.html import json_of, page_of

pytestmark = pytest.mark.requirement("P5", "F9")
PASSWORD = "correct horse battery"


def _log_in(browser: FlaskClient, password: str) -> int:
    token = page_of(browser.get("/staff/login?next=/exams/3/film")).field("csrf_token")
    form = {"csrf_token": token, "username": "d001", "password": password, "next": "/exams/3/film"}
    answer = browser.post("/staff/login", data=form)
    if answer.status_code == 303:
        assert answer.location == "/exams/3/film"
    return answer.status_code


def test_right_password_opens_and_wrong_one_says_so(browser: FlaskClient) -> None:
    staff_accounts.create_staff("d001", "医生甲", "doctor", PASSWORD)
    assert _log_in(browser, "wrong") in {403, 422}
    assert browser.get("/staff/exams").status_code == 303
    assert _log_in(browser, PASSWORD) == 303
    assert browser.get("/staff/exams").status_code == 200


@pytest.mark.parametrize("typed", ["张珅東", " CT1 ", makers.PHONE])
def test_search_finds_by_name_phone_and_accession(browser: FlaskClient, typed: str) -> None:
    token = makers.sign_in_staff(browser).visitor.csrf_token
    wanted = makers.exam("CT1")
    makers.patient(makers.OTHER_PHONE, "李四方")
    makers.exam("CT2", phone=makers.OTHER_PHONE)
    answer = browser.post("/staff/exams", data={"csrf_token": token, "q": typed})
    links = page_of(answer).links()
    assert [link for link in links if link.startswith("/exams/")] == [
        f"/exams/{wanted.id}",
        f"/exams/{wanted.id}/film",
    ]


def test_htmx_gets_the_rows_alone(browser: FlaskClient) -> None:
    token = makers.sign_in_staff(browser).visitor.csrf_token
    form = {"csrf_token": token, "q": "没有这个人"}
    answer = browser.post("/staff/exams", data=form, headers={"HX-Request": "true"})
    page = page_of(answer)
    assert "没有找到" in page.text
    assert not page.all("html")


def test_htmx_after_the_session_ended_goes_to_the_log_in(browser: FlaskClient) -> None:
    answer = browser.post("/staff/exams", data={"q": "x"}, headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/staff/login"


def test_htmx_refusal_is_a_fragment(browser: FlaskClient) -> None:
    makers.sign_in_staff(browser)
    answer = browser.post("/staff/exams", data={"q": "x"}, headers={"HX-Request": "true"})
    assert answer.status_code == 403
    assert not page_of(answer).all("html")


def test_search_words_are_in_no_address_and_in_no_record(browser: FlaskClient) -> None:
    token = makers.sign_in_staff(browser).visitor.csrf_token
    makers.exam("CT1")
    answer = browser.post("/staff/exams", data={"csrf_token": token, "q": "张珅東"})
    assert all("q=" not in link for link in page_of(answer).links())
    assert [row for row in AuditEvent.select() if row.action == "search_exams"]
    assert not [row for row in AuditEvent.select() if "张珅東" in row.detail]


def test_doctor_reads_the_report_before_publication(browser: FlaskClient) -> None:
    makers.sign_in_staff(browser)
    exam = makers.exam()
    makers.report(exam)
    page = page_of(browser.get(f"/exams/{exam.id}"))
    assert "双肺纹理清晰。" in page.text
    assert f"/exams/{exam.id}/report.pdf" in page.links()


def test_exam_without_report_says_so(browser: FlaskClient) -> None:
    makers.sign_in_staff(browser)
    assert "还没有报告" in page_of(browser.get(f"/exams/{makers.exam().id}")).text


def test_other_roles_and_patients_do_not_search(app: APIFlask) -> None:
    for sign_in in (makers.sign_in, lambda browser: makers.sign_in_staff(browser, "operator")):
        browser = app.test_client()
        new = sign_in(browser)
        assert browser.get("/staff/exams").status_code == 403
        form = {"csrf_token": new.visitor.csrf_token, "q": ""}
        assert browser.post("/staff/exams", data=form).status_code == 403


def test_doctor_lists_the_newest_by_the_api(browser: FlaskClient) -> None:
    makers.sign_in_staff(browser)
    ids = [makers.exam(f"CT{number}").id for number in range(3)]
    listed = json_of(browser.get("/api/v1/exams"))["exams"]
    assert [one["exam_id"] for one in listed] == ids[::-1]
