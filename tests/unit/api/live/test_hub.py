"""What goes to whom in one process, also when the bus has lost something; and what waits for a slow client."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api.live.hub import Hub
from api.live.limits import Bucket, Limits
from api.live.outgoing import Outgoing
from api.live.ports import Badge, Entry, Newcomer
from api.live.stores.memory import MemoryBus, MemoryStore
from tests.fixtures.live_people import until

pytestmark = pytest.mark.requirement("K4")

ROOM = 3
BODY = {"cell": 0, "part": "voi"}


class Ear:
    """A guest who writes down what he is told."""

    def __init__(self) -> None:
        self.badge: Badge | None = None
        self.told: dict[str, Any] = {}
        self.is_replaced = False

    def tell(self, key: str, text: str) -> None:
        self.told[key] = json.loads(text)

    def replace(self) -> None:
        self.is_replaced = True


class LossyBus(MemoryBus):
    """Loses what it is told to lose."""

    def __init__(self) -> None:
        super().__init__()
        self.loses = False

    def tell(self, room: int, text: str) -> None:
        if not self.loses:
            super().tell(room, text)


class Room:
    """A hub over a memory that others change behind its back."""

    def __init__(self) -> None:
        self.bus = LossyBus()
        self.store = MemoryStore(self.bus, Limits())
        self.hub = Hub(self.store, self.bus)

    async def enter(self, ear: Ear, session: int = 1, connection: str = "c1", **more: str) -> Entry:
        entry = await self.hub.enter(ROOM, ear, Newcomer(session, connection, "甲", False, **more))
        assert entry
        return entry

    async def show(self, ear: Ear, number: int, cell: int = 0) -> None:
        assert ear.badge
        body = {**BODY, "cell": cell, "data": number}
        assert await self.store.put_state(ear.badge, f"{cell}/voi", body) == ""


def run(talk: Callable[[Room], Awaitable[None]]) -> None:
    async def told() -> None:
        await asyncio.wait_for(talk(Room()), 20)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(told())).result()


def test_what_was_lost_shows_by_the_next_number() -> None:
    async def talk(room: Room) -> None:
        ear = Ear()
        await room.enter(ear)
        room.bus.loses = True
        await room.show(ear, 1, cell=1)
        await room.show(ear, 2, cell=2)
        room.bus.loses = False
        await room.show(ear, 3, cell=3)
        await until(lambda: len([key for key in ear.told if key.startswith("state")]) == 3, "all three")
        assert {told["data"] for key, told in ear.told.items() if key.startswith("state")} == {1, 2, 3}

    run(talk)


def test_what_was_lost_shows_by_the_beat_when_nothing_follows() -> None:
    async def talk(room: Room) -> None:
        ear = Ear()
        await room.enter(ear)
        room.bus.loses = True
        await room.show(ear, 1)
        assert ear.badge
        for _ in range(2):
            seq = await room.store.beat(ear.badge)
            assert seq
            room.hub.check(ROOM, seq)
        await until(lambda: ear.told.get("state 0/voi", {}).get("data") == 1, "the lost state")

    run(talk)


def test_passing_things_get_the_number_of_now_and_leave_no_gap() -> None:
    async def talk(room: Room) -> None:
        ear = Ear()
        entry = await room.enter(ear)
        await room.bus.publish(ROOM, '{"v":1,"kind":"pointer","from":"p1","cell":0,"point":null}')
        assert ear.told["pointer p1"]["seq"] == entry.view.seq

    run(talk)


def test_who_comes_again_ends_his_earlier_visit_only() -> None:
    async def talk(room: Room) -> None:
        first, other, again = Ear(), Ear(), Ear()
        entry = await room.enter(first, 1, "c1")
        await room.enter(other, 1, "c2")
        await room.enter(again, 1, "c3", again=entry.person, epoch=entry.view.epoch)
        assert [ear.is_replaced for ear in (first, other, again)] == [True, False, False]

    run(talk)


def test_last_one_out_hears_no_more_and_the_next_one_hears_again() -> None:
    async def talk(room: Room) -> None:
        first, second = Ear(), Ear()
        await room.enter(first)
        await room.hub.leave(ROOM, first)
        await room.show(first, 1)
        assert "state 0/voi" not in first.told
        entry = await room.enter(second, 2, "c2")
        assert [state["data"] for state in entry.view.states] == [1]
        await room.show(first, 2)
        assert second.told["state 0/voi"]["data"] == 2

    run(talk)


def test_slow_client_costs_one_text_for_each_key() -> None:
    outgoing = Outgoing()
    for number in range(10_000):
        outgoing.put(f"state {number % 3}", str(number))
    outgoing.put_first("welcome", "first")
    assert len(outgoing) == 4

    async def talk(_room: Room) -> None:
        assert [await outgoing.get() for _ in range(4)] == ["first", "9997", "9998", "9999"]
        assert len(outgoing) == 0

    run(talk)


def test_bucket_gives_a_second_at_once_and_then_so_many_a_second() -> None:
    at = 0.0
    bucket = Bucket(10, lambda: at)
    assert [bucket.take() for _ in range(10)] == [0.0] * 10
    assert bucket.take() == pytest.approx(0.1)
    assert not bucket.has_room()
    at = 1.0
    assert [bucket.has_room() for _ in range(10)].count(True) == 9
