"""Live rooms over real WebSockets: who may enter, what is shared, how much may be said, and when a visit ends."""

import asyncio
import json
import random
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from urllib.request import urlopen

import peewee
import pytest
from websockets.exceptions import InvalidStatus

from access import sessions
from access.staff import create_staff
from api.live.visit import FULL, POLICY_VIOLATION, REPLACED, SLOW, TOO_BIG
from core.clock import now
from core.models import AuditEvent, Exam, Session
from tests.fixtures.live_people import Person, in_thread, until
from tests.fixtures.live_server import LIMITS, Serve
from tests.unit.api import makers
from workflow import live_room

pytestmark = [pytest.mark.requirement("K4", "K5"), pytest.mark.usefixtures("database")]


@pytest.fixture
def exam(database: peewee.Database) -> Exam:
    return makers.published()


@pytest.fixture
def patient() -> str:
    return sessions.open_patient_session(makers.PHONE, "", 12).token


@pytest.fixture
def doctor() -> str:
    person = create_staff("doctor-1", "医生甲", "doctor", "correct horse battery")
    return sessions.open_staff_session(person, 12).token


@pytest.fixture
def room(exam: Exam, patient: str) -> str:
    visitor = sessions.visitor_of(patient)
    assert visitor
    return live_room.open_room(visitor, exam.id, "")


@pytest.fixture
def live(serve: Serve) -> Iterator[str]:
    yield serve()


def refused(live: str, person: Person, origin: str = "") -> int:
    """The HTTP status of a refused handshake."""
    status = 0

    async def talk() -> None:
        nonlocal status
        try:
            await person.come(live, **({"origin": origin} if origin else {}))
        except InvalidStatus as refusal:
            status = refusal.response.status_code

    in_thread(talk)
    return status


@pytest.mark.parametrize("origin", ["https://evil.invalid", "http://127.0.0.1:8101"])
def test_other_sites_stay_outside(live: str, room: str, patient: str, origin: str) -> None:
    assert refused(live, Person(room, patient), origin) == 403


def test_who_has_no_session_stays_outside(live: str, room: str, patient: str) -> None:
    assert refused(live, Person(room, "guessed")) == 403
    sessions.close_session(patient)
    assert refused(live, Person(room, patient)) == 403


def test_others_of_the_hospital_and_wrong_tokens_are_sent_away(live: str, room: str, patient: str) -> None:
    other = sessions.open_patient_session(makers.OTHER_PHONE, "", 12).token

    async def talk() -> None:
        for person in (Person(room, other), Person("guessed", patient)):
            assert await (await person.come(live)).ended() == POLICY_VIOLATION
            assert person.heard == []

    in_thread(talk)
    assert {row.action for row in AuditEvent.select()} == {"open_live_room"}


def test_a_doctor_and_a_patient_look_together(live: str, room: str, patient: str, doctor: str) -> None:
    async def talk() -> None:
        first = await Person(room, patient, "家属\u202e\n 甲").come(live)
        assert first.is_presenter
        await first.show("voi", {"center": 40, "width": 400})
        await first.show("layout", {"rows": 2}, None)
        late = await Person(room, doctor, "not what staff is called").come(live)
        await until(lambda: len(late.film) == 2, "the snapshot")
        assert late.film == {"0/voi": {"center": 40, "width": 400}, "None/layout": {"rows": 2}}
        assert [(one["name"], one["staff"]) for one in late.people] == [("家属 甲", False), ("医生甲", True)]
        await late.show("voi", {"center": 0})
        await until(late.refusals, "the refusal")
        await first.say("pointer", cell=0, point={"x": 1.5, "y": 2, "z": -30})
        await until(lambda: late.last("pointer"), "the pointer")
        assert late.last("pointer")["point"] == {"x": 1.5, "y": 2, "z": -30}
        await late.say("ask")
        await until(lambda: first.last("ask"), "the question")
        await first.say("give", to=late.you)
        await until(lambda: late.is_presenter, "the hand-over")
        await late.show("voi", {"center": -600})
        await until(lambda: first.film["0/voi"] == {"center": -600}, "the doctor's window")
        await first.go()
        await until(lambda: len(late.people) == 1, "the leave")

    in_thread(talk)
    coming = AuditEvent.select().where(AuditEvent.action == "join_live_room")
    assert coming.count() == 2
    assert all(room not in row.detail for row in AuditEvent.select())


def test_a_presenter_who_vanished_is_followed_by_who_takes(live: str, room: str, patient: str) -> None:
    async def talk() -> None:
        first, second = [await Person(room, patient).come(live) for _ in range(2)]
        await second.say("take")
        await until(second.refusals, "the refusal while the presenter is there")
        await first.vanish()
        await until(lambda: [one["here"] for one in second.people] == [False, True], "the loss")
        while not second.is_presenter:
            await second.say("take")
            await asyncio.sleep(0.05)
        await first.come(live, again=True)
        assert not first.is_presenter
        assert [one["here"] for one in first.people] == [True, True]

    in_thread(talk)


def test_who_comes_back_hears_what_he_missed_and_no_more(live: str, room: str, patient: str) -> None:
    async def talk() -> None:
        first, second = [await Person(room, patient).come(live) for _ in range(2)]
        await first.show("voi", 1)
        await first.show("view", 1)
        await until(lambda: len(second.film) == 2, "two states")
        you = second.you
        await second.vanish()
        await first.show("view", 2)
        await until(lambda: first.film["0/view"] == 2, "the state that the other missed")
        await second.come(live, again=True)
        assert second.you == you
        assert [state["data"] for state in second.heard[0]["snapshot"]] == [2]
        assert second.film == first.film
        third = await Person(room, patient).come(live)
        assert third.film == first.film

    in_thread(talk)


