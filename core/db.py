"""The database: SQLite (WAL, FULL, BEGIN IMMEDIATE) or PostgreSQL by URL, one transaction helper for both.

Measured in research/reliability.md §5; why BEGIN IMMEDIATE: a deferred transaction that upgrades to a
writer fails with SQLITE_BUSY however long the busy timeout is.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import peewee
from playhouse.db_url import parse as parse_url

from core.errors import Misconfigured

database = peewee.DatabaseProxy()

SQLITE_PRAGMAS = {"journal_mode": "wal", "synchronous": "full", "foreign_keys": 1, "busy_timeout": 30_000}


def connect(url: str) -> peewee.Database:
    """Bind the models to `url`: `sqlite:///path`, `sqlite:///:memory:` or `postgresql://…`. Opens none."""
    parsed = parse_url(url)
    if url.startswith("sqlite:"):
        path = parsed["database"]
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        real: peewee.Database = peewee.SqliteDatabase(
            path, pragmas=SQLITE_PRAGMAS, lock_type="immediate", timeout=30
        )
    elif url.startswith(("postgresql:", "postgres:")):
        real = peewee.PostgresqlDatabase(prefer_psycopg3=True, **parsed)
    else:
        raise Misconfigured(f"CLOUDFILM_DATABASE_URL {url.split(':')[0]}: use sqlite:///… or postgresql://…")
    database.initialize(real)
    return real


def is_sqlite() -> bool:
    """Whether the bound database is SQLite."""
    return isinstance(database.obj, peewee.SqliteDatabase)


@contextmanager
def connection() -> Iterator[None]:
    """Hold one connection for the block in this thread, closing it if this call opened it."""
    opened = database.connect(reuse_if_open=True)
    try:
        yield
    finally:
        if opened:
            database.close()


def transaction() -> AbstractContextManager[None]:
    """One transaction; inside another one, a part of it: what fails in it fails as a whole. Connects when needed."""
    return _Transaction()


class _Transaction:
    """A class, for generators inside each other take longer than BEGIN and COMMIT."""

    __slots__ = ("_inner", "_opened")

    def __enter__(self) -> None:
        self._opened = database.connect(reuse_if_open=True)
        self._inner: Any = None
        try:
            if not database.in_transaction():
                self._inner = database.transaction()
                self._inner.__enter__()
        except BaseException:
            self._close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._inner is not None:
                self._inner.__exit__(kind, error, trace)
        finally:
            self._close()

    def _close(self) -> None:
        if self._opened:
            database.close()


def lock(row: peewee.Model) -> None:
    """Hold `row` until the transaction ends. SQLite needs none: its writer already excludes all others."""
    if not is_sqlite():
        model: Any = type(row)
        model.select(model.id).where(model.id == row.get_id()).for_update().execute()


def lock_name(name: str) -> None:
    """Hold `name` until the transaction ends: for a row that two sides want and that may not exist yet."""
    if not is_sqlite():
        database.execute_sql("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))
