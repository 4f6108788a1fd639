"""Loopback HIS: sends its messages by MLLP until they are acknowledged, books the payments that it is told of, and notes
what else it hears (simulators/his_incoming.py).

Like a real HIS it knows a message by its control id and a payment by its fee line: the first again is acknowledged
again, a second message for a paid line is refused. What it has booked it remembers over a SIGKILL.
"""

import ipaddress
import socket
import socketserver
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hl7apy.exceptions import HL7apyException

from simulators import his_incoming
from simulators.statefiles import Journal

PATIENCE_SECONDS = 60.0
_ANSWER_SECONDS = 30.0
_BETWEEN_TRIES_SECONDS = 0.1
_END = b"\x1c\r"


class NotAcknowledged(Exception):
    """The platform did not answer for as long as the HIS was willing to resend."""


@dataclass(frozen=True)
class Ack:
    """The platform's answer: MSA-1, MSA-2, and ERR-8 if there is one."""

    code: str
    control_id: str
    text: str = ""


class HisSimulator:
    """One HIS (and RIS). `platform` is where it sends; it listens itself during the `with` block only."""

    def __init__(
        self, state_dir: Path, platform: tuple[str, int], host: str = "127.0.0.1", port: int = 0
    ) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"a simulator has no real guard and listens on loopback only, not on {host}")
        self._platform = platform
        self._booked = Journal(state_dir / "his-payments.jsonl")
        self._heard = Journal(state_dir / "his-notices.jsonl")
        self._booking = threading.Lock()
        self._connection: socket.socket | None = None
        self._sending = threading.Lock()
        self.host = host
        self.port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def send(self, raw: bytes, patience: float = PATIENCE_SECONDS) -> Ack:
        """Send one message, again and again over new connections until it is answered.

        Raises `NotAcknowledged` after `patience` seconds.
        """
        deadline = time.monotonic() + patience
        with self._sending:
            while True:
                try:
                    return self._send_once(raw)
                except OSError as error:
                    self._disconnect()
                    if time.monotonic() > deadline:
                        raise NotAcknowledged(f"no acknowledgement in {patience} s: {error}") from error
                threading.Event().wait(_BETWEEN_TRIES_SECONDS)

    def received(self) -> list[dict[str, Any]]:
        """The booked payments, oldest first: control_id, fee_line_id, amount, order_number, channel, …"""
        return self._booked.entries()

    def notices(self) -> list[dict[str, Any]]:
        """What else it was told, oldest first: `kind` (refund, film_link, answer), control_id and the facts."""
        return self._heard.entries()

    def receive(self, raw: bytes) -> bytes:
        """Act on one incoming message and return the acknowledgement."""
        text = _decode(raw)
        header = text.split("\r", 1)[0].split("|")
        try:
            told = his_incoming.read(text)
        except (HL7apyException, AttributeError, IndexError) as error:
            return _acknowledgement(header, "AE", f"cannot read the message: {error}")
        is_payment = told["kind"] == his_incoming.PAYMENT
        journal = self._booked if is_payment else self._heard
        with self._booking:
            for known in journal.entries():
                if known["control_id"] == told["control_id"]:
                    return _acknowledgement(header, "AA")
                if is_payment and known["fee_line_id"] == told["fee_line_id"]:
                    return _acknowledgement(header, "AE", f"fee line {known['fee_line_id']} is already paid")
            journal.append(told)
        return _acknowledgement(header, "AA")

    def start(self) -> None:
        """Listen in a thread of its own; `port` is then the one that the system chose when 0 was asked."""
        self._server = _Server((self.host, self.port), self)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="his-simulator",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the port and the connection."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = self._thread = None
        self._disconnect()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _send_once(self, raw: bytes) -> Ack:
        if self._connection is None:
            self._connection = socket.create_connection(self._platform, timeout=_ANSWER_SECONDS)
        self._connection.sendall(b"\x0b" + raw + _END)
        answer = b""
        while not answer.endswith(_END):
            part = self._connection.recv(65536)
            if not part:
                raise ConnectionError("the connection was closed without an answer")
            answer += part
        return _read_ack(_decode(answer.strip(b"\x0b\x1c\r")))

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def serve(host: str, port: int, state_dir: Path, platform: tuple[str, int]) -> None:
    """Run until the process ends."""
    with HisSimulator(state_dir, platform, host, port):
        threading.Event().wait()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], his: HisSimulator) -> None:
        self.his = his
        super().__init__(address, _Conversation)


class _Conversation(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        """Answer block after block until the peer leaves."""
        pending = b""
        while part := self.request.recv(65536):
            pending += part
            while _END in pending:
                block, pending = pending.split(_END, 1)
                self.request.sendall(b"\x0b" + self.server.his.receive(block.lstrip(b"\x0b")) + _END)


def _decode(raw: bytes) -> str:
    """By MSH-18, as a HIS does that was told the truth; the header itself is plain ASCII up to there."""
    declared = raw.split(b"\r", 1)[0].split(b"|")
    charset = "utf-8" if len(declared) > 17 and declared[17] == b"UNICODE UTF-8" else "gb18030"
    return raw.decode(charset)


def _read_ack(text: str) -> Ack:
    segments = {line[:3]: line.split("|") for line in text.split("\r")}
    msa, err = segments["MSA"], segments.get("ERR", [])
    return Ack(msa[1], msa[2], err[8] if len(err) > 8 else "")


def _acknowledgement(header: list[str], code: str, text: str = "") -> bytes:
    _, _, event = header[8].partition("^")
    event = event.partition("^")[0]
    message_type = f"ACK^{event}^ACK" if event else "ACK"
    msh = f"MSH|^~\\&|HIS|HOSPITAL|{header[2]}|{header[3]}|{header[6]}||{message_type}|A-{header[9]}|P|2.5.1"
    lines = [msh + "||||||GB 18030-2000", f"MSA|{code}|{header[9]}"]
    if text:
        lines.append(f"ERR||||E||||{text}")
    return ("\r".join(lines) + "\r").encode("gb18030")
