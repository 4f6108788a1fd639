"""A copy at one moment while others write; one process at a time; files that appear whole or not at all."""

import os
import threading
from pathlib import Path

import pytest

from crypto.errors import KeyRefused
from crypto.vault.database import KeyDatabase
from crypto.vault.snapshot import alone, clear_unfinished, copy_database, publish, take_inventory, unfinished

pytestmark = pytest.mark.requirement("H2.6")


@pytest.fixture
def database(tmp_path: Path) -> KeyDatabase:
    database = KeyDatabase(tmp_path / "keys.db")
    database.connection().executescript("CREATE TABLE keys (id TEXT); CREATE TABLE events (id TEXT);")
    return database


def test_the_copy_is_one_moment_though_others_go_on_writing(tmp_path: Path, database: KeyDatabase) -> None:
    """Each transaction writes two rows into each table: a copy that mixes two moments has odd or unequal numbers."""
    stop, written = threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            with database.transaction() as connection:
                for table in ("keys", "events"):
                    connection.executemany(
                        f"INSERT INTO {table} VALUES (?)", [(str(number),), (str(number + 1),)]
                    )
            number += 2
            written.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert written.wait(30)
        counts = []
        for turn in range(12):
            copy = tmp_path / f"copy-{turn}.db"
            copy_database(database, copy)
            counts.append(take_inventory(copy).counts)
            assert copy.stat().st_mode & 0o777 == 0o600
    finally:
        stop.set()
        writer.join()
    assert all(count["keys"] == count["events"] and count["keys"] % 2 == 0 for count in counts)
    assert counts[-1]["keys"] > counts[0]["keys"], "the writer was never kept waiting for good"


def test_deleted_rows_are_not_in_the_copy(tmp_path: Path, database: KeyDatabase) -> None:
    connection = database.connection()
    connection.executescript("CREATE TABLE blobs (blob BLOB); PRAGMA secure_delete=OFF;")
    connection.execute("INSERT INTO blobs VALUES (?)", (b"wrapped key of a destroyed pair" * 9,))
    connection.execute("DELETE FROM blobs")
    copy_database(database, tmp_path / "copy.db")
    assert b"destroyed pair" not in (tmp_path / "copy.db").read_bytes()


def test_a_copy_never_overwrites(tmp_path: Path, database: KeyDatabase) -> None:
    (tmp_path / "copy.db").touch()
    with pytest.raises(FileExistsError):
        copy_database(database, tmp_path / "copy.db")


@pytest.mark.parametrize("damage", [b"no database at all", b""])
def test_what_is_no_database_of_keys_is_refused(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "copy.db"
    path.write_bytes(damage)
    with pytest.raises(KeyRefused, match=r"copy\.db"):
        take_inventory(path)


def test_the_digest_of_the_ids_tells_other_keys(tmp_path: Path, database: KeyDatabase) -> None:
    inventories = []
    for turn, statement in enumerate(
        ["INSERT INTO keys VALUES ('a'), ('b')", "VACUUM", "UPDATE keys SET id = 'c' WHERE id = 'b'"]
    ):
        database.connection().execute(statement)
        copy_database(database, tmp_path / f"{turn}.db")
        inventories.append(take_inventory(tmp_path / f"{turn}.db"))
    assert inventories[0] == inventories[1]
    assert inventories[0].counts == inventories[2].counts
    assert inventories[0].key_ids_sm3 != inventories[2].key_ids_sm3


def test_a_page_that_was_overwritten_is_noticed(tmp_path: Path, database: KeyDatabase) -> None:
    with database.transaction() as connection:
        connection.executemany("INSERT INTO keys VALUES (?)", [(str(number),) for number in range(20_000)])
    path = tmp_path / "copy.db"
    copy_database(database, path)
    data = bytearray(path.read_bytes())
    data[4096 * 6 : 4096 * 8] = os.urandom(4096 * 2)
    path.write_bytes(bytes(data))
    with pytest.raises(KeyRefused, match=r"copy\.db"):
        take_inventory(path)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys.cfkeys"
    with (
        alone(path, "a backup"),
        pytest.raises(KeyRefused, match="a backup is running already"),
        alone(path, "a backup"),
    ):
        pass
    with alone(path, "a backup"):
        pass


def test_what_was_left_goes_and_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "keys.cfkeys"
    for what in ("copy", "archive"):
        unfinished(path, what).write_bytes(b"half")
    (tmp_path / ".other.cfkeys.part-copy").touch()
    clear_unfinished(path)
    assert [entry.name for entry in tmp_path.iterdir()] == [".other.cfkeys.part-copy"]

    for content in (b"first", b"second"):
        unfinished(path, "archive").write_bytes(content)
        if content == b"first":
            publish(unfinished(path, "archive"), path)
    with pytest.raises(KeyRefused, match="not overwritten"):
        publish(unfinished(path, "archive"), path)
    assert path.read_bytes() == b"first"