def test_the_same_person_by_a_second_connection_ends_the_first(live: str, room: str, patient: str) -> None:
    async def talk() -> None:
        first = await Person(room, patient).come(live)
        twin = Person(room, patient)
        twin.you, twin.epoch = first.you, first.epoch
        await twin.come(live, again=True)
        assert twin.is_presenter
        assert await first.ended() == REPLACED
        assert [one["id"] for one in twin.people] == [twin.you]

    in_thread(talk)


def test_visit_ends_with_its_session(live: str, room: str, patient: str, doctor: str) -> None:
    ending = sessions.open_patient_session(makers.PHONE, "", 12)

    async def talk() -> None:
        first, second = await Person(room, patient).come(live), await Person(room, ending.token).come(live)
        await asyncio.to_thread(sessions.close_session, ending.token)
        assert await second.ended() == POLICY_VIOLATION
        await until(lambda: len(first.people) == 1, "the list without him")
        assert first.close_code == 0

    in_thread(talk)


def test_visit_ends_when_the_session_expires(live: str, room: str, patient: str) -> None:
    Session.update(expires_at=now() + timedelta(seconds=2)).execute()

    async def talk() -> None:
        assert await (await Person(room, patient).come(live)).ended() == POLICY_VIOLATION

    in_thread(talk)


def test_all_visits_end_when_the_exam_is_withdrawn(live: str, room: str, patient: str) -> None:
    async def talk() -> None:
        people = [await Person(room, patient).come(live) for _ in range(2)]
        assert all(person.close_code == 0 for person in people)
        await asyncio.to_thread(lambda: Exam.update(published_at=None).execute())
        assert [await person.ended() for person in people] == [POLICY_VIOLATION] * 2

    in_thread(talk)


def test_too_long_a_message_ends_the_visit(live: str, room: str, patient: str) -> None:
    async def talk() -> None:
        person = await Person(room, patient).come(live)
        await person.show("annotations", "x" * (LIMITS.message_bytes - 200))
        await until(lambda: person.film, "a message as long as is allowed")
        await person.show("annotations", "x" * LIMITS.message_bytes)
        assert await person.ended() == TOO_BIG

    in_thread(talk)


def test_a_full_room_says_so(serve: Serve, room: str, patient: str) -> None:
    live = serve(replace(LIMITS, people=1))

    async def talk() -> None:
        await Person(room, patient).come(live)
        assert await (await Person(room, patient).come(live)).ended() == FULL

    in_thread(talk)


def test_slow_client_is_dropped_others_notice_nothing_and_it_may_return(
    serve: Serve, room: str, patient: str
) -> None:
    live = serve(replace(LIMITS, slow_seconds=0.5, messages_per_second=2000))

    async def talk() -> None:
        first, second = [await Person(room, patient).come(live) for _ in range(2)]
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        narrow.setblocking(False)
        host, port = live.split(":")
        await asyncio.get_running_loop().sock_connect(narrow, (host, int(port)))
        slow = await Person(room, patient).come(live, sock=narrow, compression=None, ping_interval=None)
        assert slow._socket
        slow._socket.transport.pause_reading()  # type: ignore[attr-defined]
        numbers = count(1)

        def is_gone() -> bool:
            return [one["here"] for one in first.people if one["id"] == slow.you] == [False]

        while not is_gone():
            cell = next(numbers) % 30
            mark = {"n": next(numbers), "filling": "x" * 30_000}
            await first.show("annotations", mark, cell)
            await second.sees("annotations", mark, cell)
        slow._socket.transport.resume_reading()  # type: ignore[attr-defined]
        assert await slow.ended() in (SLOW, 1006)
        await slow.come(live, again=True)
        await until(lambda: slow.film == first.film == second.film, "what the slow one missed")

    in_thread(talk)


def test_nonsense_never_breaks_the_room(live: str, room: str, patient: str) -> None:
    dice = random.Random(4)
    good = json.dumps(
        {"v": 1, "kind": "state", "cell": 0, "part": "voi", "data": {"center": [1, {"a": None}]}}
    )

    def nonsense() -> str | bytes:
        whole = list(good)
        for _ in range(dice.randrange(1, 6)):
            whole[dice.randrange(len(whole))] = dice.choice('{}[]",:019e-\\u\x00中true')
        fixed = [
            "[" * 30_000,
            '{"v":1,"kind":"state","cell":0,"part":"voi","data":1e999}',
            "null",
            "",
            b"\x00\xff",
        ]
        return dice.choice(["".join(whole), *fixed])

    async def talk() -> None:
        presenter, guest, other = [await Person(room, patient).come(live) for _ in range(3)]
        for _ in range(150):
            for person in (presenter, other):
                await person.send(nonsense())
        await presenter.show("tool", "after all that")
        await until(lambda: guest.film.get("0/tool") == "after all that", "a state after the nonsense")
        assert (presenter.close_code, guest.close_code, other.close_code) == (0, 0, 0)
        assert other.refusals()

    in_thread(talk)


def test_health_needs_no_session(live: str) -> None:
    with urlopen(f"http://{live}/healthz", timeout=10) as answer:
        assert json.load(answer) == {"status": "ok"}
