"""What a room remembers, and how processes hear of it. `stores/` keeps it in memory (one process) or in Redis (several).

Every lasting change (state, people, presenter) has the room's next `seq` and is announced on the bus in that order. So who
has heard 1 … n and then n + 2 knows that he missed one, and reads the room again. An `epoch` is the life of a room's memory:
when a store has lost it, numbers start anew under another epoch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

Listener = Callable[[str], None]


@dataclass(frozen=True)
class Badge:
    """Which person of a room, and by which of his connections: a later one takes the place of an earlier."""

    room: int
    person: str
    connection: str


@dataclass(frozen=True)
class Newcomer:
    """Who enters. `again` and `epoch`: the person that he was before he was cut off, in the same session."""

    session: int
    connection: str
    name: str
    is_staff: bool
    again: str = ""
    epoch: str = ""


@dataclass(frozen=True)
class RoomView:
    """All of a room. `people`: {id, name, staff, here}; `states`: {seq, from, cell, part, data}, in order of `seq`."""

    epoch: str
    seq: int
    presenter: str
    people: list[dict[str, Any]]
    states: list[dict[str, Any]]


@dataclass(frozen=True)
class Entry:
    """Who the newcomer is now, and what he finds."""

    person: str
    view: RoomView


class RoomBus(Protocol):
    """Brings what is told in a room to every process that listens to it."""

    async def publish(self, room: int, text: str) -> None:
        """Tell something that nobody needs to remember. Raises `Unavailable`."""

    async def subscribe(self, room: int, listener: Listener) -> None:
        """Hear everything told from now on: when this returns, nothing later is missed. Raises `Unavailable`."""

    async def unsubscribe(self, room: int) -> None:
        """Hear no more of it."""


class RoomStore(Protocol):
    """The memory of rooms. Each call is one step that no other call comes between. All raise `Unavailable`."""

    async def enter(self, room: int, newcomer: Newcomer) -> Entry | None:
        """Let somebody in; None when the room is full. Who enters an empty room presents."""

    async def view(self, room: int) -> RoomView:
        """Everything."""

    async def beat(self, badge: Badge) -> int | None:
        """Still here. Returns the room's `seq`; None for who is not, or no longer by this connection."""

    async def lost(self, badge: Badge) -> None:
        """His connection broke: he may come back, and presents until somebody takes his place."""

    async def leave(self, badge: Badge) -> None:
        """He left; nobody presents if he did."""

    async def put_state(self, badge: Badge, key: str, body: dict[str, Any]) -> str:
        """Keep and announce the presenter's state (`cell`, `part`, `data`); return why not, or "" """

    async def give(self, badge: Badge, to: str) -> str:
        """The presenter makes somebody else the presenter; return why not, or "" """

    async def take(self, badge: Badge, is_staff: bool) -> str:
        """Present, if nobody does, or he who does has vanished, or by the right of staff; return why not, or "" """

    async def close(self) -> None:
        """Let connections go."""


# An empty room is kept open half an hour (access.live_rooms.IDLE); its memory a little longer.
ROOM_SECONDS = 3600

NOT_PRESENTER = "只有主持人可以操作"
TOO_MUCH = "共享的内容太多，请删减标注"
NOT_HERE = "对方已经离开"
IS_PRESENTING = "主持人还在，请先申请"
