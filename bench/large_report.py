"""A report with a PDF of 8 MB in base64: how long its acknowledgement takes, and how much memory."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from bench.figure import ROUNDS, Figure, less_is_better, spread
from bench.installation import receiving
from core.commands import PatientFacts
from hl7_engine.sender import MllpSender
from simulators.his_messages import Envelope, ExamFacts, ReportFacts, oru_r01

PDF_BYTES = 8 * 1024 * 1024
ACK_GOAL_SECONDS = 2.0
RSS_GOAL_FACTOR = 4.0
_ANSWER_SECONDS = 60.0


def report(control_id: str, pdf_bytes: int = PDF_BYTES) -> bytes:
    """A report with a PDF of random bytes, in GB18030 as most RIS send it."""
    patient = PatientFacts(
        identifiers=(("HIS", "0001234567"),),
        name="张珅東",
        id_number="",
        phone="",
        sex="M",
        birth_date="1985-06-15",
    )
    exam = ExamFacts("CT1", "SQ1", "210300001", "胸部CT平扫", "CT")
    facts = ReportFacts(
        "右肺上叶见结节。", "建议复查。", "赵医师", "王主任", b"%PDF-1.4\n" + os.urandom(pdf_bytes)
    )
    moment = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
    return oru_r01(patient, exam, facts, Envelope(control_id, moment))


def report_pdf_8mb() -> Iterator[Figure]:
    """Seconds from the first byte sent to the acknowledgement; the server's growth as a multiple of the message."""
    seconds: list[float] = []
    factors: list[float] = []
    message = report("PDF1")
    for _ in range(ROUNDS):
        # A new process each time: one that has held a large message keeps room for the next.
        with receiving("CloudFilm") as server:
            sender = MllpSender(("127.0.0.1", server.port), _ANSWER_SECONDS)
            # The first message loads what every message needs.
            sender.send(report("WARMUP", 1000))
            before = server.forget_peak()
            begin = time.perf_counter()
            answer = sender.send(message)
            seconds.append(time.perf_counter() - begin)
            factors.append((server.peak_bytes() - before) / len(message))
            sender.close()
        if answer.code not in ("AA", "CA"):
            raise RuntimeError(f"the report was not taken: {answer}")
    size = f"one OBX, {len(message) / 1e6:.1f} MB in all, SQLite"
    yield less_is_better("report_pdf_8mb_ack_s", seconds, "s", ACK_GOAL_SECONDS, f"{size}; {spread(seconds)}")
    yield less_is_better(
        "report_pdf_8mb_rss_factor",
        factors,
        "×",
        RSS_GOAL_FACTOR,
        f"peak memory over that before the message, per byte of it; {size}; {spread(factors)}",
    )
