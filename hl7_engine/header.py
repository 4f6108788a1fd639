"""The header of a message read alone: all that taking it in needs. The rest is only looked at for what it must not be.

Splitting a message into segments costs more than storing it, and several times its size in memory when it carries a PDF.
And a sender's headers differ in two fields, when (MSH-7) and which (MSH-10): what the others say is worked out once.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from hl7_engine import acknowledge
from hl7_engine.acknowledge import Template
from hl7_engine.er7 import MAX_SEGMENTS, Message, separators_of
from hl7_engine.errors import Unreadable

# What may stand before a message: a byte order mark of UTF-8, line ends, blanks.
_LEAD = re.compile(rb"(?:\xef\xbb\xbf|[\r\n\t ])*")
_LINE_END = re.compile(rb"[\r\n]")
_SHORTEST = 8
# What is no header any more, in characters.
MAX_HEADER = 64 * 1024
# Headers have some hundred characters: the forms of all peers together take little memory.
_LONGEST_KEPT = 1000
# Places in the split line: MSH-1 is the separator, so MSH-7 is the one with number 6.
_SENT_AT, _CONTROL_ID = 6, 9


class Form:
    """What headers of one kind say; `message` is such a header with MSH-7 and MSH-10 empty."""

    def __init__(self, line: str) -> None:
        self.message = Message([line], separators_of(line))
        msh = self.message.first("MSH")
        self.sender = "|".join((msh.get("3"), msh.get("4"))).strip("|")
        self.type = self.message.type
        self.has_type = bool(msh.get("9.1"))
        self._templates: dict[tuple[str, str], Template | None] = {}

    def accepted(self, mode: str, charset_name: str) -> Template | None:
        """How one who sends such headers hears that his message is safe; None when he wants to hear nothing."""
        key = (mode, charset_name)
        if key not in self._templates:
            code = acknowledge.answer_code(acknowledge.ACCEPTED, self.message.first("MSH"), mode)
            self._templates[key] = Template(code, self.message, charset_name) if code else None
        return self._templates[key]


class Header(NamedTuple):
    """One header. `control_id` is MSH-10 as it was sent; `line_end` is where the first line of the message ends."""

    form: Form
    line: str
    control_id: str
    line_end: int

    @property
    def message(self) -> Message:
        """A message that has this header alone."""
        return Message([self.line], self.form.message.separators)

    def without_moment(self) -> str:
        """The header without MSH-7: a sender that repeats a message may renew it."""
        field = self.form.message.separators.field
        fields = self.line.split(field, _SENT_AT + 1)
        if len(fields) > _SENT_AT:
            fields[_SENT_AT] = ""
        return field.join(fields)


def read_header(content: bytes, charset_name: str) -> Header:
    """The header of `content`, which is known to be text in `charset_name`.

    Raises as `Message.parse` does of the whole: `NotHl7`, `Unreadable`; and `Unreadable` when it is too long.
    """
    begin = 0 if content.startswith(b"MSH") else _begin(content)
    end = content.find(b"\r", begin)
    if end < 0 or content.find(b"\n", begin, end) >= 0:
        line_end = _LINE_END.search(content, begin)
        end = line_end.start() if line_end else len(content)
    if content.startswith(b"MSH", begin) and end >= begin + _SHORTEST and _is_usual(content):
        line = content[begin:end].decode(charset_name)
        if _next_segment(separators_of(line).field, charset_name).match(content, end):
            return _header(line, end)
    # It is none, or breaks a limit, or its header goes on in the next line: whoever reads everything knows which.
    return _header(Message.parse(content.decode(charset_name)).lines[0], end)


def _header(line: str, line_end: int) -> Header:
    if len(line) > MAX_HEADER:
        raise Unreadable(f"the message header is longer than {MAX_HEADER} characters")
    field = separators_of(line).field
    fields = line.split(field)
    control_id = ""
    if len(fields) > _CONTROL_ID:
        control_id, fields[_CONTROL_ID] = fields[_CONTROL_ID], ""
    if len(fields) > _SENT_AT:
        fields[_SENT_AT] = ""
    form = field.join(fields)
    return Header(_kept_form(form) if len(form) <= _LONGEST_KEPT else Form(form), line, control_id, line_end)


@lru_cache(maxsize=1024)
def _kept_form(line: str) -> Form:
    return Form(line)


def _begin(content: bytes) -> int:
    lead = _LEAD.match(content)
    return lead.end() if lead else 0


def _is_usual(content: bytes) -> bool:
    return b"\x00" not in content and (
        len(content) <= MAX_SEGMENTS or content.count(b"\r") + content.count(b"\n") <= MAX_SEGMENTS
    )


@lru_cache(maxsize=32)
def _next_segment(field: str, charset_name: str) -> re.Pattern[bytes]:
    mark = re.escape(field.encode(charset_name))
    return re.compile(rb"[\r\n]*(?:\Z|[A-Z][A-Z0-9]{2}(?:" + mark + rb"|[\r\n]|\Z))")
