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
from dataclasses import dataclass

from core import db, failpoints
from core.clock import now
from core.logs import get_logger, mask_text
from core.models import InboundMessage
from crypto.sm3 import sm3
from hl7_engine import acknowledge, charset, documents, statistics
from hl7_engine.acknowledge import Fault
from hl7_engine.er7 import Message
from hl7_engine.errors import INTERNAL, REQUIRED_FIELD_MISSING, NotHl7, Undecodable, Unreadable
from hl7_engine.incoming import Incoming, Receipt
from hl7_engine.site import STANDARD_SITE, Site

_KEY_LENGTH = 64
_TYPE_LENGTH = 32
_ERROR_LENGTH = 500
# The moment of sending (MSH-7), by its place in the split header: a sender that repeats may renew it.
_SENT_AT = 6

_log = get_logger("hl7_engine")


@dataclass(frozen=True)
class _Letter:
    """A message as far as it could be read; `message` may be its header alone, or nothing."""

    item: Incoming
    peer: str
    control_id: str
    message_type: str
    charset: str
    fingerprint: str
    message: Message | None = None
    error: Unreadable | None = None

    @property
    def is_refused(self) -> bool:
        return self.error is not None


def accept(items: Sequence[Incoming], site: Site = STANDARD_SITE) -> list[Receipt]:
    """Make messages durable in one transaction; return what became of each, in their order.

    Raises only what the database raises: then nothing was stored, and `unavailable` is the answer.
    """
    letters = [_open(item) for item in items]
    with db.transaction():
        stored = _store(letters)
        _count_refused(letters)
        failpoints.passing("hl7.before_commit")
    failpoints.passing("hl7.before_ack")
    for letter in letters:
        if letter.error is not None:
            _log.warning(
                "message_refused",
                peer=letter.peer,
                control_id=letter.control_id,
                message_type=letter.message_type,
                why=str(letter.error),
            )
    return [_receipt(letter, *row, site) for letter, row in zip(letters, stored, strict=True)]


def _count_refused(letters: list[_Letter]) -> None:
    """The others are counted when they are handled."""
    hour = now().replace(minute=0, second=0, microsecond=0)
    refused = Counter(
        statistics.Kind(hour, letter.peer, letter.item.channel, letter.message_type, "refused")
        for letter in letters
        if letter.is_refused
    )
    if refused:
        statistics.add(refused)


def unavailable(item: Incoming, site: Site = STANDARD_SITE) -> Receipt:
    """What is said when a message could not be stored: the sender keeps it and tries again."""
    fault = Fault(INTERNAL, "the message could not be stored just now: send it again")
    if item.format != "er7":
        return Receipt("unavailable", reason=fault.text, condition=INTERNAL)
    head, charset_name = _head(item.content)
    code = acknowledge.REJECTED
    if head is not None:
        mode = site.peer_of(_peer(head, item)).profile.ack
        # Said even to one who wants no answers: what it does not hear of would be lost.
        code = acknowledge.answer_code(code, head.first("MSH"), mode) or code
    answer = acknowledge.build(code, head, charset_name, fault)
    return Receipt("unavailable", answer, reason=fault.text, condition=INTERNAL)


def _open(item: Incoming) -> _Letter:
    try:
        return _open_er7(item) if item.format == "er7" else _open_document(item)
    except Unreadable as error:
        return _refused(item, error)


def _open_er7(item: Incoming) -> _Letter:
    if item.damage:
        raise NotHl7(item.damage.value)
    text, charset_name = charset.decode(item.content)
    message = Message.parse(text)
    for place, what in (("MSH-9.1", "message type"), ("MSH-10", "control id")):
        if not message.get(place):
            raise Unreadable(f"{place.partition('.')[0]}, the {what}, is missing", REQUIRED_FIELD_MISSING)
    return _Letter(
        item,
        _peer(message, item),
        _key(message.get("MSH-10")),
        _key(message.type)[:_TYPE_LENGTH],
        charset_name,
        _fingerprint(message),
        message,
    )


