"""From a row of a hospital's view to a command as JSON (hl7_engine/json_commands.py), by the table of the site file.

What cannot be converted goes on as it is: the reader of commands says what is wrong with it, where a person sees it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, get_args, get_origin

from core.errors import Misconfigured
from crypto.sm3 import sm3
from hl7_engine import json_shape
from hl7_engine.connectors import settings
from hl7_engine.times import SHANGHAI

_ID_LENGTH = 32
_FEN = {"yuan": 100, "fen": 1}
_TRUTHS = {"1": True, "true": True, "0": False, "false": False}


@dataclass(frozen=True)
class Column:
    """Where one field of the command comes from.

    `values` is a code table, in which `*` stands for all others; `format` tells how a time written as text is written
    (strptime); `unit` is that of money.
    """

    column: str
    values: dict[str, Any] = field(default_factory=dict)
    format: str = ""
    unit: str = "fen"


class RowMapping:
    """`action` with its fields, each a path such as `patient.name` or `fee_lines.0.amount_fen`."""

    def __init__(
        self, subject: str, action: str, columns: Mapping[str, Any], constants: Mapping[str, Any]
    ) -> None:
        """Raises `Misconfigured` naming the field."""
        if action not in json_shape.ACTIONS:
            raise Misconfigured(
                f"{subject}: action is {action!r}: use one of {', '.join(json_shape.ACTIONS)}"
            )
        if not columns:
            raise Misconfigured(f"{subject}: columns is empty: name a column for each field of {action}")
        self._action = action
        self._columns = {path: _column(subject, path, told) for path, told in columns.items()}
        self._constants = dict(constants)
        self._kinds = {path: _kind_at(subject, action, path) for path in (*columns, *constants)}

    @property
    def names(self) -> set[str]:
        """The columns that a row must have, in capitals."""
        return {told.column.upper() for told in self._columns.values()}

    def command(self, row: Mapping[str, Any], watermark: object) -> bytes:
        """The command of a row (names in capitals). The same row gives the same bytes, whenever it is read.

        Its id follows from the watermark too: a row that is changed, and later changed back, is news both times.
        """
        valued = {
            path: _value(self._kinds[path], told, row[told.column.upper()])
            for path, told in self._columns.items()
        }
        leaves = {path: value for path, value in valued.items() if value is not None}
        for path, value in self._constants.items():
            if _belongs(path, valued, leaves):
                leaves.setdefault(path, value)
        tree: dict[str, Any] = {}
        for path, value in leaves.items():
            _put(tree, path.split("."), value)
        data = _shaped(json_shape.ACTIONS[self._action], tree)
        digest = sm3(_written([str(watermark), data])).hex()[:_ID_LENGTH]
        return _written({"action": self._action, "id": digest, "data": data})


def _column(subject: str, path: str, told: Any) -> Column:
    if isinstance(told, str):
        return Column(told)
    if not isinstance(told, dict):
        raise Misconfigured(f"{subject}: columns: {path}: the name of a column, or a table with column = …")
    column = settings.read(Column, told, f"{subject}: columns: {path}")
    if column.unit not in _FEN:
        raise Misconfigured(f"{subject}: columns: {path}: unit is {column.unit!r}: use yuan or fen")
    return column


def _kind_at(subject: str, action: str, path: str) -> type:
    """The type of the field that `path` names: a text, a time, an amount, a truth."""
    kind: Any = json_shape.ACTIONS[action]
    for part in path.split("."):
        kind, _ = json_shape.optional(kind)
        if get_origin(kind) is tuple:
            kind = dict(enumerate(_item_kinds(kind, part))).get(int(part)) if part.isdigit() else None
        else:
            kind = json_shape.kinds_of(kind).get(part) if is_dataclass(kind) else None  # type: ignore[arg-type]
        if kind is None:
            raise Misconfigured(f"{subject}: {path} is no field of {action}")
    kind, _ = json_shape.optional(kind)
    if kind not in (str, int, bool, datetime):
        raise Misconfigured(f"{subject}: {path} of {action} cannot be one column")
    return kind  # type: ignore[no-any-return]


def _item_kinds(kind: Any, part: str) -> list[Any]:
    kinds = get_args(kind)
    return [kinds[0]] * (int(part) + 1) if kinds[-1] is Ellipsis else list(kinds)


def _value(kind: type, told: Column, value: Any) -> Any:
    """None when the row does not tell it."""
    if hasattr(value, "read"):
        # A large text of Oracle.
        value = value.read()
    if isinstance(value, str):
        # CHAR columns come filled up with blanks.
        value = value.strip()
    if value is None or value == "":
        return None
    if told.values:
        text = _text(value)
        return told.values.get(text, told.values.get("*", text))
    if kind is int:
        return _fen(value, _FEN[told.unit])
    if kind is bool:
        return _TRUTHS.get(_text(value).lower(), _text(value))
    if told.format and isinstance(value, str):
        value = _parsed(value, told.format)
    return _moment(value) if kind is datetime else _text(value)


def _text(value: Any) -> str:
    """As a person writes it: days without an hour (a text that is a time is a day of birth), numbers without .0."""
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, Decimal | float) and isfinite(value) and value == int(value):
        return str(int(value))
    return str(value)


def _fen(value: Any, factor: int) -> Any:
    """Whole fen; nothing is rounded."""
    try:
        fen = Decimal(str(value)) * factor
        return int(fen) if fen == fen.to_integral_value() else str(value)
    except (InvalidOperation, OverflowError, ValueError):
        return str(value)


def _parsed(text: str, form: str) -> Any:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 — hospital time when it names no zone
    except ValueError:
        return text


def _moment(value: Any) -> str:
    """ISO 8601 with a zone: the hospital's when the database tells none."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).isoformat()


