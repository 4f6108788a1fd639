"""Reading ER7, the `|^~\\&` notation of HL7 v2 (v2.5.1 chapter 2), by path and no further than asked.

Splitting costs some microseconds per message where a full parse costs tens of milliseconds (research/hl7.md
§2.1). Tolerant where the field is: CR, LF or CRLF end a segment, blank lines are nothing, and a line that
does not begin like a segment continues the text of the one before (reports with naked line breaks).
"""

import re
from functools import lru_cache
from typing import NamedTuple, Self

from hl7_engine.errors import NotHl7, Unreadable

MAX_SEGMENTS = 10_000
HL7_NULL = '""'

_LINE_ENDS = re.compile(r"\r\n|\r|\n")
_PATH = re.compile(r"(\d+)(?:\[(\d+)\])?(?:\.(\d+))?(?:\.(\d+))?")
_MESSAGE_PATH = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?-(.+)")


class Separators(NamedTuple):
    """The characters that MSH-1 and MSH-2 choose for the message."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


class Path(NamedTuple):
    """`5`, `5.1`, `5[2].1.3`: field, repetition (from 1), component and subcomponent (0: the whole)."""

    field: int
    repetition: int
    component: int
    subcomponent: int


@lru_cache(maxsize=1024)
def parse_path(text: str) -> Path:
    """Read a path inside a segment. ValueError for a mistake in our own code."""
    match = _PATH.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no path like 5, 5.1 or 5[2].1")
    field, repetition, component, subcomponent = match.groups()
    return Path(int(field), int(repetition or 1), int(component or 0), int(subcomponent or 0))


def parse_message_path(text: str) -> tuple[str, int, Path]:
    """`FT1[2]-11` as segment name, its occurrence (from 1) and the path inside it. ValueError for what is none."""
    name, number, inner = _split_path(text)
    return name, number, parse_path(inner)


@lru_cache(maxsize=1024)
def _split_path(text: str) -> tuple[str, int, str]:
    match = _MESSAGE_PATH.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no path like PID-5.1 or FT1[2]-11")
    name, occurrence, inner = match.groups()
    return name, int(occurrence or 1), inner


class Segment:
    """One segment. Missing fields read as empty, and so does HL7's explicit null `""`: it never erases."""

    def __init__(self, line: str, separators: Separators) -> None:
        self.name = line[:3]
        self._line = line
        self._separators = separators
        self._fields: list[str] | None = None
        self._split: dict[int, list[str]] = {}

    @property
    def is_empty(self) -> bool:
        """Whether it has no field at all, as one that the message lacks."""
        return len(self._line) <= len(self.name)

    def get(self, path: str) -> str:
        """The value at `path`, unescaped; of a whole field, its repetition as it stands."""
        return self.at(parse_path(path))

    def at(self, path: Path) -> str:
        """The same for a path that was read before."""
        field, repetition, component, subcomponent = path
        value = self.raw(field)
        if not value:
            return ""
        separators = self._separators
        if repetition > 1 or separators.repetition in value:
            value = _nth(self._repetitions(field), repetition)
        if component:
            value = _nth(value.split(separators.component), component)
        if subcomponent:
            value = _nth(value.split(separators.subcomponent), subcomponent)
        if value == HL7_NULL:
            return ""
        return unescape(value, separators).strip()

    def _repetitions(self, field: int) -> list[str]:
        """Split once: a field of many repetitions is asked for each of them."""
        if field not in self._split:
            self._split[field] = self.raw(field).split(self._separators.repetition)
        return self._split[field]

    def count(self, field: int) -> int:
        """How many repetitions the field has; none when it is empty."""
        raw = self.raw(field)
        return raw.count(self._separators.repetition) + 1 if raw else 0

    def raw(self, field: int) -> str:
        """The field with all its repetitions and escapes, as it was sent."""
        if self._fields is None:
            separator = self._separators.field
            self._fields = self._line.split(separator)
            if self.name == "MSH":
                # MSH-1 is the separator itself.
                self._fields.insert(1, separator)
        return self._fields[field] if field < len(self._fields) else ""

    @property
    def last_field(self) -> int:
        """The number of its last field."""
        self.raw(0)
        return len(self._fields or ()) - 1

    def text(self, field: int) -> str:
        """A field of running text (TX, FT): its repetitions are lines.

        Senders forget to escape `~`, and "3~5mm" is common in reports: between digits it is kept.
        """
        separators = self._separators
        tilde = re.escape(separators.repetition)
        lines = re.split(rf"(?<!\d){tilde}|{tilde}(?!\d)", self.raw(field))
        return "\n".join(unescape(line, separators).strip() for line in lines if line != HL7_NULL).strip()


