"""Rooms of one process, in its memory: for installations without Redis."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from api.live.limits import Limits
from api.live.messages import write, write_json
from api.live.ports import (
    IS_PRESENTING,
    NOT_HERE,
    NOT_PRESENTER,
    ROOM_SECONDS,
    TOO_MUCH,
    Badge,
    Entry,
    Listener,
    Newcomer,
    RoomView,
)


@dataclass
class _Person:
    session: int
    connection: str
    name: str
    is_staff: bool
    seen: float
    is_here: bool = True


@dataclass
class _Room:
    epoch: str = field(default_factory=lambda: secrets.token_hex(8))
    seq: int = 0
    ids: int = 0
    presenter: str = ""
    people: dict[str, _Person] = field(default_factory=dict)
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    seen: float = 0.0


class MemoryBus:
    """Tells at once."""

    def __init__(self) -> None:
        self._listeners: dict[int, Listener] = {}

    async def publish(self, room: int, text: str) -> None:
        """See `RoomBus`."""
        self.tell(room, text)

    async def subscribe(self, room: int, listener: Listener) -> None:
        """See `RoomBus`."""
        self._listeners[room] = listener

    async def unsubscribe(self, room: int) -> None:
        """See `RoomBus`."""
        self._listeners.pop(room, None)

    def tell(self, room: int, text: str) -> None:
        """Publish within a step."""
        if listener := self._listeners.get(room):
            listener(text)


class MemoryStore:
    """See `RoomStore`. No step awaits, so none comes between another's."""

    def __init__(self, bus: MemoryBus, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._bus = bus
        self._limits = limits
        self._clock = clock
        self._rooms: dict[int, _Room] = {}

    async def enter(self, room: int, newcomer: Newcomer) -> Entry | None:
        """See `RoomStore`."""
        self._forget_old_rooms()
        found = self._rooms.setdefault(room, _Room(seen=self._clock()))
        self._sweep(room, found)
        old = found.people.get(newcomer.again)
        if old and old.session == newcomer.session and newcomer.epoch == found.epoch:
            person = newcomer.again
        elif len(found.people) >= self._limits.people:
            return None
        else:
            found.ids += 1
            person = f"p{found.ids}"
        found.people[person] = _Person(
            newcomer.session, newcomer.connection, newcomer.name, newcomer.is_staff, self._clock()
        )
        self._bus.tell(room, write("replaced", id=person, connection=newcomer.connection))
        self._tell_people(room, found)
        if len(found.people) == 1 and not found.presenter:
            self._present(room, found, person)
        return Entry(person, self._view(found))

    async def view(self, room: int) -> RoomView:
        """See `RoomStore`."""
        return self._view(self._rooms.get(room) or _Room())

    async def beat(self, badge: Badge) -> int | None:
        """See `RoomStore`."""
        found, person = self._of(badge)
        if not found or not person:
            return None
        person.seen = found.seen = self._clock()
        self._sweep(badge.room, found)
        return found.seq

    async def lost(self, badge: Badge) -> None:
        """See `RoomStore`."""
        found, person = self._of(badge)
        if found and person:
            person.is_here, person.seen = False, self._clock()
            self._tell_people(badge.room, found)

    async def leave(self, badge: Badge) -> None:
        """See `RoomStore`."""
        found, person = self._of(badge)
        if found and person:
            self._remove(badge.room, found, [badge.person])

    async def put_state(self, badge: Badge, key: str, body: dict[str, Any]) -> str:
        """See `RoomStore`."""
        found, person = self._of(badge)
        if not found or not person or found.presenter != badge.person:
            return NOT_PRESENTER
        size = len(write_json(body).encode())
        rest = sum(found.sizes.values()) - found.sizes.get(key, 0)
        if rest + size > self._limits.snapshot_bytes or len(found.sizes | {key: 0}) > self._limits.states:
            return TOO_MUCH
        found.seq += 1
        found.sizes[key] = size
        found.states[key] = {"seq": found.seq, "from": badge.person, **body}
        self._bus.tell(badge.room, write("state", **found.states[key]))
        return ""

    async def give(self, badge: Badge, to: str) -> str:
        """See `RoomStore`."""
        found, person = self._of(badge)
        if not found or not person or found.presenter != badge.person:
            return NOT_PRESENTER
        if to not in found.people or not found.people[to].is_here:
            return NOT_HERE
        self._present(badge.room, found, to)
        return ""

    async def take(self, badge: Badge, is_staff: bool) -> str:
        """See `RoomStore`."""
        found, person = self._of(badge)
        if not found or not person:
            return NOT_HERE
        holder = found.people.get(found.presenter)
        has_vanished = holder is None or holder.seen <= self._clock() - self._limits.vanish_seconds
        if not (is_staff or has_vanished or holder is person):
            return IS_PRESENTING
        self._present(badge.room, found, badge.person)
        return ""

    async def close(self) -> None:
        """See `RoomStore`."""
        self._rooms.clear()

    def _of(self, badge: Badge) -> tuple[_Room | None, _Person | None]:
        found = self._rooms.get(badge.room)
        person = found.people.get(badge.person) if found else None
        return found, person if person and person.connection == badge.connection else None

    def _sweep(self, room: int, found: _Room) -> None:
        limit = self._clock() - self._limits.gone_seconds
        if gone := [name for name, person in found.people.items() if person.seen <= limit]:
            self._remove(room, found, gone)

    def _remove(self, room: int, found: _Room, persons: list[str]) -> None:
        for person in persons:
            del found.people[person]
        self._tell_people(room, found)
        if found.presenter in persons:
            self._present(room, found, "")

    def _present(self, room: int, found: _Room, person: str) -> None:
        found.presenter = person
        found.seq += 1
        self._bus.tell(room, write("presenter", seq=found.seq, presenter=person))

    def _tell_people(self, room: int, found: _Room) -> None:
        found.seq += 1
        self._bus.tell(room, write("people", seq=found.seq, people=_told(found.people)))

    def _forget_old_rooms(self) -> None:
        """An empty room is remembered as long as a database row keeps it open; then nobody can enter it."""
        limit = self._clock() - ROOM_SECONDS
        for room in [room for room, found in self._rooms.items() if found.seen < limit]:
            del self._rooms[room]

    def _view(self, found: _Room) -> RoomView:
        states = sorted(found.states.values(), key=lambda state: int(state["seq"]))
        return RoomView(found.epoch, found.seq, found.presenter, _told(found.people), states)


def _told(people: dict[str, _Person]) -> list[dict[str, Any]]:
    return [
        {"id": person, "name": one.name, "staff": one.is_staff, "here": one.is_here}
        for person, one in people.items()
    ]
