"""A message comes in: stored with the work that it causes, committed, only then acknowledged (decision 2).

| the message | its row | the answer |
|---|---|---|
| readable | received, and outbox work `hl7_received` | AA |
| the same again (sender, control id, content) | nothing new | AA again |
| the same control id with another content | a row of its own, and a line in the log | AA |
| no header, damaged, too long | refused | AR |
| characters unknown, MSH-9 or MSH-10 missing | refused | AE |
"""

from dataclasses import dataclass

from core import db, failpoints, outbox
from core.clock import now
from core.logs import get_logger, mask_text
from core.models import InboundMessage
from crypto.sm3 import sm3
from hl7_engine import acknowledge, charset
from hl7_engine.acknowledge import Fault
from hl7_engine.er7 import Message
from hl7_engine.errors import INTERNAL, REQUIRED_FIELD_MISSING, NotHl7, Undecodable, Unreadable
from hl7_engine.framing import Frame

_KEY_LENGTH = 64
_TYPE_LENGTH = 32
_ERROR_LENGTH = 500
# The moment of sending (MSH-7), by its place in the split header: a sender that repeats may renew it.
_SENT_AT = 6

_log = get_logger("hl7_engine")


@dataclass(frozen=True)
class _Letter:
    """A message as far as it could be read; `message` may be its header alone, or nothing."""

    raw: bytes
    peer: str
    charset: str
    message: Message | None

    @property
    def control_id(self) -> str:
        return _key(self.message.get("MSH-10")) if self.message else ""

    @property
    def type(self) -> str:
        return _key(self.message.type)[:_TYPE_LENGTH] if self.message else ""


def accept(frame: Frame, address: str) -> bytes:
    """Make one message durable and return its acknowledgement. `address` names a peer that does not name
    itself.

    Raises only what the database raises: then nothing was stored, and `unavailable` is the answer.
    """
    try:
        letter, message = _open(frame, address)
    except Unreadable as error:
        return _refuse(_head(frame, address), error)
    with db.transaction():
        message_id, is_new = _store(letter, _fingerprint(message), "received")
        if is_new:
            outbox.record(
                "hl7_received", str(message_id), {"message_id": message_id}, stream=_stream(message)
            )
            _note_reused_control_id(letter, message_id)
        failpoints.passing("hl7.before_commit")
    failpoints.passing("hl7.before_ack")
    return acknowledge.build(acknowledge.ACCEPTED, letter.message, letter.charset)


def unavailable(frame: Frame, address: str) -> bytes:
    """The answer when a message could not be stored: the sender keeps it and tries again."""
    letter = _head(frame, address)
    fault = Fault(INTERNAL, "the message could not be stored just now: send it again")
    return acknowledge.build(acknowledge.REJECTED, letter.message, letter.charset, fault)


def _open(frame: Frame, address: str) -> tuple[_Letter, Message]:
    if frame.damage:
        raise NotHl7(frame.damage.value)
    text, charset_name = charset.decode(frame.content)
    message = Message.parse(text)
    for place, what in (("MSH-9.1", "message type"), ("MSH-10", "control id")):
        if not message.get(place):
            raise Unreadable(f"{place.partition('.')[0]}, the {what}, is missing", REQUIRED_FIELD_MISSING)
    return _Letter(frame.content, _peer(message, address), charset_name, message), message


def _head(frame: Frame, address: str) -> _Letter:
    """What the header of an unreadable message tells, for the row and for the answer."""
    head = frame.content.lstrip()[:4096].replace(b"\n", b"\r").split(b"\r")[0].replace(b"\x00", b"")
    try:
        text, charset_name = charset.decode(head)
    except Undecodable:
        text, charset_name = head.decode(charset.GB18030, errors="replace"), charset.GB18030
    try:
        message = Message.parse(text)
    except NotHl7:
        return _Letter(frame.content, _key(address), charset.UTF_8, None)
    return _Letter(frame.content, _peer(message, address), charset_name, message)


def _refuse(letter: _Letter, error: Unreadable) -> bytes:
    with db.transaction():
        _store(letter, sm3(letter.raw).hex(), "refused", str(error))
    _log.warning(
        "message_refused",
        peer=letter.peer,
        control_id=letter.control_id,
        message_type=letter.type,
        why=str(error),
    )
    code = acknowledge.REJECTED if isinstance(error, NotHl7) else acknowledge.ERROR
    return acknowledge.build(code, letter.message, letter.charset, Fault(error.condition, str(error)))


def _store(letter: _Letter, fingerprint: str, state: str, error: str = "") -> tuple[int, bool]:
    """Insert the row unless it is there; return its id and whether it is new."""
    same = InboundMessage.select(InboundMessage.id).where(
        InboundMessage.peer == letter.peer,
        InboundMessage.control_id == letter.control_id,
        InboundMessage.body_sm3 == fingerprint,
    )
    known = same.first()
    if known is not None:
        return known.id, False
    # Two connections may bring the same message at once: the second insert changes nothing.
    InboundMessage.insert(
        peer=letter.peer,
        control_id=letter.control_id,
        message_type=letter.type,
        charset=letter.charset,
        body=letter.raw,
        body_sm3=fingerprint,
        state=state,
        error=mask_text(error)[:_ERROR_LENGTH],
        created_at=now(),
    ).on_conflict_ignore().execute()
    return same.get().id, True


def _fingerprint(message: Message) -> str:
    """SM3 of the text without its moment of sending and without regard to line ends."""
    header, *rest = message.lines
    fields = header.split(message.separators.field)
    if len(fields) > _SENT_AT:
        fields[_SENT_AT] = ""
    return sm3("\r".join([message.separators.field.join(fields), *rest]).encode()).hex()


def _stream(message: Message) -> str:
    """Messages about one order are handled as they came: a change must not overtake its order."""
    places = ("ORC-2.1", "OBR-2.1", "FT1-23.1", "PID-3.1")
    subject = next(filter(None, map(message.get, places)), "")
    return f"hl7:{sm3(subject.encode()).hex()[:32]}" if subject else ""


def _note_reused_control_id(letter: _Letter, message_id: int) -> None:
    others = InboundMessage.select().where(
        InboundMessage.peer == letter.peer,
        InboundMessage.control_id == letter.control_id,
        InboundMessage.id != message_id,
    )
    if others.exists():
        _log.warning("control_id_reused", peer=letter.peer, control_id=letter.control_id, message=message_id)


def _peer(message: Message, address: str) -> str:
    named = "|".join((message.get("MSH-3"), message.get("MSH-4"))).strip("|")
    return _key(named or address)


def _key(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:_KEY_LENGTH]
