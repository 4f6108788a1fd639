"""The port through which messages leave, and its adapters: MLLP, and memory for tests."""

import socket
import ssl
import threading
import time
from typing import Protocol

from core.errors import Unavailable
from hl7_engine import acknowledge, charset
from hl7_engine.acknowledge import AckResult
from hl7_engine.er7 import Message
from hl7_engine.errors import Unreadable
from hl7_engine.framing import Deframer, Frame, wrap

# An acknowledgement is small; a peer that sends more is none.
MAX_ACK_BYTES = 256 * 1024
_READ_BYTES = 16 * 1024
# Shorter than what firewalls forget connections after.
IDLE_SECONDS = 120.0
# An answer that ends with 0x1C and without 0x0D: nothing more came for so long.
_LONE_END_SECONDS = 0.5

_NEGATIVE = frozenset({"AE", "AR", "CE", "CR"})
_DEAD = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class Sender(Protocol):
    """Where one peer's messages go."""

    def send(self, raw: bytes) -> AckResult:
        """Deliver and wait for the answer, whatever it says. Raises `Unavailable` when none came."""


class MllpSender:
    """One connection to one peer, kept between messages; any number of threads may send, one after the other.

    A connection may have died unseen since the last message. When nothing at all of an answer came on a kept one, the
    message is sent once more on a fresh one, with the same MSH-10: a peer that had got it after all recognises it.
    """

    def __init__(
        self,
        address: tuple[str, int],
        timeout: float,
        tls: ssl.SSLContext | None = None,
        idle: float = IDLE_SECONDS,
    ) -> None:
        """`timeout` in seconds, for connecting, sending and waiting for the answer together; `idle` until it is closed."""
        self._address = address
        self._where = f"{address[0]}:{address[1]}"
        self._timeout = timeout
        self._tls = tls
        self._idle = idle
        self._lock = threading.Lock()
        self._line: _Line | None = None
        self._used_at = 0.0
        self._closing: threading.Timer | None = None

    def send(self, raw: bytes) -> AckResult:
        """Deliver and wait for the answer to this very message (MSA-2 = its MSH-10).

        Raises `Unavailable` when the peer is away, silent, or answers something else.
        """
        control_id = control_id_of(raw)
        with self._lock:
            try:
                answer = self._deliver(raw, control_id)
            except TimeoutError:
                self._hang_up()
                raise Unavailable(
                    f"HL7 peer {self._where} did not acknowledge within {self._timeout} s"
                ) from None
            except OSError as error:
                self._hang_up()
                raise Unavailable(f"HL7 peer {self._where}: {error.strerror or error}") from error
            except Unavailable:
                self._hang_up()
                raise
            self._keep()
        return answer

    def close(self) -> None:
        """Hang up. The next message connects anew."""
        with self._lock:
            self._hang_up()

    def _deliver(self, raw: bytes, control_id: str) -> AckResult:
        deadline = time.monotonic() + self._timeout
        kept = self._line
        if kept is not None and kept.is_alive():
            try:
                return kept.converse(raw, control_id, deadline)
            except _DEAD:
                if kept.has_heard:
                    raise
        self._hang_up()
        self._line = _Line(self._address, deadline, self._tls)
        return self._line.converse(raw, control_id, deadline)

    def _keep(self) -> None:
        self._used_at = time.monotonic()
        if self._closing is None:
            self._close_later(self._idle)

    def _close_later(self, seconds: float) -> None:
        self._closing = threading.Timer(seconds, self._close_if_idle)
        self._closing.name = "hl7-sender-idle"
        self._closing.daemon = True
        self._closing.start()

    def _close_if_idle(self) -> None:
        with self._lock:
            if self._closing is not threading.current_thread():
                # Cancelled while it waited for the lock.
                return
            self._closing = None
            remaining = self._used_at + self._idle - time.monotonic()
            if self._line is None:
                return
            if remaining > 0:
                self._close_later(remaining)
            else:
                self._hang_up()

    def _hang_up(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        if self._line is not None:
            self._line.close()
            self._line = None


class _Line:
    """One connection. A peer may answer late, or twice: what belongs to earlier messages is passed over."""

    def __init__(self, address: tuple[str, int], deadline: float, tls: ssl.SSLContext | None) -> None:
        self._where = f"{address[0]}:{address[1]}"
        self._deframer = Deframer(MAX_ACK_BYTES)
        # Whether anything of an answer came since the message was sent.
        self.has_heard = False
        # How many messages went over it.
        self._sent = 0
        self._socket = socket.create_connection(address, timeout=_remaining(deadline))
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                self._socket = tls.wrap_socket(self._socket, server_hostname=address[0])
        except OSError:
            self._socket.close()
            raise

    def is_alive(self) -> bool:
        """Whether the peer has not closed it; what came in the meantime is dropped."""
        try:
            self._socket.setblocking(False)
            while self._socket.recv(_READ_BYTES):
                pass
        except (BlockingIOError, ssl.SSLWantReadError):
            self._deframer = Deframer(MAX_ACK_BYTES)
            return True
        except OSError:
            return False
        return False

    def converse(self, raw: bytes, control_id: str, deadline: float) -> AckResult:
        """Send and read until the answer to this message. Raises OSError, TimeoutError, `Unavailable`."""
        self.has_heard = False
        self._sent += 1
        self._socket.settimeout(_remaining(deadline))
        self._socket.sendall(wrap(raw))
        others = 0
        try:
            while True:
                frames = self._read(deadline)
                is_alone = not others and len(frames) == 1
                for frame in frames:
                    result = self._parse(frame)
                    if result.control_id == control_id or (is_alone and self._is_of_the_only_one(result)):
                        return result
                    others += 1
        except (TimeoutError, *_DEAD) as error:
            if others:
                raise Unavailable(
                    f"HL7 peer {self._where} acknowledged another message: MSA-2 is not our MSH-10"
                ) from error
            raise

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def _is_of_the_only_one(self, result: AckResult) -> bool:
        """Whether it refuses, without naming it, the one message that went over this connection.

        So does a peer that cannot read our header. Were it no answer, the message would be sent again for ever. After an
        earlier message it may be a second answer to that one; then the next attempt, on a fresh connection, will tell.
        """
        return self._sent == 1 and not result.control_id and result.code in _NEGATIVE

    def _read(self, deadline: float) -> list[Frame]:
        may_be_whole = self._deframer.has_lone_end
        seconds = _remaining(deadline)
        self._socket.settimeout(min(seconds, _LONE_END_SECONDS) if may_be_whole else seconds)
        try:
            data = self._socket.recv(_READ_BYTES)
        except TimeoutError:
            if may_be_whole:
                return self._deframer.flush()
            raise
        if data:
            self.has_heard = True
            return self._deframer.feed(data)
        frames = self._deframer.flush()
        if not frames:
            raise ConnectionError("the connection was closed before the acknowledgement")
        return frames

    def _parse(self, frame: Frame) -> AckResult:
        try:
            return acknowledge.parse(frame.content)
        except Unreadable as error:
            raise Unavailable(f"HL7 peer {self._where} answered no acknowledgement: {error}") from error


class MemorySender:
    """Remembers what was sent and answers as told; AA unless `answers` holds codes."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.answers: list[str] = []

    def send(self, raw: bytes) -> AckResult:
        """Keep the message."""
        self.sent.append(raw)
        code = self.answers.pop(0) if self.answers else acknowledge.ACCEPTED
        return AckResult(code, control_id_of(raw))


def control_id_of(raw: bytes) -> str:
    """MSH-10 of one of our own messages."""
    return Message.parse(charset.decode(raw).text).get("MSH-10")


def _remaining(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds
