"""What a person typed on a page, put into a stored message: by field for HL7 v2, as a whole for everything else.

Fields that were not changed keep their bytes. Text comes back from a form with line ends of its own (CR LF): they become
those of the message again.
"""

from collections.abc import Mapping

from core.errors import Refused
from core.models import InboundMessage
from hl7_engine import charset
from hl7_engine.draft import Draft
from hl7_engine.errors import Unreadable
from hl7_engine.explanation import Explanation, Part

# More inputs than these, or a longer text, is nothing to edit in a browser.
MAX_PARTS = 400
MAX_TEXT = 50_000


def editable_parts(explanation: Explanation) -> list[Part]:
    """The values that may be changed as they stand; none when there are too many."""
    parts = [
        part
        for segment in explanation.segments
        for field in segment.fields
        for part in field.parts
        if part.is_whole
    ]
    return parts if len(parts) <= MAX_PARTS else []


def with_fields(body: bytes, explanation: Explanation, typed: Mapping[str, str]) -> bytes:
    """The message with the values that differ from what is there; `typed` by path, also paths that have no value yet.

    Raises `Refused` for what is no path, `Unreadable` for a segment that is not there.
    """
    present = {part.path: part.value for part in editable_parts(explanation)}
    draft = Draft.open(body)
    for path, value in typed.items():
        told = value.replace("\r\n", "\n")
        if told == present.get(path, ""):
            continue
        try:
            draft.set(path, told)
        except ValueError:
            raise Refused(f"“{path[:32]}” 不是字段位置：请写成 PID-8 或 PID-5.1 的形式") from None
    return draft.to_bytes()


def editable_text(row: InboundMessage) -> str | None:
    """The whole message as text, lines ending in LF; None when it is too long for a page or cannot be decoded exactly."""
    charset_name = _charset_of(row)
    if charset_name is None:
        return None
    text = row.body.decode(charset_name)
    return text.replace("\r\n", "\n").replace("\r", "\n") if len(text) <= MAX_TEXT else None


def with_text(row: InboundMessage, typed: str) -> bytes:
    """The bytes of the text in the characters and with the line ends of the message. Raises `Unreadable`."""
    charset_name = _charset_of(row) or charset.UTF_8
    end = next((end for end in (b"\r\n", b"\r", b"\n") if end in row.body), b"\r").decode()
    text = typed.replace("\r\n", "\n").replace("\r", "\n").replace("\n", end)
    try:
        return text.encode(charset_name)
    except UnicodeEncodeError:
        raise Unreadable(f"{charset_name} cannot hold what was typed") from None


def _charset_of(row: InboundMessage) -> str | None:
    """In which every byte of it is a character: what was found when it came, else what it looks like now."""
    for name in (row.charset, charset.UTF_8, charset.GB18030):
        try:
            if name and row.body.decode(name).encode(name) == row.body:
                return name
        except (UnicodeError, LookupError):
            continue
    return None
