"""The record of every request to the vault: an append-only SM3 hash chain in the vault's own database.

A row is on the disk when `append` returns. Rows that many threads append at once share one transaction and one flush. Each
row's hash covers the row before it; `verify` names the first that does not fit. Whoever can write the file can also
compute the whole chain anew: only a head that was kept elsewhere (`head`) proves that this did not happen.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import datetime
from typing import NamedTuple

from crypto.errors import AuditBroken, AuditUnavailable
from crypto.sm3 import sm3
from crypto.vault.database import KeyDatabase

GENESIS = "0" * 64
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS audit_log (seq INTEGER PRIMARY KEY, at TEXT NOT NULL, account TEXT NOT NULL, "
    "role TEXT NOT NULL, operation TEXT NOT NULL, subject TEXT NOT NULL, items INTEGER NOT NULL, outcome TEXT NOT NULL, "
    "detail TEXT NOT NULL, row_hash TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS audit_head (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, "
    "row_hash TEXT NOT NULL)",
    "CREATE TRIGGER IF NOT EXISTS audit_log_is_not_changed BEFORE UPDATE ON audit_log "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_log_is_not_cut BEFORE DELETE ON audit_log "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
)
_COLUMNS = "seq, at, account, role, operation, subject, items, outcome, detail, row_hash"
DONE = "done"


class Event(NamedTuple):
    """What is recorded of one request: names and ids, never content or keys. `items`: how many of a batch."""

    account: str
    role: str
    operation: str
    subject: str
    items: int = 1
    outcome: str = DONE
    detail: str = ""


class Row(NamedTuple):
    """One event with its place in the chain."""

    seq: int
    at: str
    event: Event
    row_hash: str


class AuditLog:
    """One per vault database and process; other processes may append to the same chain."""

    def __init__(self, database: KeyDatabase, now: Callable[[], datetime]) -> None:
        """Makes the tables where they are missing. `now` is aware UTC. Raises `AuditUnavailable`."""
        self.database = database
        self._now = now
        self._waiting: list[tuple[Event, Callable[[], None] | None, Future[None]]] = []
        self._queue_lock = threading.Lock()
        self._writer = threading.Lock()
        try:
            # One by one: `executescript` would commit a transaction that the caller has open.
            for statement in _SCHEMA:
                database.connection().execute(statement)
        except sqlite3.Error as error:
            raise _unavailable(error) from error

    def append(self, event: Event, also: Callable[[], None] | None = None) -> None:
        """Write one row; durable when this returns. `also` changes the same database in the same transaction.

        Within a transaction of this thread the row becomes a part of it. Raises `AuditUnavailable`, and what `also` raises;
        neither row nor change is there then.
        """
        if self.database.connection().in_transaction:
            self._write([(event, also)])
            return
        done: Future[None] = Future()
        with self._queue_lock:
            self._waiting.append((event, also, done))
        with self._writer:
            if not done.done():
                self._write_waiting()
        done.result()

    def head(self) -> tuple[int, str]:
        """Number and hash of the newest row; what an auditor keeps elsewhere."""
        row = self.database.connection().execute("SELECT seq, row_hash FROM audit_head").fetchone()
        return (row["seq"], row["row_hash"]) if row else (0, GENESIS)

    def rows(self, after: int = 0, limit: int = 1000) -> list[Row]:
        """At most `limit` rows after number `after`, oldest first."""
        query = f"SELECT {_COLUMNS} FROM audit_log WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608
        found = self.database.connection().execute(query, (after, limit))
        return [_row(row) for row in found]

    def verify(self, kept: tuple[int, str] | None = None) -> int:
        """Walk the chain; return its length. `kept` is a head that was exported before and must still be in it.

        Raises `AuditBroken` naming the first row that does not fit.
        """
        connection = self.database.connection()
        # One snapshot: rows that others append meanwhile are not part of this walk.
        connection.execute("BEGIN")
        try:
            return self._walk(connection, kept)
        finally:
            connection.rollback()

    def _walk(self, connection: sqlite3.Connection, kept: tuple[int, str] | None) -> int:
        seq, previous = 0, GENESIS
        for row in _iterate(connection):
            seq += 1
            if row.seq != seq:
                raise AuditBroken(f"audit row {seq}: it is missing; compare with the heads kept elsewhere")
            if row.row_hash != _hash(previous, row.seq, row.at, row.event):
                raise AuditBroken(
                    f"audit row {seq}: it or the row before it was changed; compare with the heads kept elsewhere"
                )
            previous = row.row_hash
            if kept is not None and kept[0] == seq and kept[1] != previous:
                raise AuditBroken(
                    f"audit row {seq}: its hash is not the one that was kept; the chain was rewritten"
                )
        if self.head() != (seq, previous) or (kept is not None and kept[0] > seq):
            raise AuditBroken(
                f"audit row {seq + 1}: rows were cut off at the end; compare with the heads kept elsewhere"
            )
        return seq

    def _write_waiting(self) -> None:
        """Everything that waits, in one transaction. If one of several makes it fail, each gets its own."""
        with self._queue_lock:
            batch, self._waiting = self._waiting, []
        if len(batch) > 1:
            try:
                self._write([(event, also) for event, also, _ in batch])
            except Exception:  # each is asked again alone, and its own error is told there
                for event, also, done in batch:
                    self._write_one(event, also, done)
            else:
                for _, _, done in batch:
                    done.set_result(None)
            return
        for event, also, done in batch:
            self._write_one(event, also, done)

    def _write_one(self, event: Event, also: Callable[[], None] | None, done: "Future[None]") -> None:
        try:
            self._write([(event, also)])
        except BaseException as error:
            done.set_exception(error)
        else:
            done.set_result(None)

    def _write(self, entries: list[tuple[Event, Callable[[], None] | None]]) -> None:
        try:
            with self.database.transaction() as connection:
                seq, previous = self.head()
                for event, also in entries:
                    seq, at = seq + 1, self._now().isoformat(timespec="microseconds")
                    previous = _hash(previous, seq, at, event)
                    connection.execute(
                        f"INSERT INTO audit_log ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                        (seq, at, *event, previous),
                    )
                    if also is not None:
                        also()
                connection.execute(
                    "INSERT INTO audit_head (id, seq, row_hash) VALUES (1, ?, ?) "
                    "ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, row_hash = excluded.row_hash",
                    (seq, previous),
                )
        except sqlite3.Error as error:
            raise _unavailable(error) from error


def _iterate(connection: sqlite3.Connection) -> Iterator[Row]:
    for row in connection.execute(f"SELECT {_COLUMNS} FROM audit_log ORDER BY seq"):  # noqa: S608
        yield _row(row)


def _row(row: sqlite3.Row) -> Row:
    values = tuple(row)
    return Row(values[0], values[1], Event(*values[2:9]), values[9])


def _hash(previous: str, seq: int, at: str, event: Event) -> str:
    body = json.dumps([previous, seq, at, *event], ensure_ascii=False, separators=(",", ":"))
    return sm3(body.encode()).hex()


def _unavailable(error: sqlite3.Error) -> AuditUnavailable:
    return AuditUnavailable(
        f"the record of key uses cannot be written ({error}): nothing was done; make room or repair the disk of keys.db"
    )
