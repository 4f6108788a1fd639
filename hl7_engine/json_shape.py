"""What a command looks like in JSON, told by the dataclasses of core/commands and by a few tables beside them.

| Python | JSON |
|---|---|
| str | string, at most as long as its column |
| datetime | string, ISO 8601 with a zone |
| int, bool | number without a fraction, true or false |
| bytes | string, Base64; a PDF |
| tuple | array |
| a dataclass | object with the same fields; those with a default may be left out |
"""

import types
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from datetime import datetime
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from core import commands

# What an outside system may ask for. Images come by DICOM, so ReceiveInstance is not among them.
ACTIONS: dict[str, type] = {
    command.__name__: command
    for command in (
        commands.RegisterPatient,
        commands.MergePatients,
        commands.CancelVisit,
        commands.PlaceOrder,
        commands.CancelOrder,
        commands.ScheduleExam,
        commands.NoteProgress,
        commands.CompleteExam,
        commands.DeliverReport,
        commands.WithdrawReport,
        commands.SettleFee,
        commands.RefundFee,
        commands.WaiveFee,
        commands.UpdateDictionary,
    )
}
ID_LENGTH = 64
MAX_COMMANDS = 1_000
MAX_FEN = 1_000_000_000
_LONGEST_TEXT = 200_000
_LONGEST = {
    "name": 128,
    "item_name": 128,
    "phone": 32,
    "birth_date": 10,
    "modality": 16,
    "patient_class": 4,
    "channel": 16,
    "findings": _LONGEST_TEXT,
    "impression": _LONGEST_TEXT,
    "SettleFee.source": 32,
    "RefundFee.source": 32,
    "FeeLine.item_code": 32,
}
_USUAL_LENGTH = 64
_CHOICES = {
    "PatientFacts.sex": ("M", "F", "O", "U"),
    "FeeLine.choice": ("charge", "waived", "included"),
    "ScheduleExam.status": ("booked", "moved", "cancelled", "no_show"),
    "NoteProgress.status": ("arrived", "in_progress"),
    "DeliverReport.status": ("F", "C"),
    "DeliverReport.document_type": ("", "application/pdf"),
    "UpdateDictionary.kind": ("staff", "location", "item", "price", "other"),
}
# Rows are found by these: an empty one would find others. Everywhere else empty means "not told".
NOT_EMPTY = frozenset({"identifiers", "retired", "source", "key", "fee_line_id", "code"})
_PATTERNS = {
    "birth_date": r"(\d{4}-\d{2}-\d{2})?",
    # DICOM PS3.5 §9.1.
    "study_uids": r"[0-9]+(\.[0-9]+)+",
}


@cache
def kinds_of(record: type) -> dict[str, Any]:
    """The type of each field."""
    return get_type_hints(record)


def parts_of(record: type) -> Iterator[Field[Any]]:
    """The fields of a command, or of what it holds."""
    yield from fields(record)


def is_required(part: Field[Any]) -> bool:
    """Whether it must be told."""
    return part.default is MISSING and part.default_factory is MISSING


def longest(record: type, name: str) -> int:
    """So many characters a text may have."""
    return _LONGEST.get(f"{record.__name__}.{name}") or _LONGEST.get(name, _USUAL_LENGTH)


def choices(record: type, name: str) -> tuple[str, ...]:
    """The only texts that are taken, if they are counted."""
    return _CHOICES.get(f"{record.__name__}.{name}", ())


def pattern(name: str) -> str:
    """What a text looks like, if that is told."""
    return _PATTERNS.get(name, "")


def optional(kind: Any) -> tuple[Any, bool]:
    """A type without its `| None`, and whether it had one."""
    if get_origin(kind) in (types.UnionType, Union):
        rest = [part for part in get_args(kind) if part is not type(None)]
        return rest[0], len(rest) < len(get_args(kind))
    return kind, False


def definitions(place: str) -> dict[str, dict[str, Any]]:
    """JSON Schemas by name: each command, what commands hold, `Command` and `Message`. References begin with `place`."""
    found: dict[str, dict[str, Any]] = {}
    for command in ACTIONS.values():
        _define(command, place, found)
    envelopes = [
        {
            "type": "object",
            "title": name,
            "description": _first_sentence(command),
            "properties": {
                "action": {"const": name},
                "id": {"type": "string", "maxLength": ID_LENGTH, "description": "of the message, yours"},
                "data": {"$ref": place + name},
            },
            "required": ["action", "data"],
            "additionalProperties": False,
        }
        for name, command in ACTIONS.items()
    ]
    found["Command"] = {"oneOf": envelopes}
    several = {
        "type": "array",
        "items": {"$ref": place + "Command"},
        "minItems": 1,
        "maxItems": MAX_COMMANDS,
    }
    found["Message"] = {"oneOf": [{"$ref": place + "Command"}, several]}
    return found


def _define(record: type, place: str, found: dict[str, dict[str, Any]]) -> None:
    kinds = kinds_of(record)
    found[record.__name__] = {
        "type": "object",
        "description": " ".join((record.__doc__ or "").split()),
        "properties": {
            part.name: _schema_of(record, part.name, kinds[part.name], place, found)
            for part in parts_of(record)
        },
        "required": [part.name for part in parts_of(record) if is_required(part)],
        "additionalProperties": False,
    }


def _schema_of(
    record: type, name: str, kind: Any, place: str, found: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    kind, may_be_null = optional(kind)
    if may_be_null:
        return {"anyOf": [_schema_of(record, name, kind, place, found), {"type": "null"}]}
    if get_origin(kind) is tuple:
        return _array(record, name, get_args(kind), place, found)
    if kind is str:
        return _text(record, name)
    if kind in _SIMPLE:
        return dict(_SIMPLE[kind])
    if kind.__name__ not in found:
        _define(kind, place, found)
    return {"$ref": place + kind.__name__}


_SIMPLE: dict[type, dict[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": 0, "maximum": MAX_FEN, "description": "fen"},
    datetime: {"type": "string", "format": "date-time", "description": "with zone"},
    bytes: {"type": "string", "contentEncoding": "base64", "contentMediaType": "application/pdf"},
}


def _array(
    record: type, name: str, kinds: tuple[Any, ...], place: str, found: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    if kinds[-1] is Ellipsis:
        return {"type": "array", "items": _schema_of(record, name, kinds[0], place, found)}
    return {
        "type": "array",
        "prefixItems": [_schema_of(record, name, kind, place, found) for kind in kinds],
        "minItems": len(kinds),
        "maxItems": len(kinds),
    }


def _text(record: type, name: str) -> dict[str, Any]:
    if counted := choices(record, name):
        return {"type": "string", "enum": list(counted)}
    schema: dict[str, Any] = {"type": "string", "maxLength": longest(record, name)}
    if name in NOT_EMPTY:
        schema["minLength"] = 1
    if form := pattern(name):
        schema["pattern"] = f"^{form}$"
    return schema


def _first_sentence(record: type) -> str:
    return " ".join((record.__doc__ or "").split()).partition(". ")[0]
