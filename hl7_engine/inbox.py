"""Messages come in: stored, committed, only then acknowledged (decision 2). Many at once share one commit.

| the message | its row | the outcome |
|---|---|---|
| readable | received: the drain acts on it | AA |
| the same again (sender, control id, content) | nothing new | AA again |
| the same control id with another content | a row of its own; the drain raises an alarm | AA |
| no header, damaged, too long | refused | AR |
| characters unknown, MSH-9 or MSH-10 missing, no XML, no JSON | refused | AE |

How an outcome is worded for the sender is told in acknowledge.py.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from core import db, failpoints
from core.clock import now
from core.logs import get_logger, mask_text
from core.models import InboundMessage
from hl7_engine import acknowledge, statistics
from hl7_engine.acknowledge import Fault
from hl7_engine.errors import INTERNAL, NotHl7
from hl7_engine.incoming import Incoming, Receipt
from hl7_engine.letter import KEY_LENGTH, Letter, head_of, open_letter, peer_of
from hl7_engine.site import STANDARD_SITE, Site

_ERROR_LENGTH = 500

_log = get_logger("hl7_engine")


def accept(items: Sequence[Incoming], site: Site = STANDARD_SITE) -> list[Receipt]:
    """Make messages durable in one transaction; return what became of each, in their order.

    Raises only what the database raises: then nothing was stored, and `unavailable` is the answer.
    """
    letters = [open_letter(item) for item in items]
    refused = [letter for letter in letters if letter.is_refused]
    with db.transaction():
        stored = _store(letters)
        if refused:
            _count(refused)
        failpoints.passing("hl7.before_commit")
    failpoints.passing("hl7.before_ack")
    for letter in refused:
        _log.warning(
            "message_refused",
            peer=letter.peer,
            control_id=letter.control_id,
            message_type=letter.message_type,
            why=str(letter.error),
        )
    return [_receipt(letter, *row, site) for letter, row in zip(letters, stored, strict=True)]


def _count(refused: list[Letter]) -> None:
    """The others are counted when they are handled."""
    hour = now().replace(minute=0, second=0, microsecond=0)
    statistics.add(
        Counter(
            statistics.Kind(hour, letter.peer, letter.item.channel, letter.message_type, "refused")
            for letter in refused
        )
    )


def unavailable(item: Incoming, site: Site = STANDARD_SITE) -> Receipt:
    """What is said when a message could not be stored: the sender keeps it and tries again."""
    fault = Fault(INTERNAL, "the message could not be stored just now: send it again")
    if item.format != "er7":
        return Receipt("unavailable", reason=fault.text, condition=INTERNAL)
    head, charset_name = head_of(item.content)
    code = acknowledge.REJECTED
    if head is not None:
        mode = site.peer_of(peer_of(head, item)).profile.ack
        # Said even to one who wants no answers: what it does not hear of would be lost.
        code = acknowledge.answer_code(code, head.first("MSH"), mode) or code
    answer = acknowledge.build(code, head, charset_name, fault)
    return Receipt("unavailable", answer, reason=fault.text, condition=INTERNAL)


_COLUMNS = (
    "created_at",
    "peer",
    "channel",
    "format",
    "address",
    "control_id",
    "message_type",
    "charset",
    "body",
    "body_sm3",
    "state",
    "error",
    "attempts",
    "stream",
    "outcome",
    "origin_id",
)
# SQLite takes 32,766 parameters in one statement, PostgreSQL 65,535.
_ROWS_PER_STATEMENT = 500


def _store(letters: list[Letter]) -> list[tuple[int, bool]]:
    """Insert the rows that are not there; return the id of each letter's row and whether it is new."""
    found: dict[tuple[str, str, str], int] = {}
    for start in range(0, len(letters), _ROWS_PER_STATEMENT):
        found |= _insert(letters[start : start + _ROWS_PER_STATEMENT])
    result = []
    for letter in letters:
        key = (letter.peer, letter.control_id, letter.fingerprint)
        is_new = key in found
        # Taken out, so that the same message twice in one batch is new only once.
        result.append((found.pop(key) if is_new else _id_of(key), is_new))
    return result


def _insert(letters: list[Letter]) -> dict[tuple[str, str, str], int]:
    """Plain SQL: peewee's insert costs more than everything else on the way of a message together."""
    statement = _statement(db.database.param, len(letters))
    moment = InboundMessage.created_at.db_value(now())
    parameters: list[object] = []
    for letter in letters:
        parameters += (
            moment,
            letter.peer,
            letter.item.channel,
            letter.item.format,
            letter.item.address[:KEY_LENGTH],
            letter.control_id,
            letter.message_type,
            letter.charset,
            InboundMessage.body.db_value(letter.item.content),
            letter.fingerprint,
            "refused" if letter.is_refused else "received",
            mask_text(str(letter.error))[:_ERROR_LENGTH] if letter.is_refused else "",
            0,
            "",
            "",
            letter.item.origin_id,
        )
    rows = db.database.execute_sql(statement, parameters).fetchall()
    return {(peer, control_id, body): number for number, peer, control_id, body in rows}


@lru_cache(maxsize=2 * _ROWS_PER_STATEMENT)
def _statement(mark: str, rows: int) -> str:
    row_marks = f"({', '.join([mark] * len(_COLUMNS))})"
    return (
        f"INSERT INTO inbound_message ({', '.join(_COLUMNS)}) VALUES "  # noqa: S608 — names written here
        f"{', '.join([row_marks] * rows)} "
        "ON CONFLICT (peer, control_id, body_sm3) DO NOTHING RETURNING id, peer, control_id, body_sm3"
    )


def _id_of(key: tuple[str, str, str]) -> int:
    peer, control_id, fingerprint = key
    row = InboundMessage.select(InboundMessage.id).where(
        InboundMessage.peer == peer,
        InboundMessage.control_id == control_id,
        InboundMessage.body_sm3 == fingerprint,
    )
    number: int = row.get().id
    return number


def _receipt(letter: Letter, message_id: int, is_new: bool, site: Site) -> Receipt:
    fault = None
    outcome = acknowledge.ACCEPTED
    if letter.error is not None:
        fault = Fault(letter.error.condition, str(letter.error))
        outcome = acknowledge.REJECTED if isinstance(letter.error, NotHl7) else acknowledge.ERROR
    return Receipt(
        "refused" if letter.is_refused else "stored" if is_new else "known",
        _answer(letter, outcome, fault, site),
        message_id,
        letter.control_id,
        fault.text if fault else "",
        fault.condition if fault else "",
    )


def _answer(letter: Letter, outcome: str, fault: Fault | None, site: Site) -> bytes:
    if letter.item.format != "er7":
        return b""
    if letter.header is None:
        return acknowledge.build(outcome, None, letter.charset, fault)
    mode = site.peer_of(letter.peer).profile.ack
    code = acknowledge.answer_code(outcome, letter.header.first("MSH"), mode)
    return acknowledge.build(code, letter.header, letter.charset, fault) if code else b""
