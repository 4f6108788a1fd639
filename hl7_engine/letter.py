"""A message at the door: whose it is, which one, and whether it can be read at all. Nothing is stored here."""

import re
from dataclasses import dataclass

from crypto.sm3 import sm3
from hl7_engine import charset, documents
from hl7_engine.er7 import Message
from hl7_engine.errors import REQUIRED_FIELD_MISSING, NotHl7, Undecodable, Unreadable
from hl7_engine.header import read_header
from hl7_engine.incoming import Incoming

KEY_LENGTH = 64
_TYPE_LENGTH = 32
# The moment of sending (MSH-7), by its place in the split header: a sender that repeats may renew it.
_SENT_AT = 6
_LINE_ENDS = re.compile(rb"[\r\n]+")


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as far as it could be read; `header` is a message of the header alone, or nothing."""

    item: Incoming
    peer: str
    control_id: str
    message_type: str
    charset: str
    # Equal for the same message sent again; 64 hex digits.
    fingerprint: str
    header: Message | None = None
    error: Unreadable | None = None

    @property
    def is_refused(self) -> bool:
        """Whether its sender has to correct it."""
        return self.error is not None


def open_letter(item: Incoming) -> Letter:
    """Read what taking it in needs. Whatever it is, it becomes a letter; an unreadable one holds the reason."""
    try:
        return _open_er7(item) if item.format == "er7" else _open_document(item)
    except Unreadable as error:
        return _refused(item, error)


def head_of(content: bytes) -> tuple[Message | None, str]:
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


def peer_of(header: Message, item: Incoming) -> str:
    """Who sent it, as it names itself."""
    msh = header.first("MSH")
    return key("|".join((msh.get("3"), msh.get("4"))).strip("|") or item.peer or item.address)


def key(text: str) -> str:
    """What fits into a column to search by."""
    if not text.isprintable():
        text = "".join(letter for letter in text if letter.isprintable())
    return text[:KEY_LENGTH]


def _open_er7(item: Incoming) -> Letter:
    if item.damage:
        raise NotHl7(item.damage.value)
    charset_name = charset.detect(item.content)
    header, line_end = read_header(item.content, charset_name)
    msh = header.first("MSH")
    control_id = msh.get("10")
    if not msh.get("9.1"):
        raise Unreadable("MSH-9, the message type, is missing", REQUIRED_FIELD_MISSING)
    if not control_id:
        raise Unreadable("MSH-10, the control id, is missing", REQUIRED_FIELD_MISSING)
    return Letter(
        item,
        peer_of(header, item),
        key(control_id),
        key(header.type)[:_TYPE_LENGTH],
        charset_name,
        _fingerprint(header, item.content, line_end),
        header,
    )


def _open_document(item: Incoming) -> Letter:
    charset_name = documents.require_well_formed(item.format, item.content)
    digest = sm3(item.content).hex()
    return Letter(
        item,
        key(item.peer or item.address),
        key(item.control_id) or digest[:32],
        key(item.message_type)[:_TYPE_LENGTH],
        charset_name,
        digest,
    )


def _refused(item: Incoming, error: Unreadable) -> Letter:
    """What can still be told of an unreadable message, for the row and for the answer."""
    header, charset_name = head_of(item.content) if item.format == "er7" else (None, charset.UTF_8)
    return Letter(
        item,
        peer_of(header, item) if header else key(item.peer or item.address),
        key(header.get("MSH-10")) if header else key(item.control_id),
        key(header.type if header else item.message_type)[:_TYPE_LENGTH],
        charset_name,
        sm3(item.content).hex(),
        header,
        error,
    )


def _fingerprint(header: Message, content: bytes, line_end: int) -> str:
    """SM3 of the message without its moment of sending and without regard to line ends."""
    field = header.separators.field
    fields = header.lines[0].split(field, _SENT_AT + 1)
    if len(fields) > _SENT_AT:
        fields[_SENT_AT] = ""
    # Not a copy: it may be a report with its PDF.
    rest = memoryview(content)[line_end:]
    if b"\n" in content or b"\r\r" in content or not content.endswith(b"\r"):
        rest = memoryview(_LINE_ENDS.sub(b"\r", rest).rstrip(b"\r") + b"\r")
    return sm3(field.join(fields).encode(), rest).hex()
