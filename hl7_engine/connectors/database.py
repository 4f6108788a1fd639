"""A hospital's database, read only, by any DB-API driver: what differs between them, in one place.

SQLite and PostgreSQL work as installed. Others need their driver beside CloudFilm (`pip install oracledb`) and its module
name in `driver`.
"""

import importlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from core.errors import Misconfigured, Unavailable
from hl7_engine.connectors.settings import no_address

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")
# How each paramstyle of PEP 249 writes a value.
_MARKS = {
    "qmark": "?",
    "numeric": ":1",
    "named": ":value",
    "format": "%s",
    "pyformat": "%(value)s",
}
# How a driver's database is told to give so many rows. Oracle before 12c knows no other way.
_LIMITS = {
    "limit": "SELECT * FROM {view} WHERE {condition} ORDER BY {order} LIMIT {rows}",
    "rownum": "SELECT * FROM (SELECT * FROM {view} WHERE {condition} ORDER BY {order}) WHERE ROWNUM <= {rows}",
    "top": "SELECT TOP {rows} * FROM {view} WHERE {condition} ORDER BY {order}",
}
LIMIT_STYLES = tuple(_LIMITS)


@dataclass(frozen=True)
class Source:
    """Where the view is. `text` names it for people, `open` gives a DB-API connection, `on_connect` prepares it."""

    text: str
    module: ModuleType
    open: Callable[[], Any]
    limit_style: str
    on_connect: tuple[str, ...] = ()

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """A connection for a few statements. Whatever the database says is `Unavailable`."""
        try:
            connection = self.open()
        except (self.module.Error, OSError, ValueError) as error:
            # Only the kind of error here and below: drivers quote the address with its password, and values of rows.
            raise Unavailable(f"no connection to the database {self.text}: {_kind(error)}") from error
        try:
            for statement in self.on_connect:
                connection.cursor().execute(statement)
            yield connection
        except self.module.Error as error:
            raise Unavailable(f"the database {self.text}: {_kind(error)}") from error
        finally:
            connection.close()

    def rows(
        self, connection: Any, view: str, condition: str, order: str, count: int, value: Any
    ) -> list[Any]:
        """At most `count` rows as dictionaries, names in capitals. `{}` in `condition` stands for `value`."""
        statement = _LIMITS[self.limit_style].format(
            view=view, condition=condition.format(_MARKS[self.module.paramstyle]), order=order, rows=count
        )
        cursor = connection.cursor()
        cursor.execute(statement, self._values(value))
        names = [description[0].upper() for description in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def number(self, connection: Any, view: str, condition: str) -> int:
        """How many rows of `view` fulfil `condition`."""
        cursor = connection.cursor()
        cursor.execute(f"SELECT COUNT(*) FROM {view} WHERE {condition}")  # noqa: S608 — names checked by the settings
        return int(cursor.fetchone()[0])

    def _values(self, value: Any) -> Any:
        return {"value": value} if self.module.paramstyle in ("named", "pyformat") else (value,)


def sqlite_source(url: str, seconds: int) -> Source:
    """A file, opened read only. `seconds`: how long it may be locked."""
    path = Path(url.removeprefix(_SQLITE))
    address = f"file:{quote(str(path))}?mode=ro"
    return Source(str(path), sqlite3, lambda: sqlite3.connect(address, uri=True, timeout=seconds), "limit")


def postgres_source(subject: str, text: str, url: str, seconds: int) -> Source:
    """PostgreSQL, in read-only transactions. `seconds`: how long a statement may take. Raises `Misconfigured`."""
    _require_address(subject, url)
    # Times without a zone mean the hospital's.
    options = (
        f"-c statement_timeout={seconds * 1000} -c default_transaction_read_only=on -c timezone=Asia/Shanghai"
    )
    return Source(
        text,
        psycopg,
        lambda: psycopg.connect(url, options=options, connect_timeout=seconds, autocommit=True),
        "limit",
    )


def driver_source(
    subject: str, driver: str, arguments: dict[str, Any], limit_style: str, on_connect: tuple[str, ...]
) -> Source:
    """Any other, by the module name of its DB-API driver. Raises `Misconfigured`."""
    try:
        module = importlib.import_module(driver)
    except ImportError:
        raise Misconfigured(
            f"{subject}: driver {driver} is not installed: `.venv/bin/pip install {driver}`, or name another"
        ) from None
    if getattr(module, "paramstyle", None) not in _MARKS or not hasattr(module, "Error"):
        raise Misconfigured(f"{subject}: {driver} is no DB-API driver (PEP 249)")
    text = str(arguments.get("host") or arguments.get("dsn") or driver)
    return Source(text, module, lambda: module.connect(**arguments), limit_style, on_connect)


def _require_address(subject: str, url: str) -> None:
    """A URL in which a password was not encoded is told at the start, not by the driver with the password in it."""
    try:
        told = conninfo_to_dict(url)
    except psycopg.Error:
        raise no_address(subject) from None
    # One or several places, as libpq takes them.
    ports = str(told.get("port") or "").split(",")
    is_split_wrongly = any("@" in str(told.get(name) or "") for name in ("host", "dbname"))
    if is_split_wrongly or any(port and not port.isdecimal() for port in ports):
        raise no_address(subject)


def is_sqlite(url: str) -> bool:
    """Whether the URL names a SQLite file."""
    return url.startswith(_SQLITE)


def is_postgres(url: str) -> bool:
    """Whether the URL names a PostgreSQL database."""
    return url.startswith(_POSTGRES)


def _kind(error: Exception) -> str:
    code = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    return f"{type(error).__name__} {code or ''}".strip()
