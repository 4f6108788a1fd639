"""Whatever people do in a room, in whatever order, over slow links and several servers: in the end all see one film."""

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import peewee
import pytest

from access import sessions
from access.staff import create_staff
from app.installation import set_up
from app.site import free_ports
from core import config, db
from core.config import foreign_environment
from core.models import Exam
from tests.fixtures.live_people import PAGE, Person, in_thread, slow_link, until
from tests.fixtures.live_server import LIMITS, Serve
from tests.fixtures.redis_server import RedisServer
from tests.unit.api import makers
from workflow import live_room

pytestmark = pytest.mark.requirement("K4")

ROOT = Path(__file__).resolve().parents[2]
ACTIONS = 200
LINK_SECONDS = 0.3
PARTS = ("layout", "view", "voi", "cine", "camera", "annotations", "tool")


def room_of(exam: Exam, session: str) -> str:
    visitor = sessions.visitor_of(session)
    assert visitor
    return live_room.open_room(visitor, exam.id, "")


def doctor_session() -> str:
    person = create_staff("doctor-1", "医生甲", "doctor", "correct horse battery")
    return sessions.open_staff_session(person, 12).token


async def act(people: list[Person], servers: list[str], dice: random.Random) -> None:
    """200 things that people do: mostly what a presenter does; and they come, go, ask and take."""
    for number in range(ACTIONS):
        one = dice.choice(people)
        kind = dice.choices(["show", "give", "take", "ask", "vanish"], [80, 6, 6, 4, 4])[0]
        if kind == "show":
            presenter = next((person for person in people if person.is_presenter), one)
            await presenter.show(dice.choice(PARTS), {"n": number}, dice.choice([None, 0, 1, 2]))
        elif kind == "give":
            await one.say("give", to=dice.choice(people).you)
        elif kind in ("take", "ask"):
            await one.say(kind)
        else:
            await one.vanish()
            await one.come(servers[people.index(one) % len(servers)], again=True)


async def agree(people: list[Person]) -> None:
    """Somebody presents and shows one thing more; when all see that, they see the same in everything."""
    await people[0].say("take")
    await until(lambda: people[0].is_presenter, "the presenter")
    await people[0].show("tool", "the end", None)
    for person in people:
        await person.sees("tool", "the end", None)
    assert len(people[0].film) > 10
    for person in people:
        assert person.film == people[0].film
        assert (person.presenter, person.epoch) == (people[0].you, people[0].epoch)
    await until(lambda: all(len(person.people) == len(people) for person in people), "the list of people")


# What is asked of the database here does not depend on which it is.
one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@one_database
@pytest.mark.parametrize(
    ("memory", "count", "seconds"),
    [("memory", 2, LINK_SECONDS), ("memory", 3, 0.0), ("redis", 2, 0.0), ("redis", 3, LINK_SECONDS)],
)
def test_all_see_the_same_after_200_actions(
    database: peewee.Database,
    serve: Serve,
    request: pytest.FixtureRequest,
    memory: str,
    count: int,
    seconds: float,
) -> None:
    url = request.getfixturevalue("redis_url") if memory == "redis" else ""
    servers = [serve(redis_url=url) for _ in range(2 if url else 1)]
    sessions_of_all = [doctor_session(), *(sessions.open_patient_session(makers.PHONE, "", 12).token,) * 2]
    room = room_of(makers.published(), sessions_of_all[0])

    async def talk() -> None:
        async with AsyncExitStack() as stack:
            links = [await stack.enter_async_context(slow_link(server, seconds)) for server in servers]
            people = [Person(room, session) for session in sessions_of_all[:count]]
            for number, person in enumerate(people):
                await person.come(links[number % len(links)])
            await act(people, links, random.Random(4))
            await agree(people)

    in_thread(talk)


@contextmanager
def processes(
    home: Path, redis_url: str, count: int
) -> Iterator[tuple[list[str], list[subprocess.Popen[bytes]]]]:
    """An installation with so many live processes."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(count)]
    environ = {
        "CLOUDFILM_HOME": str(home),
        "CLOUDFILM_PUBLIC_URL": PAGE,
        "CLOUDFILM_REDIS_URL": redis_url,
    }
    set_up(config.load(environ))
    with ExitStack() as stack:
        started = []
        for address in addresses:
            process = subprocess.Popen(
                [sys.executable, "-m", "app", "run", "live"],
                cwd=ROOT,
                env={**foreign_environment(), **environ, "CLOUDFILM_LIVE_BIND": address},
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            started.append(process)
        yield addresses, started


async def up(address: str, room: str, session: str) -> Person:
    """Come as soon as the process listens."""
    person = Person(room, session)

    async def is_in() -> bool:
        try:
            await person.come(address)
        except OSError:
            return False
        return True

    while not await is_in():
        await until(lambda: True, "a little while")
    return person


@pytest.mark.requirement("P6")
def test_two_processes_agree_and_one_that_is_killed_loses_nothing(tmp_path: Path, redis_url: str) -> None:
    with processes(tmp_path / "home", redis_url, 2) as (addresses, started):
        with db.connection():
            exam = makers.published()
            patient = sessions.open_patient_session(makers.PHONE, "", 12).token
            doctor = doctor_session()
            room = room_of(exam, patient)

        async def talk() -> None:
            first = await up(addresses[0], room, patient)
            second = await up(addresses[1], room, doctor)
            await until(lambda: first.presenter == second.presenter == first.you, "one presenter")
            for number in range(20):
                await first.show("voi", {"n": number}, number)
            await until(lambda: len(second.film) == 20 and second.film == first.film, "the same film")
            started[0].kill()
            assert await first.ended() == 1006
            await second.say("take")
            await until(lambda: second.is_presenter, "the doctor, who may take at any time")
            await second.show("voi", {"n": "other"}, 3)
            await first.come(addresses[1], again=True)
            await until(lambda: first.film == second.film, "what was missed, by the other process")
            assert len(first.film) == 20
            assert first.presenter == second.you

        in_thread(talk)


@one_database
def test_redis_that_was_away_for_a_moment_is_made_up_for(
    database: peewee.Database, serve: Serve, durable_redis: RedisServer
) -> None:
    servers = [serve(replace(LIMITS, vanish_seconds=30), redis_url=durable_redis.url) for _ in range(2)]
    doctor = doctor_session()
    room = room_of(makers.published(), doctor)

    async def talk() -> None:
        people = [Person(room, doctor) for _ in servers]
        for person, server in zip(people, servers, strict=True):
            await person.come(server)
        await people[0].show("voi", 1)
        await people[1].sees("voi", 1)
        durable_redis.stop()
        await people[0].ended()
        durable_redis.start()
        for person, server in zip(people, servers, strict=True):
            await person.ended()
            while person.close_code:
                await person.come(server, again=True)
        assert [person.film for person in people] == [{"0/voi": 1}] * 2
        await people[0].say("take")
        await until(lambda: people[0].is_presenter, "the presenter")
        await people[0].show("voi", 2)
        await people[1].sees("voi", 2)

    in_thread(talk)
