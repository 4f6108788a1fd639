"""One connection to the MLLP server: bytes become messages, messages wait for storage, answers go back in order.

A connection only notes times; the server's one timer looks at all of them (`look`).
"""

import asyncio
import socket
from collections import deque
from typing import Protocol, cast

from core.logs import get_logger
from hl7_engine import batch
from hl7_engine.framing import Damage, Deframer, Frame, wrap
from hl7_engine.group_commit import Waiting
from hl7_engine.incoming import Incoming, Receipt

# Enough of a batch for its first segment.
_HEADER_BYTES = 4096
# What a waiting message takes beside its content: many empty ones fill the memory too.
_ITEM_BYTES = 512

_log = get_logger("hl7_engine")


class Limits:
    """How long a peer may take, in seconds, and how much of it may wait."""

    # HIS engines keep connections through quiet nights, and open a new one when it was closed.
    idle = 3600.0
    # One block from its first to its last byte: 32 MB at 3 Mbit/s.
    frame = 90.0
    # From the connection to the end of the TLS handshake.
    handshake = 10.0
    # A block that ends with 0x1C and without 0x0D.
    lone_end = 1.0
    # Until the peer has taken its answers.
    answer = 30.0
    # Messages of one connection, in bytes, that wait for storage before we stop to read it.
    waiting_bytes = 4 * 1024 * 1024


class Hall(Protocol):
    """What a connection needs of its server."""

    max_frame_bytes: int

    def admit(self, connection: "MllpConnection") -> bool:
        """Whether this one may stay."""

    def leave(self, connection: "MllpConnection") -> None:
        """It has ended."""

    def submit(self, waiting: list[Waiting], size: int) -> None:
        """Have messages stored, of so many bytes; their replies come in this thread."""

    def settle(self, size: int) -> None:
        """Of these bytes it is known what became."""

    def is_full(self) -> bool:
        """Whether too much waits for storage, of all connections together."""


