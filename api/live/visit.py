"""One connection to a room: hello, then both say what they have to say, until one of them ends it.

Four tasks; the first that ends ends the visit: reading, writing, the beat, and the look whether he still may be here.
"""

import asyncio
import secrets
from dataclasses import dataclass
from typing import NoReturn

from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketState

from api.live import messages
from api.live.hub import Hub
from api.live.limits import Bucket, Limits
from api.live.messages import Ask, Bye, Give, Hello, Message, Pointer, State, Take
from api.live.outgoing import Outgoing
from api.live.ports import Badge, Entry, Newcomer
from core import db, logs
from core.clock import now
from core.errors import Refused, Unavailable
from workflow import live_room
from workflow.live_room import Place

# RFC 6455 §7.4.1 and IANA's registry; 4000-4999 are for applications. docs/live.md says which of them a client may try
# again after.
NORMAL = 1000
POLICY_VIOLATION = 1008
TOO_BIG = 1009
RESTART = 1012
TRY_AGAIN_LATER = 1013
REPLACED = 4001
SLOW = 4008
FULL = 4029

# RFC 6455 §5.5: a control frame holds 125 bytes, two of which are the code.
_REASON_BYTES = 123
_GUEST = "访客"

_log = logs.get_logger("live")


@dataclass(eq=False)
class Over(Exception):
    """The visit ends: why, in the code that the client sees."""

    code: int
    why: str = ""


