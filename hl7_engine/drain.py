"""Stored messages take effect. The inbox is its own queue (ADR 5): this takes from it, in order, many per transaction.

One commit for a batch, a savepoint for each message: what cannot be read or applied is parked with its reason and without
any effect, and harms none of the others. What failed for another reason is tried again, at growing intervals, and until it
succeeds or is parked the later messages about the same order wait behind it.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import peewee
import structlog

from core import alarms, db, failpoints
from core.bus import Bus
from core.clock import now
from core.errors import Conflict, Refused
from core.logs import get_logger, mask_text
from core.models import InboundMessage
from hl7_engine import statistics
from hl7_engine.er7 import Message
from hl7_engine.read_message import Opened, Subject, open_message
from hl7_engine.site import Site

BATCH = 200
# A bulk load may hold 200 reports of 8 MB: then fewer at once.
MAX_BATCH_BYTES = 64 * 1024 * 1024
MAX_ATTEMPTS = 8
_BACKOFF_FIRST_SECONDS = 1
_BACKOFF_MAX_SECONDS = 300
# Of more waiting streams than these the messages come up one by one and are put back.
_STREAMS_PER_QUERY = 500
_ERROR_LENGTH = 500
_OUTCOME_LENGTH = 128
# Called in the transaction in which a message was handled or, with an error, parked.
OweAnswer = Callable[[InboundMessage, Message, Site, str], None]
REUSED_CONTROL_ID = "control_id_reused"

_log = get_logger("hl7_engine")


class Drain:
    """Acts on received messages through the bus. Any number may run: one at a time has the queue."""

    def __init__(self, bus: Bus, site: Site, owe_answer: OweAnswer) -> None:
        self._bus = bus
        self._site = site
        self._owe_answer_to = owe_answer

    def run_once(self, limit: int = BATCH) -> int:
        """Act on up to `limit` messages in one transaction; return how many left the queue."""
        with db.transaction():
            db.lock_name("hl7_engine.drain")
            moment = now()
            waiting = _waiting_streams(moment)
            rows = _due(limit, moment, waiting)
            if not rows:
                return 0
            _note_reused_control_ids(rows)
            outcomes: Counter[statistics.Kind] = Counter()
            bodies = _sealed_bodies(rows)
            for row in rows:
                state = self._apply(row, bodies[row.id], waiting)
                if state != "received":
                    outcomes[statistics.kind_of(row, state)] += 1
            statistics.add(outcomes)
            failpoints.passing("hl7.before_handled")
        return sum(outcomes.values())

    def _apply(self, row: InboundMessage, sealed: bytes, waiting: set[str]) -> str:
        """Act on one message in a savepoint; return its state afterwards."""
        with structlog.contextvars.bound_contextvars(message=row.id):
            opened: Opened | None = None
            try:
                row.body = InboundMessage.body.python_value(sealed)
                opened = open_message(row, self._site)
                if opened.subject.stream and opened.subject.stream in waiting:
                    return _postpone(row, opened.subject)
                with db.database.atomic():
                    commands = opened.read()
                    for command in commands:
                        self._bus.submit(command)
                    self._owe_answer(row, opened)
            except (Refused, Conflict) as error:
                return self._park(row, opened, error)
            except peewee.OperationalError:
                # The database itself: nothing of this batch counts, all of it is tried again.
                raise
            except Exception as error:
                return self._fail(row, opened, error, waiting)
            _close_origin(row)
            names = [type(command).__name__ for command in commands]
            return _leave(row, "handled" if names else "ignored", opened.subject, outcome=", ".join(names))

    def _park(self, row: InboundMessage, opened: Opened | None, error: Exception) -> str:
        reason = mask_text(str(error))[:_ERROR_LENGTH]
        _log.warning("message_parked", why=reason)
        self._owe_answer(row, opened, reason)
        return _leave(row, "parked", opened.subject if opened else Subject(), error=reason)

    def _fail(self, row: InboundMessage, opened: Opened | None, error: Exception, waiting: set[str]) -> str:
        """Something unexpected: perhaps ours, perhaps passing. Tried again, parked in the end."""
        _log.error("message_failed", attempt=row.attempts + 1, exc_info=True)
        text = f"{type(error).__name__}: a fault of this program; see its log, then replay the message"
        subject = opened.subject if opened else Subject()
        if row.attempts + 1 >= MAX_ATTEMPTS:
            return _leave(row, "parked", subject, error=text)
        delay = min(_BACKOFF_FIRST_SECONDS * 2**row.attempts, _BACKOFF_MAX_SECONDS)
        InboundMessage.update(
            attempts=row.attempts + 1,
            next_at=now() + timedelta(seconds=delay),
            stream=subject.stream,
            error=text,
        ).where(InboundMessage.id == row.id).execute()
        if subject.stream:
            waiting.add(subject.stream)
        return "received"

    def _owe_answer(self, row: InboundMessage, opened: Opened | None, error: str = "") -> None:
        if opened is not None and opened.message is not None:
            self._owe_answer_to(row, opened.message, self._site, error)


def _due(limit: int, moment: datetime, waiting: set[str]) -> list[InboundMessage]:
    """The oldest received messages without their bodies, not more than memory likes."""
    query = (
        InboundMessage.select(
            InboundMessage.id,
            InboundMessage.peer,
            InboundMessage.channel,
            InboundMessage.format,
            InboundMessage.control_id,
            InboundMessage.message_type,
            InboundMessage.attempts,
            InboundMessage.origin_id,
            InboundMessage.created_at,
            peewee.fn.LENGTH(InboundMessage.body).coerce(False).alias("size"),
        )
        .where(
            InboundMessage.state == "received",
            InboundMessage.next_at.is_null() | (InboundMessage.next_at <= moment),
            # Those behind a failed one have its stream noted once they came up: they take no place in later batches.
            InboundMessage.stream.not_in(sorted(waiting)[:_STREAMS_PER_QUERY]),
        )
        .order_by(InboundMessage.id)
        .limit(limit)
    )
    rows: list[InboundMessage] = []
    size = 0
    for row in query:
        rows.append(row)
        # Selected above; no column of the model.
        size += int(getattr(row, "size"))  # noqa: B009
        if size > MAX_BATCH_BYTES:
            break
    return rows


def _sealed_bodies(rows: list[InboundMessage]) -> dict[int, bytes]:
    """Unopened, so that one that cannot be opened is the trouble of one message."""
    marks = ", ".join([db.database.param] * len(rows))
    statement = f"SELECT id, body FROM inbound_message WHERE id IN ({marks})"  # noqa: S608 — marks only
    return dict(db.database.execute_sql(statement, [row.id for row in rows]).fetchall())


def _waiting_streams(moment: datetime) -> set[str]:
    """The subjects with a message that failed and is tried again later."""
    rows = InboundMessage.select(InboundMessage.stream).where(
        InboundMessage.state == "received",
        InboundMessage.attempts > 0,
        InboundMessage.next_at > moment,
        InboundMessage.stream != "",
    )
    return {row.stream for row in rows}


def _postpone(row: InboundMessage, subject: Subject) -> str:
    """With its stream noted it does not come up again while that waits."""
    InboundMessage.update(stream=subject.stream).where(InboundMessage.id == row.id).execute()
    return "received"


_LEAVE = (
    "UPDATE inbound_message SET state = {0}, error = {0}, outcome = {0}, order_number = {0}, accession_number = {0}, "
    "patient_number = {0}, stream = {0}, next_at = NULL, handled_at = {0} WHERE id = {0}"
)


def _leave(row: InboundMessage, state: str, subject: Subject, *, error: str = "", outcome: str = "") -> str:
    """Plain SQL, since every message passes here."""
    db.database.execute_sql(
        _LEAVE.format(db.database.param),
        (
            state,
            error,
            outcome[:_OUTCOME_LENGTH],
            subject.order_number or None,
            subject.accession_number or None,
            subject.patient_number or None,
            subject.stream,
            InboundMessage.handled_at.db_value(now()),
            row.id,
        ),
    )
    return state


def _close_origin(row: InboundMessage) -> None:
    """What a person has corrected with success waits for nobody any more."""
    if row.origin_id is not None:
        InboundMessage.update(state="corrected").where(
            InboundMessage.id == row.origin_id, InboundMessage.state.in_(("parked", "refused"))
        ).execute()


def _note_reused_control_ids(rows: list[InboundMessage]) -> None:
    """A sender that gives two messages one id has restarted its counter, or repeats itself with changes: an alarm."""
    earlier = InboundMessage.alias()
    is_second = peewee.fn.EXISTS(
        earlier.select(earlier.id).where(
            earlier.peer == InboundMessage.peer,
            earlier.control_id == InboundMessage.control_id,
            earlier.id < InboundMessage.id,
            earlier.state != "refused",
        )
    )
    seconds = InboundMessage.select(
        InboundMessage.peer, peewee.fn.MIN(InboundMessage.control_id).alias("example")
    )
    query = seconds.where(
        InboundMessage.id.in_([row.id for row in rows]), InboundMessage.origin_id.is_null(), is_second
    )
    # One line per peer: a sender whose ids are all the same has thousands of pairs.
    found: Any = query.group_by(InboundMessage.peer).tuples()
    for peer, example in found:
        text = f"{peer} gave the control id {example} to two different messages; both were taken"
        alarms.begin(REUSED_CONTROL_ID, peer, text)