class MllpConnection(asyncio.Protocol):
    """Lives in the server's loop; no method may be called from another thread."""

    def __init__(self, hall: Hall, loop: asyncio.AbstractEventLoop, admitted: str = "") -> None:
        """`admitted`: the address of one that the hall has admitted already, before its TLS handshake."""
        self._hall = hall
        self._loop = loop
        self._deframer = Deframer(hall.max_frame_bytes)
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self.address = admitted
        # Sizes of the messages that wait for storage, in their order, which is that of the replies.
        self._sizes: deque[int] = deque()
        self._waiting_bytes = 0
        self._is_held_back = False
        self._is_at_end = False
        self._heard_at = self._begun_at = loop.time()
        self._unread_since: float | None = None

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer has connected; with TLS, after the handshake."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        if peer is None:
            # It is gone already.
            self._transport.abort()
            return
        if not self.address:
            self.address = peer[0]
            if not self._hall.admit(self):
                self._transport.close()
                return
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def data_received(self, data: bytes) -> None:
        """Bytes came, cut anywhere."""
        now = self._heard_at = self._loop.time()
        was_inside = self._deframer.is_inside
        frames = self._deframer.feed(data)
        if frames or not was_inside:
            self._begun_at = now
        for frame in frames:
            self._take(frame)
        if self._must_hold_back():
            self._is_held_back = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """The peer sends no more, but may still want its answers."""
        self._is_at_end = True
        for frame in self._deframer.flush():
            self._take(frame)
        if self._deframer.is_inside:
            _log.info("connection_closed", peer=self.address, why="it ended inside a message")
        # TLS has no half-closed connections.
        return bool(self._sizes) and self._transport.get_extra_info("ssl_object") is None

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed, by whomever."""
        if exc is not None:
            _log.info("connection_closed", peer=self.address, why=str(exc) or type(exc).__name__)
        self._hall.leave(self)

    def pause_writing(self) -> None:
        """The peer does not read its answers: it gets no more of them by sending more messages."""
        self._unread_since = self._loop.time()
        if not self._is_held_back:
            self._is_held_back = True
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It has read them."""
        self._unread_since = None
        self.go_on()

    # What the server calls.

    @property
    def unfinished_bytes(self) -> int:
        """Memory held by a message that has not ended."""
        return self._deframer.unfinished_bytes

    def look(self, now: float) -> str:
        """Take a lone end for an end; return why the peer must go, or nothing."""
        if self._unread_since is not None:
            return "its answers are not read" if now - self._unread_since > Limits.answer else ""
        if self._is_held_back:
            return ""
        if self._deframer.has_lone_end and now - self._heard_at > Limits.lone_end:
            for frame in self._deframer.flush():
                self._take(frame)
        elif self._deframer.is_inside and now - self._begun_at > Limits.frame:
            return "a message without end"
        elif not self._sizes and now - self._heard_at > Limits.idle:
            return "idle"
        return ""

    def go_on(self) -> None:
        """Read again, if nothing speaks against it any more."""
        if not self._is_held_back or self._must_hold_back() or self._transport.is_closing():
            return
        self._is_held_back = False
        # The peer is not to blame for the time that we did not read.
        self._heard_at = self._begun_at = self._loop.time()
        self._transport.resume_reading()

    def stop_reading(self) -> None:
        """Take no more; what was taken is still answered."""
        self._is_at_end = self._is_held_back = True
        if not self._transport.is_closing():
            self._transport.pause_reading()
            self._close_when_done()

    def close(self, why: str) -> None:
        """Turn the peer away."""
        _log.info("connection_closed", peer=self.address, why=why)
        self._transport.abort()

    def _must_hold_back(self) -> bool:
        return (
            self._is_at_end
            or self._unread_since is not None
            or self._waiting_bytes > Limits.waiting_bytes
            or self._hall.is_full()
        )

    def _take(self, frame: Frame) -> None:
        content = frame.content
        if frame.damage is None and not content.startswith(b"MSH") and batch.is_batch(content):
            self._take_batch(content)
        else:
            self._submit([Waiting(Incoming(content, self.address, damage=frame.damage), self._reply)])

    def _take_batch(self, content: bytes) -> None:
        if batch.holds_too_many(content):
            refused = Incoming(content, self.address, damage=Damage.TOO_MANY)
            self._submit([Waiting(refused, self._reply)])
            return
        parts = batch.split(content)
        answers = _BatchAnswer(self, content[:_HEADER_BYTES], len(parts))
        self._submit([Waiting(Incoming(part, self.address), answers.reply) for part in parts])

    def _submit(self, waiting: list[Waiting]) -> None:
        sizes = [_ITEM_BYTES + len(item.content) for item, _ in waiting]
        size = sum(sizes)
        self._sizes += sizes
        self._waiting_bytes += size
        self._hall.submit(waiting, size)

    def _reply(self, receipt: Receipt) -> None:
        self.settled()
        self.answer(receipt.answer)

    def settled(self) -> None:
        """What became of the first of the waiting messages is known."""
        size = self._sizes.popleft()
        self._waiting_bytes -= size
        self._hall.settle(size)

    def answer(self, content: bytes) -> None:
        """Send one answer; an empty one is none."""
        if content and not self._transport.is_closing():
            self._transport.write(wrap(content))
        self.go_on()
        self._close_when_done()

    def _close_when_done(self) -> None:
        if self._is_at_end and not self._sizes:
            self._transport.close()


class _BatchAnswer:
    """Collects the acknowledgements of one batch; the last one sends them."""

    def __init__(self, connection: MllpConnection, header: bytes, missing: int) -> None:
        self._connection = connection
        self._header = header
        self._missing = missing
        self._answers: list[bytes] = []

    def reply(self, receipt: Receipt) -> None:
        """The next of its messages is answered."""
        self._missing -= 1
        if receipt.answer:
            self._answers.append(receipt.answer)
        self._connection.settled()
        if not self._missing:
            content = batch.reply(self._header, self._answers) if self._answers else b""
            self._connection.answer(content)
