"""Versions of the key-encryption keys: which one wraps now, which ones still unwrap.

The newest version wraps. Older ones unwrap as long as their state and the minimum version allow it. Rotations, minimums and
destructions by other processes and threads are seen at the next use: SQLite's `data_version` tells that somebody committed.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from crypto.errors import KeyRefused
from crypto.vault.database import KeyDatabase
from crypto.vault.open_secrets import OpenSecrets
from crypto.vault.records import KeyRecord, Records
from crypto.vault.states import State, require_use

# Stored objects keep the version in two bytes.
MAX_VERSION = 0xFFFF
_NAME = re.compile(r"[A-Za-z0-9._:-]{1,128}\Z")
_TABLE = "CREATE TABLE IF NOT EXISTS keks (name TEXT PRIMARY KEY, minimum INTEGER NOT NULL)"


@dataclass(frozen=True)
class Kek:
    """One version, opened: 16 bytes."""

    version: int
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class _Versions:
    records: dict[int, KeyRecord]
    minimum: int


def kek_id(name: str, version: int) -> str:
    """The id of one version in the table of keys."""
    return f"{name}/{version}"


def require_name(name: str) -> str:
    """`name`, when a KEK may be called so. Raises `KeyRefused`."""
    if not _NAME.match(name):
        raise KeyRefused(f"KEK {name[:80]!r}: a name has 1 to 128 letters, digits, or . _ : -")
    return name


class KekVersions:
    """Reads versions and opens them. `unwrap` opens what the system key wraps."""

    def __init__(
        self,
        database: KeyDatabase,
        records: Records,
        secrets: OpenSecrets,
        unwrap: Callable[[str], bytes],
    ) -> None:
        self._database = database
        self._records = records
        self._secrets = secrets
        self._unwrap = unwrap
        self._seen = threading.local()

    def create_table(self) -> None:
        """Where it is missing."""
        self._database.connection().execute(_TABLE)

    def set_minimum(self, name: str, version: int) -> None:
        """Within a transaction. Raises `KeyRefused`: unknown KEK or version, or keys are still under an older one."""
        newest = self.newest(name).version
        if not 1 <= version <= newest:
            raise KeyRefused(f"KEK {name}: its versions are 1 to {newest}; {version} is none of them")
        left = self._records.count_wrapped_below(name, version)
        if left:
            raise KeyRefused(
                f"KEK {name}: {left} keys are wrapped by versions below {version}; run `keys rewrap` first"
            )
        self._database.connection().execute(
            "INSERT INTO keks VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET minimum = excluded.minimum",
            (name, version),
        )

    def newest(self, name: str) -> KeyRecord:
        """The highest version, whatever its state. Raises `KeyRefused`."""
        versions = self._versions(name).records
        return versions[max(versions)]

    def to_wrap(self, name: str) -> Kek:
        """The version that wraps now. Raises `KeyRefused`, `VaultSealed`."""
        record = self.newest(name)
        require_use(f"KEK {record.id}", record.state, record.purpose, "encrypt")
        return self._open(record)

    def to_unwrap(self, name: str, version: int) -> Kek:
        """One version. Raises `KeyRefused`: unknown, destroyed, or below the minimum; `VaultSealed`."""
        versions = self._versions(name)
        record = versions.records.get(version)
        if record is None:
            raise KeyRefused(
                f"KEK version {version} is not in {self._database.path}, where {name} ends at version "
                f"{max(versions.records)}; what it opens was sealed with another installation's keys, or the vault is old"
            )
        if version < versions.minimum:
            raise KeyRefused(
                f"KEK {record.id}: versions below {versions.minimum} open nothing any more; lower the minimum to use it"
            )
        require_use(f"KEK {record.id}", record.state, record.purpose, "decrypt")
        return self._open(record)

    def _open(self, record: KeyRecord) -> Kek:
        # Within a transaction nothing is kept: rolled back, the next version of this number has another key.
        if self._database.connection().in_transaction:
            self._secrets.system_key()
            return Kek(record.version, self._unwrap(record.id))
        key = self._secrets.get(("kek", record.owner, record.id), lambda: self._unwrap(record.id))
        return Kek(record.version, key)

    def _versions(self, name: str) -> _Versions:
        connection = self._database.connection()
        if connection.in_transaction:
            return self._read(name)
        mark = (connection.execute("PRAGMA data_version").fetchone()[0], connection.total_changes)
        if getattr(self._seen, "mark", None) != mark:
            self._seen.mark, self._seen.by_name = mark, {}
        known: dict[str, _Versions] = self._seen.by_name
        if name not in known:
            known[name] = self._read(name)
        return known[name]

    def _read(self, name: str) -> _Versions:
        records = {record.version: record for record in self._records.versions(name)}
        if not records:
            raise KeyRefused(f"KEK {name[:80]}: there is none of this name; see `keys list`")
        for record in records.values():
            if record.state is State.DESTROYED:
                self._secrets.forget(("kek", name, record.id))
        row = (
            self._database.connection().execute("SELECT minimum FROM keks WHERE name = ?", (name,)).fetchone()
        )
        return _Versions(records, row[0] if row else 1)
