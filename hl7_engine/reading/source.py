"""One message as its sender's profile reads it: facts by name, codes translated, times in the peer's notation.

Readers ask for `accession_number`, not for OBR-18, so that a dialect is a table and not code. What could not be
understood without being an error is noted, and which fields were looked at is remembered: both are what
`./cloudfilm hl7 try-profile` shows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from core.clock import now
from hl7_engine.er7 import Message, Segment, parse_path
from hl7_engine.errors import Unreadable
from hl7_engine.profile import Place, Profile
from hl7_engine.times import parse_date, parse_moment

KEY_LENGTH = 64

# Segments of one order, report or fee line, by their names; a segment that is not among them is the message's first.
Scope = Mapping[str, Segment]
_WHOLE_MESSAGE: Scope = {}


class Found(NamedTuple):
    """A value and where it stood."""

    text: str
    place: Place | None


@dataclass
class Source:
    """A message and its profile. `film_item_code` is the code of the film fee at this site."""

    message: Message
    profile: Profile
    film_item_code: str = "YYX0001"
    notes: list[str] = field(default_factory=list)
    touched: set[Place] = field(default_factory=set)

    def value(self, name: str, scope: Scope = _WHOLE_MESSAGE) -> str:
        """The fact as it stands, in the first place of the profile that has one; empty when none has."""
        return self.find(name, scope).text

    def find(self, name: str, scope: Scope = _WHOLE_MESSAGE) -> Found:
        """The fact and its place."""
        for place in self.profile.fields[name]:
            segment = self.segment(place.segment, scope)
            self.touched.add(place)
            text = _typed(segment, place) if place.type else segment.at(place.field)
            if text:
                return Found(text, place)
        return Found("", None)

    def key(self, name: str, scope: Scope = _WHOLE_MESSAGE) -> str:
        """A number that rows are found by. Raises `Unreadable` when too long: a cut one would find others."""
        text, place = self.find(name, scope)
        if len(text) > KEY_LENGTH:
            raise Unreadable(f"{place} has more than {KEY_LENGTH} characters")
        return text

    def words(self, name: str, longest: int = KEY_LENGTH, scope: Scope = _WHOLE_MESSAGE) -> str:
        """Text that is only read by people, cut to `longest`."""
        return self.value(name, scope)[:longest]

    def code(self, name: str, scope: Scope = _WHOLE_MESSAGE) -> str:
        """A code in our words, in capitals; one that the profile does not list stays as it is."""
        text = self.value(name, scope)
        return self.profile.meaning(name, text).upper() if text else ""

    def moment(self, name: str, scope: Scope = _WHOLE_MESSAGE) -> datetime | None:
        """A time; None when none is told. Raises `Unreadable` naming the field."""
        text, place = self.find(name, scope)
        return parse_moment(text, str(place), self.profile.time_formats) if text else None

    def date(self, name: str) -> str:
        """A day as YYYY-MM-DD; empty, with a note, when it is none."""
        text, place = self.find(name)
        day = parse_date(text, self.profile.time_formats)
        if text and not day:
            self.notes.append(f"{place}: no date that the profile's time_formats can read")
        return day

    def places(self, name: str, scope: Scope = _WHOLE_MESSAGE) -> Iterator[tuple[Segment, Place]]:
        """The profile's places of a fact that is read in a way of its own (repetitions, names)."""
        for place in self.profile.fields[name]:
            self.touched.add(place)
            yield self.segment(place.segment, scope), place

    def segment(self, name: str, scope: Scope = _WHOLE_MESSAGE) -> Segment:
        """The scope's segment of this name, else the message's first, else an empty one."""
        return scope[name] if name in scope else self.message.first(name)

    def touch(self, segment: str, field_number: int) -> None:
        """Remember a field that is read without a place in the profile."""
        self.touched.add(Place(segment, str(field_number), parse_path(str(field_number))))

    @property
    def said_at(self) -> datetime:
        """When the sender wrote the message (MSH-7); now, when it does not say."""
        text = self.message.get("MSH-7.1")
        return parse_moment(text, "MSH-7", self.profile.time_formats) if text else now()


def _typed(segment: Segment, place: Place) -> str:
    """The value in the repetition whose component 5 is the place's type (PID-3: HL7 table 0203)."""
    path = place.field
    for repetition in range(1, segment.count(path.field) + 1):
        if segment.get(f"{path.field}[{repetition}].5").upper() == place.type:
            return segment.get(f"{path.field}[{repetition}].{path.component or 1}")
    return ""
