"""What a watched folder has done with each state of each file, durable before anything follows from it.

    sealing   a name below `out` was given to it; whether the sealed file is there, the disk tells
    sealed    sealed and proven; to be handed over
    stored    handed over; the source may go
    aside     could not be sealed; the reason is kept

A file is known by name, length, time of change and inode: when one of them changes it is another file. `touched_ns`, the
time of its last change of any sort (ctime, which no program can set), decides whether it may be deleted without a look.
"""

import os
import secrets
import sqlite3
import threading
from pathlib import Path
from typing import Any, NamedTuple

from crypto.files.placing import Stamp

SEALING, SEALED, STORED, ASIDE = "sealing", "sealed", "stored", "aside"

# FULL: what was noted is there after a power cut.
_TABLE = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
CREATE TABLE IF NOT EXISTS file (
    token TEXT PRIMARY KEY,
    name BLOB NOT NULL,
    size INTEGER NOT NULL, modified_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    touched_ns INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    object_id TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    UNIQUE (name, size, modified_ns, inode)
);
CREATE INDEX IF NOT EXISTS file_state ON file (state, attempts);
"""


class Entry(NamedTuple):
    """One state of one file; `token`, 32 hex digits, is its name below `out` and in the store."""

    token: str
    name: str
    stamp: Stamp
    touched_ns: int
    state: str


class Journal:
    """One SQLite file (mode 0600); threads share one connection, for there is little to write."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.executescript(_TABLE)
        self._lock = threading.Lock()

    def begin(self, name: str, stamp: Stamp, touched_ns: int) -> Entry:
        """The entry of this state of the file, made when it is new."""
        kept = [_signed(number) for number in stamp]
        self._run(
            "INSERT OR IGNORE INTO file (token, name, size, modified_ns, inode, touched_ns, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (secrets.token_hex(16), os.fsencode(name), *kept, touched_ns, SEALING),
        )
        (entry,) = self._entries(
            "name = ? AND size = ? AND modified_ns = ? AND inode = ?", (os.fsencode(name), *kept)
        )
        return entry

    def sealed(self, token: str, object_id: str, kind: str) -> None:
        """It is sealed and proven."""
        self._run(
            "UPDATE file SET state = ?, attempts = 0, reason = '', object_id = ?, kind = ? WHERE token = ?",
            (SEALED, object_id, kind, token),
        )

    def stored(self, token: str) -> None:
        """It was handed over."""
        self._run("UPDATE file SET state = ?, reason = '' WHERE token = ?", (STORED, token))

    def aside(self, token: str) -> None:
        """It is not tried again."""
        self._run("UPDATE file SET state = ? WHERE token = ?", (ASIDE, token))

    def failed(self, token: str, reason: str) -> int:
        """One more attempt came to nothing; how many there were."""
        text = reason.encode("utf-8", "replace").decode()  # a message may hold a file name that is no Unicode
        self._run("UPDATE file SET attempts = attempts + 1, reason = ? WHERE token = ?", (text, token))
        return int(self._run("SELECT attempts FROM file WHERE token = ?", (token,))[0][0])

    def forget(self, token: str) -> None:
        """The file changed: this state of it is no more."""
        self._run("DELETE FROM file WHERE token = ?", (token,))

    def to_hand_over(self) -> list[Entry]:
        """What is sealed and not handed over, what failed least often first."""
        return self._entries("state = ? ORDER BY attempts, rowid", (SEALED,))

    def counts(self) -> dict[str, int]:
        """How many files are in each state."""
        return dict(self._run("SELECT state, COUNT(*) FROM file GROUP BY state", ()))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _entries(self, which: str, values: tuple[object, ...]) -> list[Entry]:
        columns = "token, name, size, modified_ns, inode, touched_ns, state"
        rows = self._run(f"SELECT {columns} FROM file WHERE {which}", values)  # noqa: S608, written above
        return [Entry(row[0], os.fsdecode(row[1]), Stamp(*row[2:5]), row[5], row[6]) for row in rows]

    def _run(self, statement: str, values: tuple[object, ...]) -> list[Any]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()


def _signed(number: int) -> int:
    """In the 64 bits with sign that SQLite has: inodes of shares use all 64, times after 2262 do not fit in ns."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)
