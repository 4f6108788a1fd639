"""A stored message laid open for a person: segments and fields by name, and what its sender's profile reads in them.

Values are shown as they stand, down to the part that can be corrected (draft.py); XML and JSON are indented.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.parsers.expat import ExpatError

from defusedxml import minidom
from defusedxml.common import DefusedXmlException

from core.logs import mask_text
from core.models import InboundMessage
from hl7_engine import charset
from hl7_engine.documents import JSON, XML
from hl7_engine.er7 import Message, Segment, Separators, unescape
from hl7_engine.errors import Unreadable
from hl7_engine.field_names import FACTS, field_name, segment_title
from hl7_engine.message_store import decoded
from hl7_engine.profile import Profile
from hl7_engine.site import Site

LONGEST_VALUE = 1_000
LONGEST_TEXT = 200_000
# Where a person stands in the clear; everywhere else phones and identity numbers are masked by their form.
_PERSONAL = {"PID": {5, 6, 9, 11, 19, 20}, "MRG": {7}, "NK1": {2, 4}, "IN1": {16, 36}, "GT1": {3, 5}}
_MASK = "***"


@dataclass(frozen=True)
class Part:
    """One value and its place, `PID-3[2].1`. `is_whole`: not cut for showing, so it can be edited as it stands."""

    path: str
    value: str
    is_whole: bool = True


@dataclass(frozen=True)
class FieldShown:
    """One field that has a value. `facts`: what the profile reads there, in Chinese."""

    path: str
    name: str
    parts: tuple[Part, ...]
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class SegmentShown:
    """One segment; `title` is empty for what nobody here knows (a site's own Z segment)."""

    name: str
    title: str
    fields: tuple[FieldShown, ...]


@dataclass(frozen=True)
class Explanation:
    """`segments` of HL7 v2; else `text`. `is_cut`: the text is longer than what is shown."""

    segments: tuple[SegmentShown, ...] = ()
    text: str = ""
    is_cut: bool = False


def explain(row: InboundMessage, site: Site) -> Explanation:
    """Lay the message open in the dialect of its sender. Never raises for what is wrong with it."""
    if row.format == "er7":
        try:
            message = Message.parse(charset.decode(row.body).text)
        except Unreadable:
            return _as_text(decoded(row.body, row.charset).replace("\r", "\n"))
        return Explanation(tuple(_segments(message, site.peer_of(row.peer).profile)))
    return _as_text(pretty(row.format, row.body, row.charset))


def masked(explanation: Explanation) -> Explanation:
    """The same without names, addresses, phones and identity numbers: to be shown where it is not audited."""
    return Explanation(
        tuple(_masked_segment(segment) for segment in explanation.segments),
        mask_text(explanation.text),
        explanation.is_cut,
    )


def pretty(format_name: str, body: bytes, charset_name: str) -> str:
    """XML or JSON indented; as it stands when it is neither."""
    text = decoded(body, charset_name)
    try:
        if format_name == JSON:
            return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
        if format_name == XML:
            declared_away = text.partition("?>")[2] if text.lstrip().startswith("<?xml") else text
            lines = minidom.parseString(declared_away.strip(), forbid_dtd=True).toprettyxml(indent="  ")
            return "\n".join(line for line in lines.splitlines()[1:] if line.strip())
    except (ValueError, RecursionError, ExpatError, DefusedXmlException):
        pass
    return text


def _as_text(text: str) -> Explanation:
    return Explanation(text=text[:LONGEST_TEXT], is_cut=len(text) > LONGEST_TEXT)


def _segments(message: Message, profile: Profile) -> Iterator[SegmentShown]:
    facts = _facts_by_place(profile)
    counts: Counter[str] = Counter()
    for segment in message.all_segments:
        counts[segment.name] += 1
        number = counts[segment.name]
        label = segment.name if number == 1 else f"{segment.name}[{number}]"
        fields = tuple(_fields(segment, label, message.separators, facts))
        yield SegmentShown(label, segment_title(segment.name), fields)


def _fields(
    segment: Segment, label: str, separators: Separators, facts: dict[tuple[str, int], tuple[str, ...]]
) -> Iterator[FieldShown]:
    for number in range(1, segment.last_field + 1):
        raw = segment.raw(number)
        if not raw:
            continue
        place = f"{label}-{number}"
        # MSH-1 and MSH-2 are the separators themselves.
        if segment.name == "MSH" and number <= 2:
            parts: tuple[Part, ...] = (Part(place, raw, is_whole=False),)
        else:
            parts = tuple(_parts(raw, place, separators))
        read = facts.get((segment.name, number), ())
        yield FieldShown(place, field_name(segment.name, number), parts, read)


def _parts(raw: str, place: str, separators: Separators) -> Iterator[Part]:
    """The pieces that have a value, each with the shortest path that names it."""
    for repetition, text in enumerate(raw.split(separators.repetition), 1):
        at = place if repetition == 1 else f"{place}[{repetition}]"
        yield from _pieces(text, at, (separators.component, separators.subcomponent), separators)


def _pieces(text: str, at: str, splitters: tuple[str, ...], separators: Separators) -> Iterator[Part]:
    if not text:
        return
    if not splitters or not any(splitter in text for splitter in splitters):
        value = unescape(text, separators)
        yield Part(at, _cut(value), len(value) <= LONGEST_VALUE)
        return
    for number, piece in enumerate(text.split(splitters[0]), 1):
        yield from _pieces(piece, f"{at}.{number}", splitters[1:], separators)


def _cut(value: str) -> str:
    return value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…（共 {len(value):,} 字）"


def _facts_by_place(profile: Profile) -> dict[tuple[str, int], tuple[str, ...]]:
    found: dict[tuple[str, int], tuple[str, ...]] = {}
    for fact, places in profile.fields.items():
        for place in places:
            key = (place.segment, place.field.field)
            word = FACTS.get(fact, fact)
            if word not in found.get(key, ()):
                found[key] = (*found.get(key, ()), word)
    return found


def _masked_segment(segment: SegmentShown) -> SegmentShown:
    personal = _PERSONAL.get(segment.name[:3], set())
    fields = tuple(
        replace(
            field,
            parts=tuple(
                replace(part, value=_MASK if _number(field) in personal else mask_text(part.value))
                for part in field.parts
            ),
        )
        for field in segment.fields
    )
    return replace(segment, fields=fields)


def _number(field: FieldShown) -> int:
    return int(field.path.rpartition("-")[2])
