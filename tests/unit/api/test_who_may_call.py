"""The matrix: every route as nobody and as another patient, taken from the url map so that none is left out.

Rights inside `access` have tests of their own; here it is proven that each route asks them.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from werkzeug.routing import Rule

from access.rights import require_exam, require_object, require_published
from api import guards
from api.guards import Caller, guard_of
from core.models import AuditEvent, Exam
from tests.unit.api import makers
from tests.unit.hl7_engine.stored import inbound, owed
from workflow import open_film

pytestmark = pytest.mark.requirement("K5", "E3", "E10", "E11", "F9")

OBJECT_ID = "cd" * 16
PERSONAL = ("双肺", "未见异常", "胸部", "张", "CT1", "%PDF")


@pytest.fixture(autouse=True)
def film_of_someone(memory_database: object) -> Exam:
    """A published exam with report, document and pack, and messages about it under the exam's own id."""
    exam = makers.published()
    makers.pack(exam, OBJECT_ID)
    inbound(id=exam.id, accession_number=exam.accession_number)
    owed(id=exam.id, work="parked")
    return exam


@pytest.fixture(autouse=True)
def only_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """The film steps reduced to what decides over access."""

    def open_exam(_platform: object, visitor: guards.Visitor, exam_id: int, *_: object) -> None:
        require_published(visitor, require_exam(visitor, exam_id))
        raise AssertionError("the film was opened")

    def open_object(_platform: object, visitor: guards.Visitor, object_id: str) -> None:
        require_object(visitor, object_id)
        raise AssertionError("the object was opened")

    monkeypatch.setattr(open_film, "open_film", open_exam)
    monkeypatch.setattr(open_film, "read_file", open_exam)
    monkeypatch.setattr(open_film, "open_object", open_object)


def _calls(app: APIFlask, exam: Exam | None) -> Iterator[tuple[Rule, str, str]]:
    """Every guarded route with the other person's ids in it; without `exam` with ids that nobody has."""
    number = exam.id if exam is not None else 999
    values: dict[str, Any] = {
        "exam_id": number,
        "message_id": number,
        "outgoing_id": number,
        "object_id": OBJECT_ID if exam is not None else "0" * 32,
        "sop_uid": "1.2.3",
    }
    for rule in app.url_map.iter_rules():
        guard = guard_of(app.view_functions[rule.endpoint])
        assert guard is not None
        # Systems of the hospital are known by their address, and this is one: test_soap.py.
        if guard.caller in (Caller.ANYBODY, Caller.HOSPITAL):
            continue
        with app.test_request_context():
            path = app.url_for(rule.endpoint, **{name: values[name] for name in rule.arguments})
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            yield rule, method, path


def test_nobody_gets_nothing(app: APIFlask, film_of_someone: Exam) -> None:
    calls = list(_calls(app, film_of_someone))
    assert len(calls) > 15
    for _rule, method, path in calls:
        answer = app.test_client().open(path, method=method, headers={"X-CSRF-Token": "x"})
        assert answer.status_code in ({401, 403} if path.startswith("/api/") else {303}), (method, path)
        assert not _leaks(answer.get_data(as_text=True)), (method, path)
    assert not AuditEvent.select().count()


def test_another_patient_cannot_tell_that_it_exists(app: APIFlask, film_of_someone: Exam) -> None:
    asked = 0
    absent = {(rule.endpoint, method): path for rule, method, path in _calls(app, None)}
    for rule, method, path in _calls(app, film_of_someone):
        if not rule.arguments:
            continue
        browser = app.test_client()
        token = {"X-CSRF-Token": makers.sign_in(browser, makers.OTHER_PHONE).visitor.csrf_token}
        answer = browser.open(path, method=method, headers=token)
        missing = browser.open(absent[rule.endpoint, method], method=method, headers=token)
        is_staffs = guard_of(app.view_functions[rule.endpoint]).caller is Caller.STAFF  # type: ignore[union-attr]
        # A body that is not there is told before anything is looked up.
        expected = {403} if is_staffs else {404} if method in ("GET", "HEAD") else {404, 415, 422}
        assert answer.status_code == missing.status_code, (method, path)
        assert answer.status_code in expected, (method, path)
        assert not _leaks(answer.get_data(as_text=True)), (method, path)
        asked += 1
    assert asked >= 10


def test_doctors_do_not_look_after_messages(app: APIFlask, film_of_someone: Exam) -> None:
    browser = app.test_client()
    token = makers.sign_in_staff(browser).visitor.csrf_token
    asked = 0
    for _rule, method, path in _calls(app, film_of_someone):
        if path.startswith(("/staff/messages", "/staff/alarms")):
            form = {"csrf_token": token, "reason": "x"} if method == "POST" else None
            answer = browser.open(path, method=method, data=form)
            assert answer.status_code == 403, (method, path)
            assert not _leaks(answer.get_data(as_text=True)), (method, path)
            asked += 1
    assert asked >= 12


def test_lists_of_another_patient_hold_nothing_of_it(app: APIFlask) -> None:
    browser = app.test_client()
    makers.sign_in(browser, makers.OTHER_PHONE)
    for path in ("/exams", "/api/v1/exams", "/account"):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert not _leaks(answer.get_data(as_text=True)), path


def test_ended_sessions_are_nobody(app: APIFlask, film_of_someone: Exam) -> None:
    browser = app.test_client()
    new = makers.sign_in(browser)
    assert browser.get(f"/exams/{film_of_someone.id}").status_code == 200
    browser.post("/logout", data={"csrf_token": new.visitor.csrf_token})
    bearer = {"Authorization": f"Bearer {new.token}"}
    assert browser.get(f"/api/v1/exams/{film_of_someone.id}", headers=bearer).status_code == 401


def test_changing_anything_needs_the_sessions_token(app: APIFlask, film_of_someone: Exam) -> None:
    browser = app.test_client()
    makers.sign_in(browser)
    changing = [
        (method, path)
        for rule, method, path in _calls(app, film_of_someone)
        if method not in {"GET", "HEAD"}
        and (guard_of(app.view_functions[rule.endpoint]) or guards.Guard(Caller.MACHINE)).caller
        is not Caller.MACHINE
    ]
    assert changing
    for method, path in changing:
        assert browser.open(path, method=method).status_code == 403, (method, path)


def _leaks(text: str) -> list[str]:
    return [word for word in PERSONAL if word in text]