class Message:
    """One message. `lines` are its segments as text, in order, without their ends."""

    def __init__(self, lines: list[str], separators: Separators) -> None:
        self.lines = lines
        self.separators = separators
        self._segments: list[Segment] | None = None
        self._first: dict[str, Segment] = {}

    @classmethod
    def parse(cls, text: str) -> Self:
        """Find header and segments. Raises `NotHl7` without a header, `Unreadable` when a limit is passed."""
        text = text.lstrip("\ufeff\r\n\t ")
        if not text.startswith("MSH") or len(text) < 8:
            raise NotHl7("the message does not begin with an MSH segment")
        if "\x00" in text:
            raise Unreadable("the message contains NUL characters: remove them")
        separators = separators_of(text)
        begins = re.compile(rf"[A-Z][A-Z0-9]{{2}}(?:{re.escape(separators.field)}|$)")
        # Each segment with the lines that continue it; joined once, for a document may come in 100,000 lines.
        parts: list[list[str]] = []
        for line in _LINE_ENDS.split(text):
            if begins.match(line):
                if parts and line.startswith("MSH"):
                    # Two messages whose blocks ran into each other: read as one, they would mix two patients.
                    raise NotHl7(
                        "a second MSH: send each message in a block of its own, or several as a batch"
                    )
                parts.append([line])
            elif line.strip():
                parts[-1].append(line)
            if len(parts) > MAX_SEGMENTS:
                raise Unreadable(f"the message has more than {MAX_SEGMENTS} segments: send several")
        return cls(["\n".join(part) for part in parts], separators)

    @property
    def all_segments(self) -> list[Segment]:
        """Every segment in order."""
        if self._segments is None:
            self._segments = [Segment(line, self.separators) for line in self.lines]
        return self._segments

    def segments(self, name: str) -> list[Segment]:
        """The segments of this name, in order."""
        return [segment for segment in self.all_segments if segment.name == name]

    def first(self, name: str) -> Segment:
        """The first segment of this name; an empty one when there is none."""
        if name not in self._first:
            found = (segment for segment in self.all_segments if segment.name == name)
            self._first[name] = next(found, self.missing(name))
        return self._first[name]

    def missing(self, name: str) -> Segment:
        """A segment that the message does not have: every field of it is empty."""
        return Segment(name, self.separators)

    def get(self, path: str) -> str:
        """The value at `PID-5.1` or, of the second such segment, at `FT1[2]-11`."""
        name, number, inner = _split_path(path)
        if number == 1:
            return self.first(name).get(inner)
        found = self.segments(name)
        return found[number - 1].get(inner) if 1 <= number <= len(found) else ""

    @property
    def type(self) -> str:
        """Message code and trigger event, `OMG^O19`; only the code when there is no event."""
        header = self.first("MSH")
        code, event = header.get("9.1"), header.get("9.2")
        return f"{code}^{event}" if event else code


def unescape(text: str, separators: Separators = Separators()) -> str:  # noqa: B008 — an immutable tuple
    """Resolve escape sequences (chapter 2.7). Line breaks become \\n, highlighting goes, others stay."""
    mark = separators.escape
    if mark not in text:
        return text
    return _escapes(mark).sub(lambda match: _resolve(match, separators), text)


def escape(text: str, separators: Separators = Separators()) -> str:  # noqa: B008 — an immutable tuple
    """Make `text` safe inside a field. Line breaks become `\\.br\\`."""
    mark = separators.escape
    codes = {
        mark: "E",
        separators.field: "F",
        separators.component: "S",
        separators.subcomponent: "T",
        separators.repetition: "R",
    }
    safe = "".join(f"{mark}{codes[letter]}{mark}" if letter in codes else letter for letter in text)
    return _LINE_ENDS.sub(lambda _: f"{mark}.br{mark}", safe)


@lru_cache(maxsize=8)
def _escapes(mark: str) -> re.Pattern[str]:
    quoted = re.escape(mark)
    return re.compile(rf"{quoted}([FSTREHN]|\.br|\.sp\d*|X(?:[0-9A-Fa-f]{{2}})+){quoted}")


def _resolve(match: re.Match[str], separators: Separators) -> str:
    code = match[1]
    if code.startswith("X"):
        return _from_hex(code[1:]) or match[0]
    if code.startswith("."):
        return "\n"
    return {
        "F": separators.field,
        "S": separators.component,
        "T": separators.subcomponent,
        "R": separators.repetition,
        "E": separators.escape,
    }.get(code, "")


def _from_hex(digits: str) -> str:
    """The characters of `\\X0D\\` and the like; empty when they are none that a field may hold."""
    content = bytes.fromhex(digits)
    for charset in ("utf-8", "gb18030"):
        try:
            text = _LINE_ENDS.sub("\n", content.decode(charset))
        except UnicodeDecodeError:
            continue
        return text if all(letter.isprintable() or letter in "\n\t" for letter in text) else ""
    return ""


def separators_of(text: str) -> Separators:
    """What MSH-1 and MSH-2 of the text of a message choose. Raises `NotHl7`."""
    return _separators_of(text[:20])


@lru_cache(maxsize=256)
def _separators_of(text: str) -> Separators:
    field = text[3]
    if field.isalnum() or field.isspace():
        raise NotHl7("MSH-1 is no field separator")
    encoding = _LINE_ENDS.split(text[4:], maxsplit=1)[0].split(field)[0]
    given = dict(zip(("component", "repetition", "escape", "subcomponent"), encoding, strict=False))
    return Separators(field, **given)


def _nth(parts: list[str], number: int) -> str:
    return parts[number - 1] if 1 <= number <= len(parts) else ""
