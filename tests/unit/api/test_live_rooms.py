"""Opening and ending rooms: inside the rights of a session, the token in a fragment, everything on record."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from access import live_rooms
from access.sessions import NewSession
from core.clock import now
from core.errors import NotAllowed, NotFound
from core.models import AuditEvent, Exam, LiveRoom
from crypto.sm3 import sm3
from tests.unit.api import makers
from workflow import live_room

pytestmark = pytest.mark.requirement("K4", "K5")


@pytest.fixture
def exam(memory_database: object) -> Exam:
    return makers.published()


def opened(browser: FlaskClient, exam: Exam, new: NewSession) -> dict[str, str]:
    answer = browser.post(f"/api/v1/exams/{exam.id}/rooms", headers={"X-CSRF-Token": new.visitor.csrf_token})
    assert answer.status_code == 201
    told: dict[str, str] = answer.get_json()
    return told


def test_patient_opens_a_room_whose_token_is_kept_nowhere(browser: FlaskClient, exam: Exam) -> None:
    told = opened(browser, exam, makers.sign_in(browser))
    assert told["url"] == f"/exams/{exam.id}/film#room={told['room']}"
    assert told["socket"] == "ws://127.0.0.1:8100/live/rooms/"
    room = LiveRoom.get()
    assert (room.exam_id, room.token_sm3) == (exam.id, sm3(told["room"].encode()).hex())
    record = AuditEvent.select().order_by(AuditEvent.seq.desc()).first()
    assert (record.action, record.subject) == ("open_live_room", f"exam:{exam.id}")
    assert told["room"] not in record.detail


def test_others_open_no_room_for_it(browser: FlaskClient, exam: Exam) -> None:
    new = makers.sign_in(browser, makers.OTHER_PHONE)
    headers = {"X-CSRF-Token": new.visitor.csrf_token}
    assert browser.post(f"/api/v1/exams/{exam.id}/rooms", headers=headers).status_code == 404
    assert browser.get(f"/api/v1/exams/{exam.id}/rooms").status_code == 404


def test_no_room_before_publication(browser: FlaskClient, exam: Exam) -> None:
    Exam.update(published_at=None).execute()
    new = makers.sign_in(browser)
    headers = {"X-CSRF-Token": new.visitor.csrf_token}
    assert browser.post(f"/api/v1/exams/{exam.id}/rooms", headers=headers).status_code == 403


def test_who_was_invited_learns_where_to_enter(browser: FlaskClient, exam: Exam) -> None:
    makers.sign_in_staff(browser)
    answer = browser.get(f"/api/v1/exams/{exam.id}/rooms")
    assert answer.get_json() == {"socket": "ws://127.0.0.1:8100/live/rooms/"}


def test_only_its_owner_ends_a_room(browser: FlaskClient, exam: Exam) -> None:
    mine = makers.sign_in(browser)
    room = opened(browser, exam, mine)["room"]
    doctor = makers.sign_in_staff(browser)
    close = f"/api/v1/exams/{exam.id}/rooms/close"
    refused = browser.post(close, json={"room": room}, headers={"X-CSRF-Token": doctor.visitor.csrf_token})
    assert refused.status_code == 404
    place = live_room.enter(doctor.token, room, "")
    browser.set_cookie("cf_session", mine.token)
    ended = browser.post(close, json={"room": room}, headers={"X-CSRF-Token": mine.visitor.csrf_token})
    assert ended.status_code == 204
    with pytest.raises(NotFound):
        live_room.require_still(place)


@pytest.mark.parametrize(
    "ending",
    [
        {"used_at": now() - live_rooms.IDLE - timedelta(minutes=1)},
        {"expires_at": now() - timedelta(minutes=1)},
        {"closed_at": now()},
    ],
    ids=["idle", "too old", "closed"],
)
def test_room_that_is_over_lets_nobody_in(
    browser: FlaskClient, exam: Exam, ending: dict[str, object]
) -> None:
    new = makers.sign_in(browser)
    room = opened(browser, exam, new)["room"]
    LiveRoom.update(**ending).execute()
    with pytest.raises(NotFound):
        live_room.enter(new.token, room, "")


def test_staying_keeps_it_open_and_ends_with_the_right(browser: FlaskClient, exam: Exam) -> None:
    new = makers.sign_in(browser)
    place = live_room.enter(new.token, opened(browser, exam, new)["room"], "127.0.0.1")
    LiveRoom.update(used_at=now() - timedelta(minutes=20)).execute()
    live_room.require_still(place)
    assert LiveRoom.get().used_at > now() - timedelta(minutes=1)
    Exam.update(published_at=None).execute()
    with pytest.raises(NotAllowed):
        live_room.require_still(place)
    assert new.token not in repr(place)
    assert place.room_token not in repr(place)


def test_coming_and_going_is_on_record(browser: FlaskClient, exam: Exam) -> None:
    new = makers.sign_in(browser)
    place = live_room.enter(new.token, opened(browser, exam, new)["room"], "127.0.0.1")
    live_room.leave(place, "127.0.0.1")
    actions = [row.action for row in AuditEvent.select().order_by(AuditEvent.seq)]
    assert actions == ["open_live_room", "join_live_room", "leave_live_room"]


def test_too_many_rooms_at_once_are_refused(browser: FlaskClient, exam: Exam) -> None:
    new = makers.sign_in(browser)
    for _ in range(live_rooms.MAX_OPEN_PER_SESSION):
        opened(browser, exam, new)
    headers = {"X-CSRF-Token": new.visitor.csrf_token}
    assert browser.post(f"/api/v1/exams/{exam.id}/rooms", headers=headers).status_code == 422
