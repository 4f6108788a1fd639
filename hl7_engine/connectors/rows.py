"""From a row of a hospital's view to a command as JSON (docs/hl7-interface.md), by the table of the site file.

What cannot be converted goes on as it is: the reader of the command says what is wrong with it, where a person sees it.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from core.errors import Misconfigured
from crypto.sm3 import sm3
from hl7_engine.connectors import settings
from hl7_engine.times import SHANGHAI

_ID_LENGTH = 32
_FEN = {"yuan": 100, "fen": 1}


@dataclass(frozen=True)
class Column:
    """Where one field of the command comes from.

    `values` is a code table, in which `*` stands for all others; `format` tells how a time written as text is written
    (strptime); `unit` is `yuan` or `fen` for money, which commands want in whole fen. All else becomes text.
    """

    column: str
    values: dict[str, Any] = field(default_factory=dict)
    format: str = ""
    unit: str = ""


class RowMapping:
    """`action` with its fields, each a path such as `patient.name` or `fee_lines.0.amount_fen`."""

    def __init__(
        self, subject: str, action: str, columns: Mapping[str, Any], constants: Mapping[str, Any]
    ) -> None:
        """Raises `Misconfigured` naming the field."""
        if not columns:
            raise Misconfigured(f"{subject}: columns is empty: name a column for each field of {action}")
        self._action = action
        self._columns = {path: _column(subject, path, told) for path, told in columns.items()}
        self._constants = dict(constants)
        _require_no_overlap(subject, {*columns, *constants})

    @property
    def names(self) -> set[str]:
        """The columns that a row must have, in capitals."""
        return {told.column.upper() for told in self._columns.values()}

    def command(self, row: Mapping[str, Any], watermark: object) -> bytes:
        """The command of a row (names in capitals). The same row gives the same bytes, whenever it is read.

        Its id follows from the watermark too: a row that is changed, and later changed back, is news both times.
        """
        valued = {path: _value(told, row[told.column.upper()]) for path, told in self._columns.items()}
        leaves = {path: value for path, value in valued.items() if value is not None}
        for path, value in self._constants.items():
            if _belongs(path, valued, leaves):
                leaves.setdefault(path, value)
        data: dict[str, Any] = {}
        for path, value in leaves.items():
            _put(data, path.split("."), value)
        told = _listed(data)
        digest = sm3(_written([str(watermark), told])).hex()[:_ID_LENGTH]
        return _written({"action": self._action, "id": digest, "data": told})


def _column(subject: str, path: str, told: Any) -> Column:
    if isinstance(told, str):
        return Column(told)
    if not isinstance(told, dict):
        raise Misconfigured(f"{subject}: columns: {path}: the name of a column, or a table with column = …")
    column = settings.read(Column, told, f"{subject}: columns: {path}")
    if column.unit and column.unit not in _FEN:
        raise Misconfigured(f"{subject}: columns: {path}: unit is {column.unit!r}: use yuan or fen")
    return column


def _require_no_overlap(subject: str, paths: set[str]) -> None:
    for path in sorted(paths):
        inside = next((other for other in sorted(paths) if other.startswith(f"{path}.")), None)
        if inside is not None:
            raise Misconfigured(f"{subject}: {inside} is inside {path}: give one of them")


def _value(told: Column, value: Any) -> Any:
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
        text = _plain(value)
        return told.values.get(str(text), told.values.get("*", text))
    if told.unit:
        return _fen(value, _FEN[told.unit])
    if told.format and isinstance(value, str):
        return _moment(value, told.format)
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=SHANGHAI)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return value
    if isinstance(value, Decimal | float) and math.isfinite(value) and value == int(value):
        # Numbers of patients and orders, kept as NUMBER.
        return str(int(value))
    return str(value)


def _fen(value: Any, factor: int) -> Any:
    """Whole fen; nothing is rounded."""
    try:
        fen = Decimal(str(value)) * factor
        return int(fen) if fen == fen.to_integral_value() else str(value)
    except (InvalidOperation, OverflowError, ValueError):
        return str(value)


def _moment(text: str, form: str) -> str:
    try:
        return str(_plain(datetime.strptime(text, form)))  # noqa: DTZ007 — hospital time when it names no zone
    except ValueError:
        return text


def _belongs(path: str, valued: Mapping[str, Any], leaves: Mapping[str, Any]) -> bool:
    """A constant inside a list (`fee_lines.0.choice`) counts only when the row tells something of that item."""
    parts = path.split(".")
    number = next((place for place, part in enumerate(parts) if part.isdigit()), None)
    if number is None:
        return True
    item = ".".join(parts[: number + 1]) + "."
    from_row = [other for other in valued if other.startswith(item)]
    return not from_row or any(other in leaves for other in from_row)


def _put(data: dict[str, Any], parts: list[str], value: Any) -> None:
    for part in parts[:-1]:
        data = data.setdefault(part, {})
    data[parts[-1]] = value


def _listed(data: Any) -> Any:
    """A table whose names are numbers is a list."""
    if not isinstance(data, dict):
        return data
    if data and all(name.isdigit() for name in data):
        return [_listed(data[name]) for name in sorted(data, key=int)]
    return {name: _listed(value) for name, value in data.items()}


def _written(told: Any) -> bytes:
    return json.dumps(told, ensure_ascii=False, sort_keys=True).encode()