class Visit:
    """Somebody who was let in."""

    def __init__(self, socket: WebSocket, place: Place, hub: Hub, limits: Limits) -> None:
        self.badge: Badge | None = None
        self._socket = socket
        self._place = place
        self._hub = hub
        self._limits = limits
        self._outgoing = Outgoing()
        self._messages = Bucket(limits.messages_per_second)
        self._pointers = Bucket(limits.pointers_per_second)
        self._replaced = asyncio.Event()
        self._is_for_good = False

    def tell(self, key: str, text: str) -> None:
        """See `Guest`."""
        self._outgoing.put(key, text)

    def replace(self) -> None:
        """See `Guest`."""
        self._replaced.set()

    async def run(self) -> None:
        """From hello to the end; returns when the connection is closed."""
        try:
            over = await self._stay()
        except Over as early:
            over = early
        except Unavailable as error:
            _log.warning("a visit ends", error=str(error))
            over = Over(TRY_AGAIN_LATER, "服务暂时不可用")
        finally:
            await self._go()
        await self._close(over)

    async def _stay(self) -> Over:
        hello = await self._hello()
        await self._enter(hello)
        tasks = [
            asyncio.create_task(task())
            for task in (self._read, self._write, self._beat, self._recheck, self._wait_for_another)
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            error = task.exception()
            if isinstance(error, Over):
                return error
            if error is not None:
                raise error
        raise AssertionError("a task of a visit ended without saying why")

    async def _hello(self) -> Hello:
        try:
            async with asyncio.timeout(self._limits.hello_seconds):
                message = messages.parse(await self._receive())
        except (TimeoutError, Refused):
            raise Over(POLICY_VIOLATION, "a visit begins with hello") from None
        if not isinstance(message, Hello):
            raise Over(POLICY_VIOLATION, "a visit begins with hello")
        return message

    async def _enter(self, hello: Hello) -> None:
        place = self._place
        newcomer = Newcomer(
            session=place.visitor.session_id,
            connection=secrets.token_hex(8),
            name=place.staff_name or hello.name or _GUEST,
            is_staff=place.visitor.is_staff,
            again=hello.you,
            epoch=hello.epoch,
        )
        entry = await self._hub.enter(place.room_id, self, newcomer)
        if entry is None:
            raise Over(FULL, "人数已满")
        self._outgoing.put_first("welcome", self._welcome(hello, entry))

    def _welcome(self, hello: Hello, entry: Entry) -> str:
        view = entry.view
        after = hello.seq if hello.epoch == view.epoch else 0
        return messages.write(
            "welcome",
            seq=view.seq,
            epoch=view.epoch,
            you=entry.person,
            owner=self._place.is_owner,
            presenter=view.presenter,
            people=view.people,
            snapshot=[state for state in view.states if state["seq"] > after],
        )

    async def _read(self) -> NoReturn:
        while True:
            try:
                await self._act(messages.parse(await self._receive()))
            except Refused as refusal:
                self._refuse(str(refusal))
            # Not reading is how a sender is slowed down; what it says is not lost.
            await asyncio.sleep(self._messages.take())

    async def _act(self, message: Message) -> None:
        badge = self._require_badge()
        store = self._hub.store
        if isinstance(message, State):
            body = {"cell": message.cell, "part": message.part, "data": message.data}
            self._refuse(await store.put_state(badge, message.key, body))
        elif isinstance(message, Pointer):
            if self._pointers.has_room():
                told = {"from": badge.person, "cell": message.cell, "point": message.point}
                await self._hub.bus.publish(badge.room, messages.write("pointer", **told))
        elif isinstance(message, Ask):
            await self._hub.bus.publish(badge.room, messages.write("ask", **{"from": badge.person}))
        elif isinstance(message, Give):
            self._refuse(await store.give(badge, message.to))
        elif isinstance(message, Take):
            self._refuse(await store.take(badge, self._place.visitor.is_staff))
        elif isinstance(message, Bye):
            self._is_for_good = True
            raise Over(NORMAL)
        else:
            raise Refused("hello was said already")

    def _refuse(self, why: str) -> None:
        if why:
            self.tell(f"refused {why}", messages.write("refused", why=why))

    async def _receive(self) -> str:
        event = await self._socket.receive()
        if event["type"] == "websocket.disconnect":
            raise Over(event.get("code") or NORMAL)
        text: str | None = event.get("text")
        if text is None:
            raise Refused("a message is text")
        if len(text.encode(errors="replace")) > self._limits.message_bytes:
            raise Over(TOO_BIG, f"a message has at most {self._limits.message_bytes} bytes")
        return text

    async def _write(self) -> NoReturn:
        while True:
            text = await self._outgoing.get()
            try:
                async with asyncio.timeout(self._limits.slow_seconds):
                    await self._socket.send_text(text)
            except TimeoutError:
                raise Over(SLOW, "网络太慢") from None
            except Exception as error:  # whatever a server calls it when the other side is gone
                raise Over(NORMAL) from error

    async def _beat(self) -> NoReturn:
        badge = self._require_badge()
        while True:
            await asyncio.sleep(self._limits.beat_seconds)
            seq = await self._hub.store.beat(badge)
            if seq is None:
                raise Over(RESTART, "the room has forgotten you: come in again")
            self._hub.check(badge.room, seq)
            self.tell("alive", messages.write("alive", seq=seq))

    async def _recheck(self) -> NoReturn:
        while True:
            left = (self._place.visitor.expires_at - now()).total_seconds()
            await asyncio.sleep(max(0.0, min(left, self._limits.recheck_seconds)))
            try:
                await run_in_threadpool(_require_still, self._place)
            except Refused as refusal:
                self._is_for_good = True
                raise Over(POLICY_VIOLATION, str(refusal)) from None

    async def _wait_for_another(self) -> NoReturn:
        await self._replaced.wait()
        raise Over(REPLACED, "您已在另一处打开")

    async def _go(self) -> None:
        """Out of the room's memory and onto the record, whatever ended the visit."""
        if badge := self.badge:
            try:
                await self._hub.leave(badge.room, self)
                await (self._hub.store.leave(badge) if self._is_for_good else self._hub.store.lost(badge))
            except Unavailable as error:
                _log.warning("nobody could be told that somebody left", error=str(error))
        await run_in_threadpool(_leave, self._place, address_of(self._socket))

    async def _close(self, over: Over) -> None:
        if self._socket.client_state is WebSocketState.CONNECTED:
            reason = over.why.encode()[:_REASON_BYTES].decode(errors="ignore")
            try:
                await self._socket.close(over.code, reason)
            except Exception:  # it is gone already
                _log.debug("the other side was quicker", actor=self._place.visitor.actor)

    def _require_badge(self) -> Badge:
        if self.badge is None:
            raise Refused("say hello first")
        return self.badge


def address_of(socket: WebSocket) -> str:
    """The caller's address for the access record (F10)."""
    return socket.client.host if socket.client else ""


def _require_still(place: Place) -> None:
    with db.connection():
        live_room.require_still(place)


def _leave(place: Place, address: str) -> None:
    with db.connection():
        live_room.leave(place, address)
