"""What stored messages cost until their effect is committed, beside a parser that has no effect at all.

The messages are those of exams as a hospital sends them: registration, order with film fee, payment, completion, report;
every exam of another patient.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from hl7apy.parser import parse_message

from app.bindings import message_drain
from app.platform import build_platform
from bench.figure import ROUNDS, Figure, more_is_better, spread
from bench.installation import installed
from core import config, db, logs
from core.commands import PatientFacts
from core.models import InboundMessage
from hl7_engine import inbox
from hl7_engine.drain import BATCH, Drain
from hl7_engine.incoming import Incoming
from simulators import his_messages as say
from simulators.his_messages import Envelope, ExamFacts, ReportFacts

GOAL_PER_S = 5000.0
GOAL_REPLAY_S = 60.0
REPLAYED = 100_000
_EXAMS_PER_ROUND = 400
_PARSED_PER_ROUND = 40
_MESSAGES_PER_EXAM = 5
_AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
_PATIENT = PatientFacts(identifiers=(), name="张珅東", sex="M", birth_date="1985-06-15")
_EXAM = ExamFacts("", "", "210300001", "胸部CT平扫", "CT", amount_fen=2000)
_REPORT = ReportFacts("右肺上叶见结节，约6mm×5mm。余未见异常。", "右肺结节，建议复查。", "赵医师", "王主任")


def drain_per_s() -> Iterator[Figure]:
    """Messages per second whose effect is committed, 200 per transaction, SQLite (WAL, synchronous=FULL)."""
    ours: list[float] = []
    theirs: list[float] = []
    with _drain() as drain:
        for number in range(ROUNDS + 1):
            first = number * _EXAMS_PER_ROUND
            raws = [raw for exam in range(first, first + _EXAMS_PER_ROUND) for raw in _life_of(exam)]
            _store(raws)
            ours.append(len(raws) / _seconds_to_empty(drain))
            theirs.append(_parsed_per_s(raws[:_PARSED_PER_ROUND]))
    # The first round reads code and composes statements.
    ours, theirs = ours[1:], theirs[1:]
    note = f"5 messages of each exam, {_EXAMS_PER_ROUND} exams a round; {spread(ours)}"
    yield more_is_better("drain_per_s", ours, "msg/s", "goal", [GOAL_PER_S], note)
    yield more_is_better("drain_per_s", ours, "msg/s", "hl7apy parser, no effect", theirs, note)


def replay_100k_s() -> Iterator[Figure]:
    """Seconds until a backlog of a hundred thousand messages has had its effect. Once: it takes minutes."""
    with _drain() as drain:
        for first in range(0, REPLAYED // _MESSAGES_PER_EXAM, _EXAMS_PER_ROUND):
            _store([raw for exam in range(first, first + _EXAMS_PER_ROUND) for raw in _life_of(exam)])
        waiting = InboundMessage.select().where(InboundMessage.state == "received").count()
        seconds = _seconds_to_empty(drain)
    note = f"{waiting:,} messages of {waiting // _MESSAGES_PER_EXAM:,} exams; one round"
    yield Figure(
        "replay_100k_s",
        round(seconds, 1),
        "s",
        "goal",
        GOAL_REPLAY_S,
        round(GOAL_REPLAY_S / seconds, 2),
        note,
    )


@contextmanager
def _drain() -> Iterator[Drain]:
    logs.configure("ERROR", "bench")
    with installed() as environment:
        platform = build_platform(config.load(environment))
        with db.connection():
            yield message_drain(platform)


def _life_of(number: int) -> list[bytes]:
    patient = replace(_PATIENT, identifiers=(("HIS", f"{number:010d}"),), phone=f"139{number:08d}")
    exam = replace(
        _EXAM, accession_number=f"CT{number}", placer_order_number=f"SQ{number}", fee_line_id=f"FY{number}"
    )
    envelopes = (Envelope(f"M{number}-{place}", _AT) for place in range(_MESSAGES_PER_EXAM))
    return [
        say.adt_a04(patient, next(envelopes)),
        say.omg_o19(patient, exam, next(envelopes)),
        say.dft_cg(patient, exam, f"JS{number}", next(envelopes)),
        say.orm_complete(patient, exam, (f"1.2.156.1.{number}",), next(envelopes)),
        say.oru_r01(patient, exam, _REPORT, next(envelopes)),
    ]


def _store(raws: list[bytes]) -> None:
    for start in range(0, len(raws), BATCH):
        inbox.accept([Incoming(raw, "127.0.0.1") for raw in raws[start : start + BATCH]])


def _seconds_to_empty(drain: Drain) -> float:
    begin = time.perf_counter()
    while drain.run_once(BATCH):
        pass
    return time.perf_counter() - begin


def _parsed_per_s(raws: list[bytes]) -> float:
    texts = [raw.decode("gb18030") for raw in raws]
    begin = time.perf_counter()
    for text in texts:
        parse_message(text, find_groups=False)
    return len(texts) / (time.perf_counter() - begin)
