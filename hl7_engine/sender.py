"""The port through which messages leave, and its adapters: MLLP, and memory for tests."""

import socket
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


class Sender(Protocol):
    """Where one peer's messages go."""

    def send(self, raw: bytes) -> AckResult:
        """Deliver and wait for the answer, whatever it says. Raises `Unavailable` when none came."""


class MllpSender:
    """One connection per message: payments are rare, and a fresh connection cannot be a dead one."""

    def __init__(self, address: tuple[str, int], timeout: float) -> None:
        """`timeout` in seconds, for connecting, sending and waiting for the answer together."""
        self._address = address
        self._timeout = timeout

    def send(self, raw: bytes) -> AckResult:
        """Deliver and wait for the answer to this very message (MSA-2 = its MSH-10).

        Raises `Unavailable` when the peer is away, silent, or answers something else.
        """
        where = f"{self._address[0]}:{self._address[1]}"
        deadline = time.monotonic() + self._timeout
        try:
            with socket.create_connection(self._address, timeout=self._timeout) as connection:
                connection.sendall(wrap(raw))
                frame = _read_frame(connection, deadline)
        except TimeoutError:
            raise Unavailable(f"HL7 peer {where} did not acknowledge within {self._timeout} s") from None
        except OSError as error:
            raise Unavailable(f"HL7 peer {where}: {error.strerror or error}") from error
        return _matching(frame, raw, where)


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


def _read_frame(connection: socket.socket, deadline: float) -> Frame:
    deframer = Deframer(MAX_ACK_BYTES)
    while True:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        connection.settimeout(remaining)
        data = connection.recv(_READ_BYTES)
        frames = deframer.feed(data) if data else deframer.flush()
        if frames:
            return frames[0]
        if not data:
            raise ConnectionError("the connection was closed before the acknowledgement")


def _matching(frame: Frame, raw: bytes, where: str) -> AckResult:
    try:
        result = acknowledge.parse(frame.content)
    except Unreadable as error:
        raise Unavailable(f"HL7 peer {where} answered no acknowledgement: {error}") from error
    if result.control_id != control_id_of(raw):
        raise Unavailable(f"HL7 peer {where} acknowledged another message: MSA-2 is not our MSH-10")
    return result
