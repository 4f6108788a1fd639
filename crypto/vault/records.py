"""The rows of the vault's keys, and the one place that reads and writes them.

A KEK version is a row like any other; its id is `name/version`. A tombstone is a row whose blob was deleted.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from operator import attrgetter

from crypto.errors import KeyRefused
from crypto.vault.database import KeyDatabase
from crypto.vault.states import State

# `wrapped_by` is the name of a KEK; empty: the system key. `number` orders keys by age, for pages and for jobs.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, owner TEXT NOT NULL, purpose TEXT NOT NULL,
    version INTEGER NOT NULL, state TEXT NOT NULL, wrapped_by TEXT NOT NULL, wrapped_version INTEGER NOT NULL,
    public BLOB NOT NULL, created_at TEXT NOT NULL, activated_at TEXT NOT NULL, ended_at TEXT NOT NULL, reason TEXT NOT NULL,
    uses INTEGER NOT NULL, blob BLOB
);
CREATE INDEX IF NOT EXISTS keys_by_wrapping ON keys (wrapped_by, wrapped_version);
CREATE INDEX IF NOT EXISTS keys_by_owner ON keys (owner);
"""
_PAGE = 1000


class Kind(StrEnum):
    """What a key is."""

    SM2 = "sm2"
    SM4 = "sm4"
    KEK = "kek"


@dataclass(frozen=True)
class KeyRecord:
    """Everything about a key but the key. Times are ISO 8601 in UTC, empty where nothing happened; `uses` since creation.

    `public`: 64 bytes x ‖ y of an SM2 pair, else empty. `reason`: what was said at the last change of state.
    """

    id: str
    kind: Kind
    owner: str
    purpose: str
    version: int
    state: State
    wrapped_by: str
    wrapped_version: int
    public: bytes = field(repr=False)
    created_at: str
    activated_at: str = ""
    ended_at: str = ""
    reason: str = ""
    uses: int = 0
    number: int = 0

    @property
    def called(self) -> str:
        """How messages name it."""
        return f"key {self.id} of {self.owner}"


@dataclass(frozen=True)
class StoredKey:
    """A row with its wrapped secret; None in a tombstone."""

    record: KeyRecord
    blob: bytes | None = field(repr=False)


_FIELDS = tuple(one.name for one in fields(KeyRecord))
_COLUMNS = ", ".join(_FIELDS)
_INSERTED = tuple(name for name in _FIELDS if name != "number")
_values = attrgetter(*_INSERTED)
# Column names come from the dataclass above, values are always bound.
_INSERT = f"INSERT INTO keys ({', '.join(_INSERTED)}, blob) VALUES ({', '.join('?' * (len(_INSERTED) + 1))})"  # noqa: S608
_BY_ID = f"SELECT {_COLUMNS}, blob FROM keys WHERE id = ?"  # noqa: S608
_BY_WRAPPING = (
    f"SELECT {_COLUMNS}, blob FROM keys WHERE wrapped_by = ? AND wrapped_version < ? "  # noqa: S608
    "AND blob IS NOT NULL LIMIT ?"
)


