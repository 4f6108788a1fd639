"""The header of a message read alone: all that taking it in needs. The rest is only looked at for what it must not be.

Splitting a message into segments costs more than storing it, and several times its size in memory when it carries a PDF.
"""

import re
from functools import lru_cache

from hl7_engine.er7 import MAX_SEGMENTS, Message, separators_of

# What may stand before a message: a byte order mark of UTF-8, line ends, blanks.
_LEAD = re.compile(rb"(?:\xef\xbb\xbf|[\r\n\t ])*")
_LINE_END = re.compile(rb"[\r\n]")
_SHORTEST = 8


def read_header(content: bytes, charset_name: str) -> tuple[Message, int]:
    """A message that has the header alone, and where in `content` its first line ends.

    `content` is known to be text in `charset_name`. Raises as `Message.parse` does of the whole: `NotHl7`, `Unreadable`.
    """
    begin = _begin(content)
    end = content.find(b"\r", begin)
    if end < 0 or content.find(b"\n", begin, end) >= 0:
        line_end = _LINE_END.search(content, begin)
        end = line_end.start() if line_end else len(content)
    if content.startswith(b"MSH", begin) and end >= begin + _SHORTEST and _is_usual(content):
        line = content[begin:end].decode(charset_name)
        separators = separators_of(line)
        if _next_segment(separators.field, charset_name).match(content, end):
            return Message([line], separators), end
    # It is none, or breaks a limit, or its header goes on in the next line: whoever reads everything knows which.
    whole = Message.parse(content.decode(charset_name))
    return Message(whole.lines[:1], whole.separators), end


def _begin(content: bytes) -> int:
    lead = _LEAD.match(content)
    return lead.end() if lead else 0


def _is_usual(content: bytes) -> bool:
    return b"\x00" not in content and content.count(b"\r") + content.count(b"\n") <= MAX_SEGMENTS


@lru_cache(maxsize=32)
def _next_segment(field: str, charset_name: str) -> re.Pattern[bytes]:
    mark = re.escape(field.encode(charset_name))
    return re.compile(rb"[\r\n]*(?:\Z|[A-Z][A-Z0-9]{2}(?:" + mark + rb"|[\r\n]|\Z))")
