"""Commands of core/commands as JSON: for a HIS that would rather call an interface of today (docs/hl7-interface.md).

    {"action": "CancelOrder", "id": "…", "data": {"accession_number": "", "placer_order_number": "SQ1", "said_at": "…"}}

or a list of such objects, which take effect together or not at all. Strict: what is unknown, missing or of another type is
refused by the name of its field. No refusal repeats a value: it may be a person's.
"""

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, NamedTuple, NoReturn, get_args, get_origin

from hl7_engine import charset, json_shape
from hl7_engine.errors import REQUIRED_FIELD_MISSING, Unreadable, Unsupported

_ENVELOPE = {"action", "id", "data"}
_FIELD_NAME = re.compile(r"[A-Za-z_]{1,32}")
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
# As for XML; a list of the most commands with a hundred fields each is far below.
_MAX_OPENED = 200_000
_MAX_COMMAS = 500_000


class Loaded(NamedTuple):
    """JSON that was parsed, and the Python name of its characters."""

    told: Any
    charset: str


def read(content: bytes) -> list[object]:
    """The commands. Raises `Unreadable` naming the field, `Unsupported` for an action that does not exist."""
    return commands_in(load(content).told)


def commands_in(told: Any) -> list[object]:
    """The same of what `load` gave."""
    entries = told if isinstance(told, list) else [told]
    if not 1 <= len(entries) <= json_shape.MAX_COMMANDS:
        raise Unreadable(f"a list holds 1 to {json_shape.MAX_COMMANDS} commands, this one {len(entries)}")
    is_list = isinstance(told, list)
    return [_command(entry, f"[{place}]" if is_list else "") for place, entry in enumerate(entries)]


def heading(content: bytes) -> tuple[str, str]:
    """`id` and `action` of a message that need not be right; of a list, those of its first command."""
    try:
        return heading_of(load(content).told)
    except Unreadable:
        return "", ""


