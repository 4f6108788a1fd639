"""The vault's own database: one SQLite file, apart from the platform's, so that the key server runs without it.

sqlite3 as it is, not peewee: a vault of 200,000 keys is written by `executemany`, and several vaults are open in one process
while a backup is restored, which models bound to one database cannot do.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# FULL: a key that was answered must be there after a power cut (docs/crypto.md).
_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"
)
_WAIT_SECONDS = 30.0


class KeyDatabase:
    """Connections per thread to one file. Other processes may use it at the same time."""

    def __init__(self, path: Path) -> None:
        """Open or create (mode 0600). Raises `sqlite3.DatabaseError` when the file is no database."""
        self.path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    def connection(self) -> sqlite3.Connection:
        """This thread's connection, rows by name; outside `transaction` each statement is its own."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        # A worker forks for every job, and SQLite forbids to take a connection along.
        if connection is None or self._local.process != os.getpid():
            connection = sqlite3.connect(
                self.path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
            connection.row_factory = sqlite3.Row
            connection.executescript(_PRAGMAS)
            self._local.connection, self._local.process = connection, os.getpid()
            with self._lock:
                self._all.append(connection)
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, durable at the end; inside another one, a part of it."""
        connection = self.connection()
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.commit()
        except BaseException:
            # Also when the disk was full at the commit: a transaction left open would swallow what comes next.
            connection.rollback()
            raise

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            connections, self._all = self._all, []
        for connection in connections:
            connection.close()
        self._local = threading.local()
