"""The one row that says which vault a database is: its random id, the commitment to its system key, its wrapped root."""

import sqlite3
from dataclasses import dataclass, field, replace
from pathlib import Path

from crypto.errors import KeyRefused
from crypto.vault.database import KeyDatabase
from crypto.vault.records import KeyRecord, Kind
from crypto.vault.states import State

SCHEMA_VERSION = 1
_TABLE = """
CREATE TABLE IF NOT EXISTS vault (
    id INTEGER PRIMARY KEY CHECK (id = 1), schema_version INTEGER NOT NULL, set_id TEXT NOT NULL, created_at TEXT NOT NULL,
    system_version INTEGER NOT NULL, system_key_check BLOB NOT NULL, root BLOB NOT NULL
)
"""


@dataclass(frozen=True)
class Identity:
    """`set_id`: 32 hex digits. `system_version` counts the system keys that this vault has had."""

    set_id: str
    created_at: str
    system_version: int
    system_key_check: bytes = field(repr=False)
    root: bytes = field(repr=False)

    @property
    def root_record(self) -> KeyRecord:
        """What the wrapped root is bound to."""
        return KeyRecord(
            "root", Kind.SM4, "vault", "data", 1, State.ACTIVE, "", self.system_version, b"", self.created_at
        )

    def under(self, system_version: int, system_key_check: bytes, root: bytes) -> "Identity":
        """The same vault under another system key."""
        return replace(self, system_version=system_version, system_key_check=system_key_check, root=root)


def create_identity(database: KeyDatabase, identity: Identity) -> None:
    """Write the row, within the caller's transaction. Raises `KeyRefused` when the database is a vault already."""
    connection = database.connection()
    connection.execute(_TABLE)
    try:
        connection.execute(
            "INSERT INTO vault VALUES (1, ?, ?, ?, ?, ?, ?)",
            (
                SCHEMA_VERSION,
                identity.set_id,
                identity.created_at,
                identity.system_version,
                identity.system_key_check,
                identity.root,
            ),
        )
    except sqlite3.IntegrityError:
        raise KeyRefused(
            f"{database.path} holds a vault; it is not overwritten, because its keys open what is stored"
        ) from None


def replace_identity(database: KeyDatabase, identity: Identity) -> None:
    """Put the vault under another system key, within the caller's transaction."""
    database.connection().execute(
        "UPDATE vault SET system_version = ?, system_key_check = ?, root = ?",
        (identity.system_version, identity.system_key_check, identity.root),
    )


def read_identity(database: KeyDatabase) -> Identity:
    """The row. Raises `KeyRefused`: there is no vault, or one of a newer version."""
    try:
        row = database.connection().execute("SELECT * FROM vault").fetchone()
    except sqlite3.DatabaseError as error:
        raise KeyRefused(f"{database.path} is no vault ({error}); restore it, or run setup") from None
    if row is None:
        raise KeyRefused(f"{database.path} holds no vault: run `./cloudfilm setup`, or restore one")
    if row["schema_version"] != SCHEMA_VERSION:
        raise KeyRefused(
            f"{database.path} is of version {row['schema_version']}, this program knows {SCHEMA_VERSION}; update it"
        )
    return Identity(
        row["set_id"], row["created_at"], row["system_version"], row["system_key_check"], row["root"]
    )


def is_vault(path: Path) -> bool:
    """Whether a vault was created at `path`; creates nothing. Raises `KeyRefused` when the file is no database."""
    if not path.exists():
        return False
    database = KeyDatabase(path)
    try:
        tables = database.connection().execute("SELECT count(*) FROM sqlite_master WHERE name = 'vault'")
        return bool(tables.fetchone()[0])
    except sqlite3.DatabaseError as error:
        raise KeyRefused(f"{path} is no vault ({error}); restore it") from None
    finally:
        database.close()
