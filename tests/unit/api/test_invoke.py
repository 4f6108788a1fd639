"""IHE Invoke Image Display: the right film for the numbers of HIS, for doctors only, and on record."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from access import staff as staff_accounts
from api.pages.next_page import next_page
from core.models import AuditEvent, Exam, ExamStudy, PatientIdentifier
from tests.unit.api import makers
from tests.unit.api.html import page_of

PATH = "/IHEInvokeImageDisplay"


@pytest.fixture
def exam(app: APIFlask) -> Exam:
    """One with images, of a patient whom HIS and RIS know by numbers."""
    made = makers.exam("CT1")
    makers.pack(made)
    PatientIdentifier.create(patient=made.patient, assigner="HIS", value="0001234567")
    return made


@pytest.fixture
def doctor(browser: FlaskClient) -> FlaskClient:
    makers.sign_in_staff(browser)
    return browser


def invoke(client: FlaskClient, **query: Any) -> Any:
    return client.get(PATH, query_string=query)


def opened(answer: Any) -> int:
    """The exam whose film the answer goes to."""
    assert answer.status_code == 303
    return int(answer.headers["Location"].split("/")[2])


@pytest.mark.requirement("F6", "P5", "F10")
@pytest.mark.parametrize(
    "query",
    [
        {"accessionNumber": "CT1"},
        {"studyUID": "1.2.{id}"},
        {
            "studyUID": "1.2.{id}",
            "viewerType": "IHE_BIR",
            "diagnosticQuality": "true",
            "keyImagesOnly": "false",
        },
    ],
)
def test_a_study_opens_by_its_numbers(doctor: FlaskClient, exam: Exam, query: dict[str, str]) -> None:
    filled = {name: value.format(id=exam.id) for name, value in query.items()}
    assert opened(invoke(doctor, requestType="STUDY", **filled)) == exam.id
    event = AuditEvent.select().order_by(AuditEvent.seq.desc()).first()
    assert (event.action, event.detail) == ("invoke_display", '{"by": "study", "found": 1}')


@pytest.mark.requirement("F6")
def test_a_study_that_is_only_declared_is_known(doctor: FlaskClient, exam: Exam) -> None:
    ExamStudy.create(exam=exam, study_uid="1.2.77")
    assert opened(invoke(doctor, requestType="STUDY", studyUID="1.2.77")) == exam.id


@pytest.mark.requirement("F6")
def test_several_are_listed_newest_first(doctor: FlaskClient, exam: Exam) -> None:
    newer = makers.exam("CT2", at=makers.MORNING + timedelta(days=1), modality="MR")
    makers.pack(newer, "cd" * 16)
    makers.exam("CT3")
    answer = invoke(doctor, requestType="PATIENT", patientID="0001234567^^^HIS")
    films = [link["href"] for link in page_of(answer).all("a") if link.get("href", "").endswith("/film")]
    assert films == [f"/exams/{newer.id}/film", f"/exams/{exam.id}/film"], "without CT3, which has no images"
    ask = {"requestType": "PATIENT", "patientID": "0001234567"}
    assert opened(invoke(doctor, **ask, mostRecentResults=1)) == newer.id
    assert opened(invoke(doctor, **ask, modalitiesInStudy="CT,US")) == exam.id
    assert opened(invoke(doctor, **ask, upperDateTime="20261124235959")) == exam.id
    assert opened(invoke(doctor, **ask, lowerDateTime="2026-11-25")) == newer.id
    both = invoke(doctor, requestType="STUDY", accessionNumber="CT1,CT2")
    assert both.status_code == 200
    assert "共 2 次检查" in page_of(both).text


@pytest.mark.requirement("F6", "K5")
@pytest.mark.parametrize(
    "query",
    [
        {"requestType": "STUDY", "accessionNumber": "<b>CT9"},
        {"requestType": "STUDY", "studyUID": "1.2.3"},
        {"requestType": "PATIENT", "patientID": "0001234567^^^RIS"},
    ],
)
def test_what_is_not_known_is_said_and_on_record(
    doctor: FlaskClient, exam: Exam, query: dict[str, str]
) -> None:
    answer = invoke(doctor, **query)
    assert answer.status_code == 404
    assert "没有找到" in page_of(answer).text
    assert not page_of(answer).all("b")
    assert '"found": 0' in AuditEvent.select().order_by(AuditEvent.seq.desc()).first().detail


@pytest.mark.requirement("F6", "K5")
@pytest.mark.parametrize(
    "query",
    [
        {},
        {"requestType": "SERIES", "studyUID": "1.2"},
        {"requestType": "STUDY"},
        {"requestType": "STUDY", "accessionNumber": "9" * 65},
        {"requestType": "STUDY", "studyUID": ",".join(["1.2"] * 51)},
        {"requestType": "PATIENT", "patientID": "^^^HIS"},
        {"requestType": "PATIENT", "patientID": "1", "mostRecentResults": "-1"},
        {"requestType": "PATIENT", "patientID": "1", "lowerDateTime": "20261399"},
    ],
)
def test_what_the_profile_does_not_know_is_400(doctor: FlaskClient, query: dict[str, str]) -> None:
    assert invoke(doctor, **query).status_code == 400


@pytest.mark.requirement("F6", "P5")
def test_who_is_not_signed_in_comes_back_after_the_password(app: APIFlask, exam: Exam) -> None:
    staff_accounts.create_staff("d001", "医生甲", "doctor", "correct horse battery")
    client = app.test_client()
    answer = invoke(client, requestType="STUDY", accessionNumber="CT1")
    assert answer.status_code == 303
    login = urlsplit(answer.headers["Location"])
    assert login.path == "/staff/login"
    (onward,) = parse_qs(login.query)["next"]
    page = page_of(client.get(answer.headers["Location"]))
    fields = {one["name"]: one.get("value", "") for one in page.all("input") if "name" in one}
    assert fields["next"] == onward
    back = client.post(
        "/staff/login", data={**fields, "username": "d001", "password": "correct horse battery"}
    )
    assert back.headers["Location"] == f"{PATH}?requestType=STUDY&accessionNumber=CT1"
    assert opened(client.get(back.headers["Location"])) == exam.id


@pytest.mark.requirement("F9", "K5")
def test_no_right_is_widened(app: APIFlask, exam: Exam) -> None:
    patient, operator = app.test_client(), app.test_client()
    makers.sign_in(patient)
    makers.sign_in_staff(operator, "operator")
    for client in (patient, operator):
        assert invoke(client, requestType="STUDY", accessionNumber="CT1").status_code == 403


@pytest.mark.requirement("K5")
@pytest.mark.parametrize(
    "asked",
    [
        "/IHEInvokeImageDisplay",
        "/IHEInvokeImageDisplay?a=1#x",
        "/IHEInvokeImageDisplay?a=//evil.invalid\\",
        "//IHEInvokeImageDisplay?a=1",
        "/IHEInvokeImageDisplay?a=1\n",
        "/IHEInvokeImageDisplay?" + "a" * 601,
    ],
)
def test_nothing_else_is_gone_on_to(asked: str) -> None:
    assert next_page(asked, "no") == "no"
