"""A message at the door: whose it is, which one, and whether it can be read at all. Nothing is stored here."""

import re
from typing import NamedTuple

from crypto.sm3 import sm3
from hl7_engine import charset, documents
from hl7_engine.er7 import Message
from hl7_engine.errors import REQUIRED_FIELD_MISSING, NotHl7, Undecodable, Unreadable
from hl7_engine.header import Header, read_header
from hl7_engine.incoming import Incoming

KEY_LENGTH = 64
_TYPE_LENGTH = 32
_BEFORE_A_SEGMENT = b"\r\n\x0b\x1c"
_LINE_ENDS = re.compile(rb"[\r\n]+")


class Letter(NamedTuple):
    """A message as far as it could be read. Of HL7 v2 it has the `header`, or, when it is refused, the `remains` of one."""

    item: Incoming
    peer: str
    control_id: str
    message_type: str
    charset: str
    # Equal for the same message sent again; 64 hex digits.
    fingerprint: str
    header: Header | None = None
    remains: Message | None = None
    # Why its sender has to correct it.
    error: Unreadable | None = None


def open_letter(item: Incoming) -> Letter:
    """Read what taking it in needs. Whatever it is, it becomes a letter; an unreadable one holds the reason."""
    try:
        return _open_er7(item) if item.format == "er7" else _open_document(item)
    except Unreadable as error:
        return _refused(item, error)


def remains_of(content: bytes) -> tuple[Message | None, str]:
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


def sender_of(remains: Message, item: Incoming) -> str:
    """Who sent it, as it names itself."""
    named = "|".join((remains.get("MSH-3"), remains.get("MSH-4"))).strip("|")
    return _key(named or item.peer or item.address)


def _open_er7(item: Incoming) -> Letter:
    if item.damage:
        raise NotHl7(item.damage.value)
    content = item.content
    charset_name = charset.detect(content)
    header = read_header(content, charset_name)
    _require_one_message(content)
    form = header.form
    if not form.has_type:
        raise Unreadable("MSH-9, the message type, is missing", REQUIRED_FIELD_MISSING)
    control_id = header.control_id
    if not control_id.isalnum():
        # Escapes, repetitions, blanks, or nothing.
        control_id = header.message.get("MSH-10")
        if not control_id:
            raise Unreadable("MSH-10, the control id, is missing", REQUIRED_FIELD_MISSING)
    return Letter(
        item,
        _key(form.sender or item.peer or item.address),
        _key(control_id),
        _key(form.type)[:_TYPE_LENGTH],
        charset_name,
        _fingerprint(header, content),
        header,
    )


def _require_one_message(content: bytes) -> None:
    """Raise `NotHl7` for two messages in one block, whose framing bytes were lost between them."""
    first = content.find(b"MSH")
    mark = content[first : first + 4]
    at = content.find(mark, first + 1)
    while at > 0:
        if content[at - 1] in _BEFORE_A_SEGMENT:
            raise NotHl7("a second MSH: send each message in a block of its own, or several as a batch")
        at = content.find(mark, at + 1)


def _open_document(item: Incoming) -> Letter:
    charset_name = documents.require_well_formed(item.format, item.content)
    digest = sm3(item.content).hex()
    return Letter(
        item,
        _key(item.peer or item.address),
        _key(item.control_id) or digest[:32],
        _key(item.message_type)[:_TYPE_LENGTH],
        charset_name,
        digest,
    )


def _refused(item: Incoming, error: Unreadable) -> Letter:
    """What can still be told of an unreadable message, for the row and for the answer."""
    remains, charset_name = remains_of(item.content) if item.format == "er7" else (None, charset.UTF_8)
    return Letter(
        item,
        sender_of(remains, item) if remains else _key(item.peer or item.address),
        _key(remains.get("MSH-10")) if remains else _key(item.control_id),
        _key(remains.type if remains else item.message_type)[:_TYPE_LENGTH],
        charset_name,
        # Never the fingerprint of an accepted one: what is refused today may be sent again and be readable tomorrow.
        sm3(b"refused", item.content).hex(),
        remains=remains,
        error=error,
    )


def _fingerprint(header: Header, content: bytes) -> str:
    """SM3 of the message without its moment of sending and without regard to line ends."""
    # Not a copy: it may be a report with its PDF.
    rest = memoryview(content)[header.line_end :]
    if not content.endswith(b"\r") or b"\n" in content or b"\r\r" in content:
        rest = memoryview(_LINE_ENDS.sub(b"\r", rest).rstrip(b"\r") + b"\r")
    return sm3(header.without_moment().encode(), rest).hex()


def _key(text: str) -> str:
    """What fits into a column to search by."""
    if not text.isprintable():
        text = "".join(letter for letter in text if letter.isprintable())
    return text[:KEY_LENGTH]
