"""Eight senders under fire: each keeps a message until it is acknowledged, while the processes are killed again and again.

Proves what is promised to a HIS: nothing acknowledged is lost, nothing is done twice.
"""

import random
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from core import db
from core.commands import PatientFacts
from core.errors import CloudFilmError
from core.models import Charge, Exam, InboundMessage, Patient
from simulators.his_messages import Envelope, ExamFacts, omg_o19

SENDERS = 8
STARTED = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
_PATIENCE_SECONDS = 60.0
_ANSWER_SECONDS = 10.0
_END = b"\x1c\r"
_PATIENT = PatientFacts(identifiers=(), name="张珅東", sex="M", birth_date="1985-06-15")
_EXAM = ExamFacts("", "", "210300001", "胸部CT平扫", "CT", amount_fen=2000)


class LoadBroken(CloudFilmError):
    """A promise did not hold; the message says which."""


@dataclass
class Load:
    """What the senders have had acknowledged, by control id; `resent` counts repetitions after a lost answer."""

    port: int
    acknowledged: set[str] = field(default_factory=set)
    resent: int = 0
    failure: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, messages: int, disturb: Callable[[float], None]) -> None:
        """Send `messages` in all; `disturb` is called with the share that is done until all are acknowledged."""
        threads = [
            threading.Thread(target=self._send, args=(sender, messages // SENDERS))
            for sender in range(SENDERS)
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            disturb(len(self.acknowledged) / messages)
            threads[0].join(0.01)
        for thread in threads:
            thread.join()
        if self.failure:
            raise LoadBroken(self.failure)

    def _send(self, sender: int, count: int) -> None:
        connection: socket.socket | None = None
        try:
            for number in range(count):
                control_id = f"L{sender}-{number}"
                connection = self._until_acknowledged(
                    connection, message(sender * count + number, control_id)
                )
                with self._lock:
                    self.acknowledged.add(control_id)
        except LoadBroken as error:
            self.failure = str(error)
        finally:
            if connection is not None:
                connection.close()

    def _until_acknowledged(self, connection: socket.socket | None, raw: bytes) -> socket.socket:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                if connection is None:
                    connection = socket.create_connection(("127.0.0.1", self.port), timeout=_ANSWER_SECONDS)
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                answer = _exchange(connection, raw)
                if b"\rMSA|CA|" in answer:
                    return connection
                if b"|207^" not in answer:
                    raise LoadBroken(f"a message was answered {answer[-200:]!r}")
            except OSError:
                if connection is not None:
                    connection.close()
                connection = None
                with self._lock:
                    self.resent += 1
                threading.Event().wait(random.uniform(0.01, 0.05))  # noqa: S311 — no secret
            if time.monotonic() > deadline:
                raise LoadBroken(f"no acknowledgement within {_PATIENCE_SECONDS} s")


def message(number: int, control_id: str) -> bytes:
    """The order of one patient of its own, with its film fee."""
    exam = replace(
        _EXAM, accession_number=f"CT{number}", placer_order_number=f"SQ{number}", fee_line_id=f"FY{number}"
    )
    patient = replace(_PATIENT, identifiers=(("HIS", f"{number:010d}"),), phone=f"139{number:08d}")
    return omg_o19(patient, exam, Envelope(control_id, STARTED))


def require_kept(load: Load) -> dict[str, int]:
    """Raise `LoadBroken` unless every acknowledged message is in the inbox once and has had its effect once."""
    with db.connection():
        columns = InboundMessage.select(InboundMessage.control_id, InboundMessage.state)
        rows = [(row.control_id, row.state) for row in columns]
        effects = {
            "exams": Exam.select().count(),
            "patients": Patient.select().count(),
            "charges": Charge.select().count(),
        }
    stored = [control_id for control_id, _ in rows]
    lost = load.acknowledged - set(stored)
    if lost:
        raise LoadBroken(f"{len(lost)} acknowledged messages are not stored, among them {min(lost)}")
    if len(stored) != len(set(stored)):
        raise LoadBroken(f"{len(stored) - len(set(stored))} messages were stored twice")
    unhandled = [control_id for control_id, state in rows if state != "handled"]
    if unhandled:
        raise LoadBroken(f"{len(unhandled)} messages had no effect, among them {unhandled[0]}")
    wrong = {name: count for name, count in effects.items() if count != len(stored)}
    if wrong:
        raise LoadBroken(f"{len(stored)} orders led to {wrong}")
    return {"acknowledged": len(load.acknowledged), "stored": len(stored), "resent": load.resent, **effects}


def _exchange(connection: socket.socket, raw: bytes) -> bytes:
    connection.sendall(b"\x0b" + raw + _END)
    answer = b""
    while not answer.endswith(_END):
        part = connection.recv(65536)
        if not part:
            raise ConnectionError("closed without an answer")
        answer += part
    return answer