def _open_document(item: Incoming) -> _Letter:
    charset_name = documents.require_well_formed(item.format, item.content)
    digest = sm3(item.content).hex()
    return _Letter(
        item,
        _key(item.peer or item.address),
        _key(item.control_id) or digest[:32],
        _key(item.message_type)[:_TYPE_LENGTH],
        charset_name,
        digest,
    )


def _refused(item: Incoming, error: Unreadable) -> _Letter:
    """What can still be told of an unreadable message, for the row and for the answer."""
    head, charset_name = _head(item.content) if item.format == "er7" else (None, charset.UTF_8)
    return _Letter(
        item,
        _peer(head, item) if head else _key(item.peer or item.address),
        _key(head.get("MSH-10")) if head else _key(item.control_id),
        _key(head.type if head else item.message_type)[:_TYPE_LENGTH],
        charset_name,
        sm3(item.content).hex(),
        head,
        error,
    )


def _head(content: bytes) -> tuple[Message | None, str]:
    """The header of a message that cannot be read, and its characters; None when there is not even that."""
    head = content.lstrip()[:4096].replace(b"\n", b"\r").split(b"\r")[0].replace(b"\x00", b"")
    try:
        text, charset_name = charset.decode(head)
    except Undecodable:
        text, charset_name = head.decode(charset.GB18030, errors="replace"), charset.GB18030
    try:
        return Message.parse(text), charset_name
    except NotHl7:
        return None, charset.UTF_8


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


def _store(letters: list[_Letter]) -> list[tuple[int, bool]]:
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


def _insert(letters: list[_Letter]) -> dict[tuple[str, str, str], int]:
    """Plain SQL: peewee's insert costs more than everything else on the way of a message together."""
    mark = db.database.param
    row_marks = f"({', '.join([mark] * len(_COLUMNS))})"
    statement = (
        f"INSERT INTO inbound_message ({', '.join(_COLUMNS)}) VALUES "  # noqa: S608 — names written here
        f"{', '.join([row_marks] * len(letters))} "
        "ON CONFLICT (peer, control_id, body_sm3) DO NOTHING RETURNING id, peer, control_id, body_sm3"
    )
    moment = InboundMessage.created_at.db_value(now())
    parameters: list[object] = []
    for letter in letters:
        parameters += (
            moment,
            letter.peer,
            letter.item.channel,
            letter.item.format,
            letter.item.address[:_KEY_LENGTH],
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


def _id_of(key: tuple[str, str, str]) -> int:
    peer, control_id, fingerprint = key
    row = InboundMessage.select(InboundMessage.id).where(
        InboundMessage.peer == peer,
        InboundMessage.control_id == control_id,
        InboundMessage.body_sm3 == fingerprint,
    )
    number: int = row.get().id
    return number


def _receipt(letter: _Letter, message_id: int, is_new: bool, site: Site) -> Receipt:
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


def _answer(letter: _Letter, outcome: str, fault: Fault | None, site: Site) -> bytes:
    if letter.item.format != "er7":
        return b""
    if letter.message is None:
        return acknowledge.build(outcome, None, letter.charset, fault)
    mode = site.peer_of(letter.peer).profile.ack
    code = acknowledge.answer_code(outcome, letter.message.first("MSH"), mode)
    return acknowledge.build(code, letter.message, letter.charset, fault) if code else b""


def _fingerprint(message: Message) -> str:
    """SM3 of the text without its moment of sending and without regard to line ends."""
    header, *rest = message.lines
    fields = header.split(message.separators.field)
    if len(fields) > _SENT_AT:
        fields[_SENT_AT] = ""
    return sm3("\r".join([message.separators.field.join(fields), *rest]).encode()).hex()


def _peer(message: Message, item: Incoming) -> str:
    named = "|".join((message.get("MSH-3"), message.get("MSH-4"))).strip("|")
    return _key(named or item.peer or item.address)


def _key(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:_KEY_LENGTH]
