"""A copy of the vault's database at one moment, and files that appear whole or not at all.

`VACUUM INTO` copies under one read transaction (SQLite, WAL): others go on writing meanwhile, the copy is what was committed
when it began, and pages of deleted keys are not in it. What is copied is wrapped; the copy has no secret in clear.
"""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from crypto.errors import KeyRefused
from crypto.sm3 import Sm3
from crypto.vault.database import KeyDatabase

_MODE = 0o600


def copy_database(database: KeyDatabase, target: Path) -> None:
    """Write the copy to the new file `target`, mode 0600."""
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE))
    database.connection().execute("VACUUM INTO ?", (str(target),))


class Inventory(NamedTuple):
    """Rows by table, and SM3 over the ids of all keys in their order: what a manifest says of a database."""

    counts: dict[str, int]
    key_ids_sm3: str


def take_inventory(path: Path) -> Inventory:
    """Of a copy that nobody writes. Raises `KeyRefused` when the file is no sound database of a vault."""
    # immutable: the copy has no log beside it, and nothing may be created there.
    with contextlib.closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as connection:
        try:
            verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            tables = [row[0] for row in connection.execute(_TABLES)]
            # Names come from the schema, and a name with a quote in it would be none of ours.
            counts = {
                table: connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]  # noqa: S608
                for table in tables
            }
            digest = Sm3()
            for (key_id,) in connection.execute("SELECT id FROM keys ORDER BY id"):
                digest.update(key_id.encode() + b"\n")
        except sqlite3.DatabaseError as error:
            raise KeyRefused(f"database {path}: {error}; take another copy") from None
    if verdict != "ok":
        raise KeyRefused(f"database {path}: {verdict}; take another copy")
    return Inventory(counts, digest.hexdigest())


_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"


@contextlib.contextmanager
def alone(path: Path, what: str) -> Iterator[None]:
    """One process at a time does `what` beside `path`. Raises `KeyRefused` when another one is at it.

    The lock falls with the process, however it ends.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = path.with_name(f".{path.name}.lock")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise KeyRefused(f"{what} is running already for {path}; wait until it has ended") from None
        yield
    finally:
        os.close(descriptor)


def clear_unfinished(path: Path) -> None:
    """Remove what a killed process left beside `path`; call it `alone`."""
    for left in path.parent.glob(f".{path.name}.part*"):
        left.unlink()


def unfinished(path: Path, what: str) -> Path:
    """The name under which `what` is written before it is published as, or for, `path`."""
    return path.with_name(f".{path.name}.part-{what}")


def publish(part: Path, path: Path) -> None:
    """Give a finished, flushed file its name. Raises `KeyRefused` when the name is taken; nothing is overwritten."""
    descriptor = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(part, path)
    except FileExistsError:
        raise KeyRefused(f"{path} exists; it is not overwritten: name another file") from None
    part.unlink()
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
