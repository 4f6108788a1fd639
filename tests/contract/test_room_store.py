"""Rooms in memory and in a real Redis: one presenter, states numbered without gaps, people who come, vanish and return."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from api.live.limits import Limits
from api.live.ports import (
    IS_PRESENTING,
    NOT_HERE,
    NOT_PRESENTER,
    TOO_MUCH,
    Badge,
    Newcomer,
    RoomBus,
    RoomStore,
)
from api.live.stores.memory import MemoryBus, MemoryStore
from api.live.stores.redis import RedisBus, RedisStore
from tests.fixtures.live_people import until

pytestmark = pytest.mark.requirement("K4")

ROOM = 7
Talk = Callable[["Rooms"], Awaitable[None]]
Run = Callable[..., None]


class Rooms:
    """A store with its bus, and everything told in the room."""

    def __init__(self, store: RoomStore, bus: RoomBus) -> None:
        self.store = store
        self.bus = bus
        self.told: list[dict[str, Any]] = []

    def hear(self, text: str) -> None:
        self.told.append(json.loads(text))

    async def enter(self, session: int = 1, *, again: str = "", epoch: str = "", name: str = "甲") -> Badge:
        connection = f"c{len(self.told)}-{session}"
        entry = await self.store.enter(ROOM, Newcomer(session, connection, name, False, again, epoch))
        assert entry is not None
        return Badge(ROOM, entry.person, connection)

    async def heard(self, holds: Callable[[], bool]) -> None:
        await until(holds, "something told in the room")

    async def until(self, ask: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(10):
            while not await ask():
                await asyncio.sleep(0.005)

    def seqs(self) -> list[int]:
        return [told["seq"] for told in self.told if "seq" in told]


@pytest.fixture(params=["memory", "redis"])
def run(request: pytest.FixtureRequest) -> Run:
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""

    @asynccontextmanager
    async def rooms(limits: Limits) -> AsyncIterator[Rooms]:
        bus: Any
        if url:
            client = Redis.from_url(url)
            bus = RedisBus(client)
            made = Rooms(RedisStore(client, bus, limits), bus)
        else:
            bus = MemoryBus()
            made = Rooms(MemoryStore(bus, limits), bus)
        await bus.subscribe(ROOM, made.hear)
        try:
            yield made
        finally:
            await made.store.close()

    async def told(talk: Talk, limits: Limits) -> None:
        async with rooms(limits) as made:
            await asyncio.wait_for(talk(made), 30)

    def runner(talk: Talk, **limits: Any) -> None:
        # A thread of its own: Playwright leaves a running loop in the main one.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: asyncio.run(told(talk, Limits(**limits)))).result()

    return runner


def voi(center: float) -> dict[str, Any]:
    return {"cell": 0, "part": "voi", "data": {"center": center, "empty": [], "text": '窗\u2028"\\'}}


def test_who_enters_an_empty_room_presents_and_is_heard(run: Run) -> None:
    async def talk(rooms: Rooms) -> None:
        first, second = await rooms.enter(1), await rooms.enter(2, name="乙")
        assert await rooms.store.put_state(first, "0/voi", voi(40.125)) == ""
        assert await rooms.store.put_state(second, "0/voi", voi(1)) == NOT_PRESENTER
        await rooms.heard(lambda: rooms.told[-1]["kind"] == "state")
        assert rooms.told[-1] == {
            "v": 1,
            "kind": "state",
            "seq": rooms.seqs()[-1],
            "from": first.person,
            **voi(40.125),
        }
        view = await rooms.store.view(ROOM)
        assert (view.presenter, view.seq) == (first.person, rooms.seqs()[-1])
        assert view.states == [{"seq": view.seq, "from": first.person, **voi(40.125)}]
        assert [(one["name"], one["staff"], one["here"]) for one in view.people] == [
            ("甲", False, True),
            ("乙", False, True),
        ]
        assert rooms.seqs() == list(range(1, view.seq + 1)), "numbers have no gap"

    run(talk)


def test_the_last_state_of_each_key_is_kept_in_its_order(run: Run) -> None:
    async def talk(rooms: Rooms) -> None:
        who = await rooms.enter()
        for number in range(12):
            await rooms.store.put_state(
                who, f"{number % 3}/voi", {"cell": number % 3, "part": "voi", "data": number}
            )
        view = await rooms.store.view(ROOM)
        assert [state["data"] for state in view.states] == [9, 10, 11]

    run(talk)


def test_presenting_is_handed_over(run: Run) -> None:
    async def talk(rooms: Rooms) -> None:
        first, second = await rooms.enter(1), await rooms.enter(2)
        assert await rooms.store.give(second, first.person) == NOT_PRESENTER
        assert await rooms.store.give(first, "p99") == NOT_HERE
        assert await rooms.store.give(first, second.person) == ""
        assert await rooms.store.put_state(first, "k", voi(1)) == NOT_PRESENTER
        assert await rooms.store.put_state(second, "k", voi(1)) == ""
        await rooms.store.lost(first)
        assert await rooms.store.give(second, first.person) == NOT_HERE

    run(talk)


def test_nobody_takes_a_place_that_is_held_but_staff(run: Run) -> None:
    async def talk(rooms: Rooms) -> None:
        first, second = await rooms.enter(1), await rooms.enter(2)
        assert await rooms.store.take(second, False) == IS_PRESENTING
        assert await rooms.store.take(second, True) == ""
        assert (await rooms.store.view(ROOM)).presenter == second.person
        assert await rooms.store.take(first, False) == IS_PRESENTING
        await rooms.store.leave(second)
        assert (await rooms.store.view(ROOM)).presenter == ""
        assert await rooms.store.take(first, False) == ""

    run(talk)


def test_presenter_who_vanished_keeps_the_place_for_a_while(run: Run) -> None:
    async def talk(rooms: Rooms) -> None:
        first, second = await rooms.enter(1), await rooms.enter(2)
        await rooms.store.lost(first)
        assert await rooms.store.take(second, False) == IS_PRESENTING

        async def takes() -> bool:
            return await rooms.store.take(second, False) == ""

        await rooms.until(takes)
        assert (await rooms.store.view(ROOM)).presenter == second.person

    run(talk, vanish_seconds=0.4)


def test_who_comes_back_in_the_same_session_is_the_same_person(run: Run) -> None:
    async def talk(rooms: Rooms) -> None:
        first = await rooms.enter(1)
        epoch = (await rooms.store.view(ROOM)).epoch
        await rooms.store.lost(first)
        back = await rooms.enter(1, again=first.person, epoch=epoch)
        assert back.person == first.person
        assert await rooms.store.beat(first) is None, "the old connection counts no more"
        await rooms.store.lost(first)
        await rooms.store.leave(first)
        view = await rooms.store.view(ROOM)
        assert (view.presenter, [one["here"] for one in view.people]) == (back.person, [True])
        assert await rooms.store.put_state(back, "k", voi(1)) == ""
        await rooms.heard(lambda: rooms.told[-1]["kind"] == "state")
        assert {"kind": "replaced", "v": 1, "id": back.person, "connection": back.connection} in rooms.told
        other = await rooms.enter(2, again=first.person, epoch=epoch)
        late = await rooms.enter(1, again=first.person, epoch="of another life")
        assert len({first.person, other.person, late.person}) == 3

    run(talk)


def test_who_is_silent_for_long_is_gone_and_his_place_free(run: Run) -> None:
    async def talk(rooms: Rooms) -> None:
        await rooms.enter(1)
        second = await rooms.enter(2)

        async def is_alone() -> bool:
            assert await rooms.store.beat(second)
            view = await rooms.store.view(ROOM)
            return [one["id"] for one in view.people] == [second.person] and view.presenter == ""

        await rooms.until(is_alone)
        await rooms.heard(lambda: rooms.told[-1]["kind"] == "presenter")
        assert rooms.seqs() == list(range(1, len(rooms.seqs()) + 1))

    run(talk, gone_seconds=0.4)


def test_room_has_limits(run: Run) -> None:
    async def talk(rooms: Rooms) -> None:
        first, _ = await rooms.enter(1), await rooms.enter(2)
        assert await rooms.store.enter(ROOM, Newcomer(3, "c", "丙", False)) is None
        long = {"cell": 0, "part": "annotations", "data": "字" * 200}
        assert await rooms.store.put_state(first, "0/annotations", long) == ""
        assert await rooms.store.put_state(first, "0/annotations", long) == "", "it takes its own place"
        assert await rooms.store.put_state(first, "1/annotations", long) == TOO_MUCH
        assert await rooms.store.put_state(first, "1/voi", voi(1)) == ""
        assert await rooms.store.put_state(first, "2/voi", voi(1)) == TOO_MUCH

    run(talk, people=2, snapshot_bytes=1000, states=2)


def test_processes_that_take_at_once_have_one_presenter(run: Run) -> None:
    async def talk(rooms: Rooms) -> None:
        badges = [await rooms.enter(number) for number in range(8)]
        for number in range(40):
            takers = badges[number % 5 :]
            await asyncio.gather(*(rooms.store.take(one, True) for one in takers))
            kept = await asyncio.gather(*(rooms.store.put_state(one, "k", voi(number)) for one in badges))
            assert kept.count("") == 1

    run(talk)


def test_what_nobody_remembers_is_told_all_the_same(run: Run) -> None:
    async def talk(rooms: Rooms) -> None:
        await rooms.bus.publish(ROOM, '{"kind":"pointer"}')
        await rooms.heard(lambda: rooms.told == [{"kind": "pointer"}])
        await rooms.bus.unsubscribe(ROOM)

    run(talk)
