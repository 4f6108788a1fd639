"""The few statements that almost every step runs, as ready SQL: look up by equal columns, insert, update by id.

peewee composes each query anew; for a table of twenty columns that takes 400 µs of Python where SQLite needs 10 µs for the
rest, and an order passes about twenty of them. The text depends on the model and the columns only, so it is composed once.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import peewee

from core.db import database


def equal_columns(model: type[peewee.Model], query: Iterable[Any]) -> dict[peewee.Field, Any] | None:
    """`(A == 1, B == 2)` as {A: 1, B: 2}; None for any query that is more than that."""
    found: dict[peewee.Field, Any] = {}
    for part in query:
        if not isinstance(part, peewee.Expression) or part.op != peewee.OP.EQ:
            return None
        field, value = part.lhs, part.rhs
        is_plain = value is not None and (
            isinstance(value, peewee.Model) or not isinstance(value, peewee.Node)
        )
        if not isinstance(field, peewee.Field) or field.model is not model or not is_plain:
            return None
        found[field] = value
    return found


def select_equal(model: type[peewee.Model], columns: dict[peewee.Field, Any], limit: int | None) -> list[Any]:
    """The rows whose columns have these values, in the order of their ids."""
    sql = _select(model, tuple(columns), limit, database.param)
    cursor = database.execute_sql(sql, [field.db_value(value) for field, value in columns.items()])
    return [_row(model, values) for values in cursor.fetchall()]


def insert(model: type[peewee.Model], values: dict[peewee.Field, Any], *, ignore: bool = False) -> int | None:
    """Insert a row and return its id; with `ignore`, None when a unique column says that it is there already."""
    sql = _insert(model, tuple(values), ignore, database.param)
    found = database.execute_sql(sql, [field.db_value(value) for field, value in values.items()]).fetchone()
    return found[0] if found else None


def update(model: type[peewee.Model], row_id: int, values: dict[peewee.Field, Any]) -> int:
    """Change columns of one row; return 1, or 0 when it is gone."""
    sql = _update(model, tuple(values), database.param)
    told = [field.db_value(value) for field, value in values.items()]
    return int(database.execute_sql(sql, [*told, row_id]).rowcount)


@cache
def _select(model: Any, columns: Sequence[Any], limit: int | None, mark: str) -> str:
    names = ", ".join(_quoted(field) for field in model._meta.sorted_fields)
    where = " AND ".join(f"{_quoted(field)} = {mark}" for field in columns)
    tail = f" LIMIT {limit}" if limit else ""
    return f'SELECT {names} FROM "{model._meta.table_name}" WHERE {where} ORDER BY "id"{tail}'  # noqa: S608


@cache
def _insert(model: Any, columns: Sequence[Any], ignore: bool, mark: str) -> str:
    names = ", ".join(map(_quoted, columns))
    marks = ", ".join([mark] * len(columns))
    tail = " ON CONFLICT DO NOTHING" if ignore else ""
    return f'INSERT INTO "{model._meta.table_name}" ({names}) VALUES ({marks}){tail} RETURNING "id"'  # noqa: S608


@cache
def _update(model: Any, columns: Sequence[Any], mark: str) -> str:
    pairs = ", ".join(f"{_quoted(field)} = {mark}" for field in columns)
    return f'UPDATE "{model._meta.table_name}" SET {pairs} WHERE "id" = {mark}'  # noqa: S608


def _quoted(field: Any) -> str:
    return f'"{field.column_name}"'


def _row(model: Any, values: Sequence[Any]) -> Any:
    row = model(__no_default__=1)
    data = row.__data__
    for field, value in zip(model._meta.sorted_fields, values, strict=True):
        data[field.name] = field.python_value(value)
    return row