def _belongs(path: str, valued: Mapping[str, Any], leaves: Mapping[str, Any]) -> bool:
    """A constant inside a list (`fee_lines.0.choice`) counts only when the row tells something of that item."""
    parts = path.split(".")
    number = next((place for place, part in enumerate(parts) if part.isdigit()), None)
    if number is None:
        return True
    item = ".".join(parts[: number + 1]) + "."
    from_row = [other for other in valued if other.startswith(item)]
    return not from_row or any(other in leaves for other in from_row)


def _put(tree: dict[str, Any], parts: list[str], value: Any) -> None:
    for part in parts[:-1]:
        tree = tree.setdefault(part, {})
    tree[parts[-1]] = value


def _shaped(kind: Any, tree: Any) -> Any:
    """Lists where the command has them, and what it must have and the row does not tell as not told."""
    kind, _ = json_shape.optional(kind)
    if get_origin(kind) is tuple:
        numbers = sorted(tree, key=int)
        return [_shaped(_item_kinds(kind, number)[int(number)], tree[number]) for number in numbers]
    return _record(kind, tree) if is_dataclass(kind) else tree


def _record(record: Any, tree: Mapping[str, Any]) -> dict[str, Any]:
    kinds = json_shape.kinds_of(record)
    shaped = {}
    for part in json_shape.parts_of(record):
        if part.name in tree:
            shaped[part.name] = _shaped(kinds[part.name], tree[part.name])
        elif json_shape.is_required(part):
            shaped |= _not_told(part.name, kinds[part.name])
    return shaped


def _not_told(name: str, kind: Any) -> dict[str, Any]:
    """Times and amounts cannot be left open: the reader says that they are missing."""
    kind, may_be_null = json_shape.optional(kind)
    if may_be_null:
        return {name: None}
    if kind is str:
        return {name: ""}
    return {name: _shaped(kind, {})} if get_origin(kind) is tuple or is_dataclass(kind) else {}


def _written(told: Any) -> bytes:
    return json.dumps(told, ensure_ascii=False, sort_keys=True).encode()
