"""Rooms in Redis: any number of live processes share them. Each step is one run of `room_script`."""

import asyncio
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from api.live.limits import Limits
from api.live.messages import write_json
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
from api.live.stores.room_script import SCRIPT
from core import logs
from core.errors import Unavailable

PREFIX = "cloudfilm:live"
# How long a lost connection to Redis is left alone before the next try.
PAUSE_SECONDS = 0.5
LISTEN_SECONDS = 1.0
SUBSCRIBE_SECONDS = 5.0

_PARTS = ("meta", "people", "badges", "seen", "gone", "states", "seqs")
_WHY = {
    "": "",
    "not presenter": NOT_PRESENTER,
    "too much": TOO_MUCH,
    "not here": NOT_HERE,
    "is presenting": IS_PRESENTING,
}

_log = logs.get_logger("live")


class RedisBus:
    """One subscription of this process, with a channel for each of its rooms. Comes back by itself after an outage:

    what was missed meanwhile shows by the numbers of what comes later.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._listeners: dict[str, Listener] = {}
        self._subscribed: dict[str, asyncio.Event] = {}
        self._pubsub: PubSub | None = None
        self._reader: asyncio.Task[None] | None = None

    async def publish(self, room: int, text: str) -> None:
        """See `RoomBus`."""
        with _unavailable():
            await self._client.publish(channel_of(room), text)

    async def subscribe(self, room: int, listener: Listener) -> None:
        """See `RoomBus`."""
        channel = channel_of(room)
        self._listeners[channel] = listener
        confirmed = self._subscribed[channel] = asyncio.Event()
        with _unavailable():
            self._pubsub = self._pubsub or self._client.pubsub()
            await self._pubsub.subscribe(channel)
        if self._reader is None:
            self._reader = asyncio.create_task(self._read(self._pubsub))
        try:
            await asyncio.wait_for(confirmed.wait(), SUBSCRIBE_SECONDS)
        except TimeoutError:
            raise Unavailable("Redis does not answer: is it running at CLOUDFILM_REDIS_URL?") from None

    async def unsubscribe(self, room: int) -> None:
        """See `RoomBus`."""
        self._listeners.pop(channel_of(room), None)
        if self._pubsub:
            with _unavailable():
                await self._pubsub.unsubscribe(channel_of(room))

    async def close(self) -> None:
        """End the subscription."""
        if self._reader:
            self._reader.cancel()
        if self._pubsub:
            await self._pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _read(self, pubsub: PubSub) -> None:
        while True:
            try:
                heard = await pubsub.get_message(timeout=LISTEN_SECONDS)
            except RedisError as error:
                _log.warning("redis is away", error=type(error).__name__)
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if heard:
                self._handle(heard)

    def _handle(self, heard: dict[str, Any]) -> None:
        channel = heard["channel"].decode()
        if heard["type"] == "subscribe" and channel in self._subscribed:
            self._subscribed[channel].set()
        listener = self._listeners.get(channel)
        if heard["type"] == "message" and listener:
            listener(heard["data"].decode())


class RedisStore:
    """See `RoomStore`."""

    def __init__(self, client: Redis, bus: RedisBus, limits: Limits) -> None:
        self._client = client
        self._bus = bus
        self._limits = limits
        self._script = client.register_script(SCRIPT)

    async def enter(self, room: int, newcomer: Newcomer) -> Entry | None:
        """See `RoomStore`."""
        fields = write_json({"name": newcomer.name, "staff": newcomer.is_staff})[1:-1]
        found = await self._run(
            room,
            "enter",
            newcomer.session,
            newcomer.connection,
            fields,
            newcomer.again,
            newcomer.epoch,
            self._limits.people,
            secrets.token_hex(8),
        )
        return Entry(found[5].decode(), _view(found)) if found else None

    async def view(self, room: int) -> RoomView:
        """See `RoomStore`."""
        return _view(await self._run(room, "view"))

    async def beat(self, badge: Badge) -> int | None:
        """See `RoomStore`."""
        seq = int(await self._step(badge, "beat"))
        return seq if seq >= 0 else None

    async def lost(self, badge: Badge) -> None:
        """See `RoomStore`."""
        await self._step(badge, "lost")

    async def leave(self, badge: Badge) -> None:
        """See `RoomStore`."""
        await self._step(badge, "leave")

    async def put_state(self, badge: Badge, key: str, body: dict[str, Any]) -> str:
        """See `RoomStore`."""
        text = write_json(body)[1:-1]
        limits = self._limits
        return _WHY[
            (await self._step(badge, "state", key, text, limits.snapshot_bytes, limits.states)).decode()
        ]

    async def give(self, badge: Badge, to: str) -> str:
        """See `RoomStore`."""
        return _WHY[(await self._step(badge, "give", to)).decode()]

    async def take(self, badge: Badge, is_staff: bool) -> str:
        """See `RoomStore`."""
        return _WHY[(await self._step(badge, "take", int(is_staff))).decode()]

    async def close(self) -> None:
        """See `RoomStore`."""
        await self._bus.close()
        await self._client.aclose()

    async def _step(self, badge: Badge, step: str, *more: str | int) -> Any:
        return await self._run(badge.room, step, badge.person, badge.connection, *more)

    async def _run(self, room: int, step: str, *more: str | int) -> Any:
        keys = [f"{PREFIX}:{{{room}}}:{part}" for part in _PARTS]
        gone, vanish = (int(s * 1000) for s in (self._limits.gone_seconds, self._limits.vanish_seconds))
        with _unavailable():
            return await self._script(
                keys=keys, args=[step, channel_of(room), ROOM_SECONDS, gone, vanish, *more]
            )


def channel_of(room: int) -> str:
    """Where everything of a room is told."""
    return f"{PREFIX}:{room}"


def _view(found: list[Any]) -> RoomView:
    epoch, seq, presenter, people, states = found[:5]
    told = sorted(json.loads(states), key=lambda state: int(state["seq"]))
    return RoomView(epoch.decode(), seq, presenter.decode(), json.loads(people), told)


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise Unavailable(f"Redis is away ({type(error).__name__}): see CLOUDFILM_REDIS_URL") from error