def heading_of(told: Any) -> tuple[str, str]:
    """The same of what `load` gave."""
    first = told[0] if isinstance(told, list) and told else told
    if not isinstance(first, dict):
        return "", ""
    message_id, action = first.get("id"), first.get("action")
    return (
        message_id[: json_shape.ID_LENGTH] if isinstance(message_id, str) else "",
        action if isinstance(action, str) and action in json_shape.ACTIONS else "",
    )


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a message."""
    found = json_shape.definitions("#/$defs/")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "CloudFilm commands",
        **found.pop("Message"),
        "$defs": found,
    }


def load(content: bytes) -> Loaded:
    """JSON as every way in reads it. Raises `Unreadable`; what parsing may cost is bounded before it begins."""
    text, charset_name = charset.decode(content)
    if text.count("{") + text.count("[") > _MAX_OPENED or text.count(",") > _MAX_COMMAS:
        raise Unreadable(
            f"the JSON has more than {_MAX_OPENED} objects and lists, or more than {_MAX_COMMAS} commas"
        )
    try:
        told = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise Unreadable(f"no JSON: broken in line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError):
        raise Unreadable("no JSON: a number too long, or nested too deep") from None
    if not isinstance(told, dict | list):
        raise Unreadable("a JSON message is an object, or a list of them")
    return Loaded(told, charset_name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) < len(pairs):
        raise Unreadable("no JSON object: a field is there twice")
    return told


def _refuse_constant(name: str) -> NoReturn:
    raise Unreadable(f"{name} is no number of JSON")


def _command(told: Any, place: str) -> object:
    if not isinstance(told, dict):
        raise Unreadable(f"{place or 'the message'} is no object")
    _require_known(told, _ENVELOPE, place)
    action, message_id = told.get("action"), told.get("id", "")
    if not isinstance(action, str):
        raise Unreadable(f"{_at(place, 'action')} is missing or no text", REQUIRED_FIELD_MISSING)
    if not isinstance(message_id, str) or len(message_id) > json_shape.ID_LENGTH:
        raise Unreadable(f"{_at(place, 'id')} is no text of at most {json_shape.ID_LENGTH} characters")
    if action not in json_shape.ACTIONS:
        raise Unsupported(f"{_at(place, 'action')} is none of {', '.join(json_shape.ACTIONS)}")
    if "data" not in told:
        raise Unreadable(f"{_at(place, 'data')} is missing", REQUIRED_FIELD_MISSING)
    return _record(json_shape.ACTIONS[action], told["data"], _at(place, "data"))


def _record(record: type, told: Any, place: str) -> object:
    if not isinstance(told, dict):
        raise Unreadable(f"{place} is no object")
    parts = {part.name: part for part in json_shape.parts_of(record)}
    _require_known(told, set(parts), place)
    missing = [name for name, part in parts.items() if json_shape.is_required(part) and name not in told]
    if missing:
        raise Unreadable(f"{_at(place, missing[0])} is missing", REQUIRED_FIELD_MISSING)
    kinds = json_shape.kinds_of(record)
    values = {name: _value(record, name, kinds[name], told[name], _at(place, name)) for name in told}
    if bool(values.get("document")) != bool(values.get("document_type")):
        raise Unreadable(f"{place}: document and document_type are told together")
    made: object = record(**values)
    return made


def _value(record: type, name: str, kind: Any, told: Any, place: str) -> Any:
    kind, may_be_null = json_shape.optional(kind)
    if told is None and may_be_null:
        return None
    if get_origin(kind) is tuple:
        return _tuple(record, name, get_args(kind), told, place)
    if kind is str:
        return _text(record, name, told, place)
    if kind in _READERS:
        return _READERS[kind](told, place)
    return _record(kind, told, place)


def _tuple(record: type, name: str, kinds: tuple[Any, ...], told: Any, place: str) -> tuple[Any, ...]:
    if not isinstance(told, list):
        raise Unreadable(f"{place} is no array")
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(told)
    if len(told) != len(kinds):
        raise Unreadable(f"{place} is no array of {len(kinds)}")
    return tuple(
        _value(record, name, kind, entry, f"{place}[{at}]")
        for at, (kind, entry) in enumerate(zip(kinds, told, strict=True))
    )


def _text(record: type, name: str, told: Any, place: str) -> str:
    if not isinstance(told, str):
        raise Unreadable(f"{place} is no text")
    # Before anything goes through it letter by letter.
    if len(told) > (limit := json_shape.longest(record, name)):
        raise Unreadable(f"{place} has more than {limit} characters")
    if _UNWRITABLE.search(told):
        raise Unreadable(f"{place} holds NUL or half a character")
    choices = json_shape.choices(record, name)
    if choices and told not in choices:
        raise Unreadable(f"{place} is none of {', '.join(map(repr, choices))}")
    if not told and name in json_shape.NOT_EMPTY:
        raise Unreadable(f"{place} is empty", REQUIRED_FIELD_MISSING)
    if (pattern := json_shape.pattern(name)) and not re.fullmatch(pattern, told, re.ASCII):
        raise Unreadable(f"{place} is not like {pattern}")
    if name == "birth_date" and told:
        _require_day(told, place)
    return told


def _require_day(told: str, place: str) -> None:
    try:
        date.fromisoformat(told)
    except ValueError:
        raise Unreadable(f"{place} is no day of the calendar") from None


def _truth(told: Any, place: str) -> bool:
    if not isinstance(told, bool):
        raise Unreadable(f"{place} is neither true nor false")
    return told


def _fen(told: Any, place: str) -> int:
    """Every number of a command is money."""
    if isinstance(told, bool) or not isinstance(told, int):
        raise Unreadable(f"{place} is no whole number: money is in fen")
    if not 0 <= told <= json_shape.MAX_FEN:
        raise Unreadable(f"{place} is not from 0 to {json_shape.MAX_FEN} fen")
    return told


def _moment(told: Any, place: str) -> datetime:
    try:
        moment = datetime.fromisoformat(told) if isinstance(told, str) else None
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Unreadable(f"{place} is no time like 2026-11-24T09:30:00+08:00")


def _pdf(told: Any, place: str) -> bytes:
    try:
        content = b64decode(told, validate=True) if isinstance(told, str) else b""
    except (binascii.Error, ValueError):
        raise Unreadable(f"{place} is no Base64, or was cut off") from None
    if not content.startswith(b"%PDF-"):
        raise Unreadable(f"{place} is no PDF in Base64")
    return content


_READERS: dict[type, Callable[[Any, str], Any]] = {
    bool: _truth,
    int: _fen,
    datetime: _moment,
    bytes: _pdf,
}


def _require_known(told: dict[str, Any], known: set[str], place: str) -> None:
    for name in told:
        if name not in known:
            shown = name if _FIELD_NAME.fullmatch(name) else "a field"
            raise Unreadable(f"{_at(place, shown)} is not known; known are {', '.join(sorted(known))}")


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
