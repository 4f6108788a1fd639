"""What a client may say, and what we answer. Everything is checked before it reaches a room; what it means is for pages."""

import json
import unicodedata
from dataclasses import dataclass
from typing import Any, NoReturn

from core.errors import Refused

VERSION = 1
PARTS = ("layout", "view", "voi", "cine", "camera", "annotations", "tool")
MAX_CELL = 63
MAX_DEPTH = 16
MAX_NAME = 24
MAX_ID = 32
# Beyond it JavaScript no longer counts by ones.
MAX_NUMBER = 2**53
_COORDINATES = ("x", "y", "z", "frame")
_UID_LENGTH = 64


@dataclass(frozen=True)
class Hello:
    """Begins a visit. `you`, `epoch` and `seq` are those of the visit that was cut off."""

    name: str
    you: str
    epoch: str
    seq: int


@dataclass(frozen=True)
class State:
    """The presenter's state of one part of one cell; of the whole film when `cell` is None."""

    cell: int | None
    part: str
    data: Any

    @property
    def key(self) -> str:
        """What it takes the place of."""
        return f"{'' if self.cell is None else self.cell}/{self.part}"


@dataclass(frozen=True)
class Pointer:
    """Where somebody points; None when no longer."""

    cell: int
    point: dict[str, Any] | None


@dataclass(frozen=True)
class Ask:
    """May I present?"""


@dataclass(frozen=True)
class Give:
    """Somebody else presents."""

    to: str


@dataclass(frozen=True)
class Take:
    """I present: nobody does, the presenter vanished, or I am of the staff."""


@dataclass(frozen=True)
class Bye:
    """I leave for good."""


Message = Hello | State | Pointer | Ask | Give | Take | Bye


def parse(text: str) -> Message:
    """Raises `Refused` saying what is wrong, without repeating it."""
    told = _load(text)
    if told.get("v") != VERSION:
        raise Refused("v: 1 is the only version")
    kind = told.get("kind")
    if kind == "hello":
        return _hello(told)
    if kind == "state":
        return _state(told)
    if kind == "pointer":
        return Pointer(_cell(told), _point(told.get("point")))
    if kind == "give":
        return Give(_text(told, "to", MAX_ID))
    for simple in (Ask, Take, Bye):
        if kind == simple.__name__.lower():
            return simple()
    raise Refused("kind is none of hello, state, pointer, ask, give, take, bye")


def write(kind: str, **told: Any) -> str:
    """A message of ours."""
    return write_json({"v": VERSION, "kind": kind, **told})


def write_json(told: Any) -> str:
    """Compact JSON. Raises `Refused` for what is none."""
    try:
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        text.encode()
    except ValueError:  # a number without end, half a character
        raise Refused("a number or a character is none of JSON") from None
    return text


def _hello(told: dict[str, Any]) -> Hello:
    last = told.get("last")
    if not isinstance(last, dict):
        return Hello(_name(told), "", "", 0)
    return Hello(_name(told), _text(last, "you", MAX_ID), _text(last, "epoch", MAX_ID), _count(last, "seq"))


def _state(told: dict[str, Any]) -> State:
    part = told.get("part")
    if part not in PARTS:
        raise Refused(f"part is none of {', '.join(PARTS)}")
    if "data" not in told:
        raise Refused("data is missing")
    cell = None if told.get("cell") is None else _cell(told)
    return State(cell, part, told["data"])


def _point(told: Any) -> dict[str, Any] | None:
    if told is None:
        return None
    if not isinstance(told, dict) or not {"x", "y"} <= told.keys() <= {*_COORDINATES, "instance"}:
        raise Refused("point is {x, y, z} of the patient or {x, y, instance, frame} of an image")
    if not all(_is_number(told[name]) for name in _COORDINATES if name in told):
        raise Refused("a coordinate is no number")
    if "instance" in told:
        _text(told, "instance", _UID_LENGTH)
    return told


def _cell(told: dict[str, Any]) -> int:
    cell = _count(told, "cell")
    if cell > MAX_CELL:
        raise Refused(f"cell is more than {MAX_CELL}")
    return cell


def _count(told: dict[str, Any], name: str) -> int:
    value = told.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Refused(f"{name} is no whole number from 0 on")
    return value


def _text(told: dict[str, Any], name: str, longest: int) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= longest or not value.isascii():
        raise Refused(f"{name} is no text of 1 to {longest} characters of ASCII")
    return value


def _name(told: dict[str, Any]) -> str:
    """How somebody wants to be called, without what is not seen: marks of direction could turn others' names around."""
    value = told.get("name", "")
    if not isinstance(value, str):
        raise Refused("name is no text")
    seen = "".join(sign for sign in value if unicodedata.category(sign)[0] != "C")
    return " ".join(seen.split())[:MAX_NAME]


def _load(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Refused("no JSON") from None
    if not isinstance(told, dict):
        raise Refused("a message is an object")
    _measure(told)
    return told


def _measure(told: Any) -> None:
    level: list[Any] = [told]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below += value.values()
            elif isinstance(value, list):
                below += value
            elif isinstance(value, int | float) and not _is_number(value):
                raise Refused("a number is too large")
        if not below:
            return
        level = below
    raise Refused(f"nested deeper than {MAX_DEPTH}")


def _is_number(value: Any) -> bool:
    """`bool` passes: to JSON it is another kind of thing, and harmless. NaN is not at most anything."""
    return isinstance(value, int | float) and abs(value) <= MAX_NUMBER


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) < len(pairs) or "__proto__" in told:
        raise Refused("a field is there twice, or has a forbidden name")
    return told


def _refuse(name: str) -> NoReturn:
    raise Refused(f"{name} is no number of JSON")
