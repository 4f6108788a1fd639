"""Values in fields: money, keys of limited length, words that may be cut."""

import re
from datetime import datetime

from core.clock import now
from hl7_engine.er7 import Message, Segment
from hl7_engine.errors import Unreadable
from hl7_engine.times import parse_moment

KEY_LENGTH = 64
# Below ten million yuan: more is a decimal point that went astray.
_YUAN = re.compile(r"(-?)([0-9]{1,7})(?:\.([0-9]{1,2})0*)?")


def key(segment: Segment, path: str) -> str:
    """A number that rows are found by. Raises `Unreadable` when too long: a cut one would find others."""
    value = segment.get(path)
    if len(value) > KEY_LENGTH:
        raise Unreadable(f"{segment.name}-{path} has more than {KEY_LENGTH} characters")
    return value


def words(segment: Segment, *paths: str, longest: int = KEY_LENGTH) -> str:
    """The first of the paths that has a value, cut to `longest`: it is only read by people."""
    return next(filter(None, map(segment.get, paths)), "")[:longest]


def fen(text: str, place: str) -> int:
    """An amount in yuan, `20`, `20.0` or `-20.00`, as integer fen. Raises `Unreadable`."""
    match = _YUAN.fullmatch(text)
    if match is None:
        raise Unreadable(f"{place} is {text[:32]!r}: an amount is yuan with at most two decimals")
    sign, yuan, cents = match.groups()
    return int(f"{sign}{yuan}{(cents or '').ljust(2, '0')}")


def moment(segment: Segment, *paths: str) -> datetime | None:
    """The first of the paths that has a time; None when none has. Raises `Unreadable`."""
    for path in paths:
        text = segment.get(path)
        if text:
            return parse_moment(text, f"{segment.name}-{path}")
    return None


def said_at(message: Message) -> datetime:
    """When the sender wrote the message (MSH-7); now, when it does not say."""
    return moment(message.first("MSH"), "7.1") or now()