class Records:
    """The table. Methods that change it belong inside of `KeyDatabase.transaction`."""

    def __init__(self, database: KeyDatabase) -> None:
        self._database = database

    def create_table(self) -> None:
        """Where it is missing."""
        for statement in _SCHEMA.split(";"):
            self._database.connection().execute(statement)

    def insert(self, keys: Iterable[StoredKey]) -> None:
        """New rows. Raises `KeyRefused` when an id is taken."""
        rows = ((*_values(key.record), key.blob) for key in keys)
        try:
            self._database.connection().executemany(_INSERT, rows)
        except sqlite3.IntegrityError:
            raise KeyRefused("a key of this name and version exists already; take another name") from None

    def find(self, key_id: str) -> StoredKey:
        """By id. Raises `KeyRefused` when there is none."""
        row = self._database.connection().execute(_BY_ID, (key_id,)).fetchone()
        if row is None:
            raise KeyRefused(f"key {key_id[:80]}: it is not in {self._database.path}; see `keys list`")
        return _stored(row)

    def iterate(
        self,
        *,
        kind: Kind | None = None,
        owner: str | None = None,
        state: State | None = None,
        after: int = 0,
    ) -> Iterator[KeyRecord]:
        """Records in the order of their `number`, those after `after`; holds no lock between its pages."""
        wanted = {"kind": kind, "owner": owner, "state": state}
        bound = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(["number > :after", *(f"{name} = :{name}" for name in bound)])
        query = f"SELECT {_COLUMNS}, blob FROM keys WHERE {where} ORDER BY number LIMIT {_PAGE}"  # noqa: S608
        while True:
            rows = self._database.connection().execute(query, {**bound, "after": after}).fetchall()
            yield from (_stored(row).record for row in rows)
            if len(rows) < _PAGE:
                return
            after = rows[-1]["number"]

    def versions(self, name: str) -> list[KeyRecord]:
        """Of one KEK, oldest first."""
        query = f"SELECT {_COLUMNS}, blob FROM keys WHERE kind = 'kek' AND owner = ? ORDER BY version"  # noqa: S608
        return [_stored(row).record for row in self._database.connection().execute(query, (name,))]

    def wrapped_below(self, name: str, version: int, limit: int) -> list[StoredKey]:
        """Keys with a secret, wrapped by a version of `name` that is older than `version`."""
        return [
            _stored(row) for row in self._database.connection().execute(_BY_WRAPPING, (name, version, limit))
        ]

    def count_wrapped_below(self, name: str, version: int) -> int:
        """How many `wrapped_below` would find in all."""
        query = "SELECT count(*) FROM keys WHERE wrapped_by = ? AND wrapped_version < ? AND blob IS NOT NULL"
        return int(self._database.connection().execute(query, (name, version)).fetchone()[0])

    def rewrap(self, version: int, blobs: Iterable[tuple[int, bytes]]) -> None:
        """Give rows, by `number`, the wrapping of another version."""
        self._database.connection().executemany(
            "UPDATE keys SET wrapped_version = ?, blob = ? WHERE number = ?",
            ((version, blob, number) for number, blob in blobs),
        )

    def change(self, record: KeyRecord, state: State, at: str, reason: str) -> None:
        """A new state; the time goes to the start or the end of the key's active life."""
        column = "activated_at" if state is State.ACTIVE else "ended_at"
        at = at if state is State.ACTIVE else record.ended_at or at
        self._database.connection().execute(
            f"UPDATE keys SET state = ?, {column} = ?, reason = ? WHERE id = ?",  # noqa: S608
            (state, at, reason, record.id),
        )

    def bury(self, key_id: str) -> None:
        """Delete the secret; the row stays as a tombstone."""
        self._database.connection().execute("UPDATE keys SET blob = NULL WHERE id = ?", (key_id,))

    def bury_wrapped_by(self, name: str, version: int, at: str, reason: str) -> int:
        """Make tombstones of all keys under one version of a KEK; how many."""
        return (
            self._database.connection()
            .execute(
                "UPDATE keys SET blob = NULL, state = 'destroyed', reason = ?, "
                "ended_at = CASE ended_at WHEN '' THEN ? ELSE ended_at END "
                "WHERE wrapped_by = ? AND wrapped_version = ? AND blob IS NOT NULL",
                (reason, at, name, version),
            )
            .rowcount
        )

    def count_uses(self, uses: Sequence[tuple[int, str]]) -> None:
        """Add to the counters, by id."""
        self._database.connection().executemany("UPDATE keys SET uses = uses + ? WHERE id = ?", uses)

    def counts(self) -> dict[tuple[str, str], int]:
        """How many keys of each kind and state."""
        query = "SELECT kind, state, count(*) FROM keys GROUP BY kind, state ORDER BY kind, state"
        return {(row[0], row[1]): row[2] for row in self._database.connection().execute(query)}


def _stored(row: sqlite3.Row) -> StoredKey:
    values = dict(zip(_FIELDS, row, strict=False))
    values["kind"], values["state"] = Kind(values["kind"]), State(values["state"])
    return StoredKey(KeyRecord(**values), row[-1])
