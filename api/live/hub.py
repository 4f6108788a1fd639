"""The visits of this process, by room: what is told in a room goes to each of them.

By the numbers of lasting changes it sees when one was missed (Redis was away for a moment), and reads the room again.
"""

import asyncio
import json
from typing import Any, Protocol

from api.live import messages
from api.live.ports import Badge, Entry, Newcomer, RoomBus, RoomStore, RoomView
from core import logs
from core.errors import Unavailable

_log = logs.get_logger("live")


class Guest(Protocol):
    """A visit, as the hub sees it."""

    badge: Badge | None

    def tell(self, key: str, text: str) -> None:
        """Send this, in the place of an older one of the key that still waits."""

    def replace(self) -> None:
        """The same person came by another connection: end this one."""


class Hub:
    """One for each process."""

    def __init__(self, store: RoomStore, bus: RoomBus) -> None:
        self.store = store
        self.bus = bus
        self._rooms: dict[int, _LocalRoom] = {}

    async def enter(self, room: int, guest: Guest, newcomer: Newcomer) -> Entry | None:
        """Let a guest in; what happens from the returned view on is told to him. None when the room is full."""
        local = self._rooms.setdefault(room, _LocalRoom(room, self.store))
        early = local.hold(guest)
        try:
            async with local.lock:
                if not local.is_subscribed:
                    await self.bus.subscribe(room, local.hear)
                    local.is_subscribed = True
            entry = await self.store.enter(room, newcomer)
        except BaseException:
            await self.leave(room, guest)
            raise
        if entry is None:
            await self.leave(room, guest)
            return None
        local.welcome(entry.view)
        guest.badge = Badge(room, entry.person, newcomer.connection)
        local.let_in(guest, entry.view.seq, early)
        return entry

    async def leave(self, room: int, guest: Guest) -> None:
        """Tell him no more. The last of a room puts out the light."""
        local = self._rooms[room]
        local.forget(guest)
        async with local.lock:
            if local.is_empty and local.is_subscribed:
                local.is_subscribed = False
                await self.bus.unsubscribe(room)
            # Whoever came meanwhile waits for the lock and subscribes anew.
            if local.is_empty and self._rooms.get(room) is local:
                del self._rooms[room]

    def check(self, room: int, seq: int) -> None:
        """The room is at `seq` now: by the next check we must have heard of it."""
        if local := self._rooms.get(room):
            local.check(seq)


class _LocalRoom:
    """What this process knows of one room."""

    def __init__(self, room: int, store: RoomStore) -> None:
        self.lock = asyncio.Lock()
        self.is_subscribed = False
        self._room = room
        self._store = store
        self._guests: set[Guest] = set()
        # Who is entering: what he hears before he knows what he finds.
        self._early: dict[Guest, list[tuple[int, str, str]]] = {}
        self._epoch = ""
        self._seq = 0
        self._due = 0
        self._repair: asyncio.Task[None] | None = None

    @property
    def is_empty(self) -> bool:
        """Nobody of this process is in it."""
        return not self._guests and not self._early

    def hold(self, guest: Guest) -> list[tuple[int, str, str]]:
        """Keep for a guest what is told while he enters."""
        return self._early.setdefault(guest, [])

    def let_in(self, guest: Guest, seq: int, early: list[tuple[int, str, str]]) -> None:
        """Tell him what came after what he found, and from now on everything."""
        del self._early[guest]
        self._guests.add(guest)
        for at, key, text in early:
            if at > seq:
                guest.tell(key, text)

    def forget(self, guest: Guest) -> None:
        """He is gone."""
        self._guests.discard(guest)
        self._early.pop(guest, None)

    def welcome(self, view: RoomView) -> None:
        """Somebody has read the room: the first, or after its memory was lost, we begin where it is."""
        if view.epoch != self._epoch:
            self._epoch, self._seq, self._due = view.epoch, view.seq, 0

    def check(self, seq: int) -> None:
        """See `Hub.check`. What is told and what is asked come by two ways, so one check alone proves nothing."""
        if self._seq < self._due:
            self._reread(self._seq)
        self._due = seq

    def hear(self, text: str) -> None:
        """Hand on what is told in the room."""
        told = json.loads(text)
        if told["kind"] == "replaced":
            self._replace(told["id"], told["connection"])
            return
        seq = told.get("seq")
        if seq is None:  # a pointer, a question: nobody remembers it
            told["seq"] = seq = self._seq
            text = messages.write_json(told)
        elif self._epoch:
            if seq <= self._seq:
                return
            if seq > self._seq + 1:
                self._reread(self._seq)
            self._seq = seq
        self._tell(seq, _key_of(told), text)

    def _tell(self, seq: int, key: str, text: str) -> None:
        for guest in self._guests:
            guest.tell(key, text)
        for early in self._early.values():
            early.append((seq, key, text))

    def _replace(self, person: str, connection: str) -> None:
        for guest in self._guests:
            badge = guest.badge
            if badge and badge.person == person and badge.connection != connection:
                guest.replace()

    def _reread(self, after: int) -> None:
        if self._repair is None or self._repair.done():
            self._repair = asyncio.create_task(self._read_again(after))

    async def _read_again(self, after: int) -> None:
        try:
            view = await self._store.view(self._room)
        except Unavailable as error:
            _log.warning("a room could not be read again", error=str(error))
            return
        if view.epoch != self._epoch:
            return  # its memory was lost: the next beat of each guest finds out
        for state in view.states:
            if state["seq"] > after:
                self._tell(state["seq"], _key_of(state), messages.write("state", **state))
        people = messages.write("people", seq=view.seq, people=view.people)
        self._tell(view.seq, "people", people)
        presenter = messages.write("presenter", seq=view.seq, presenter=view.presenter)
        self._tell(view.seq, "presenter", presenter)
        self._seq = max(self._seq, view.seq)


def _key_of(told: dict[str, Any]) -> str:
    if "part" in told:
        return f"state {told['cell']}/{told['part']}"
    return f"{told['kind']} {told['from']}" if "from" in told else str(told["kind"])
