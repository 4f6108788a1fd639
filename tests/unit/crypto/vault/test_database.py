import threading
from pathlib import Path

import pytest

from crypto.vault.database import KeyDatabase


def _counted(path: Path) -> int:
    database = KeyDatabase(path)
    try:
        return int(database.connection().execute("SELECT count(*) FROM t").fetchone()[0])
    finally:
        database.close()


def test_the_file_is_for_its_owner_only(tmp_path):
    KeyDatabase(tmp_path / "keys" / "keys.db")
    assert (tmp_path / "keys" / "keys.db").stat().st_mode & 0o777 == 0o600


def test_what_fails_leaves_nothing_and_an_inner_one_is_part_of_the_outer(tmp_path):
    database = KeyDatabase(tmp_path / "keys.db")
    with database.transaction() as connection:
        connection.execute("CREATE TABLE t (a)")
    with pytest.raises(ZeroDivisionError), database.transaction() as connection:
        with database.transaction() as inner:
            inner.execute("INSERT INTO t VALUES (1)")
        connection.execute("INSERT INTO t VALUES (?)", (1 / 0,))
    assert _counted(database.path) == 0


def test_threads_wait_for_each_other_and_lose_nothing(tmp_path):
    database = KeyDatabase(tmp_path / "keys.db")
    database.connection().execute("CREATE TABLE t (a)")

    def write() -> None:
        for _ in range(20):
            with database.transaction() as connection:
                (highest,) = connection.execute("SELECT coalesce(max(a), 0) FROM t").fetchone()
                connection.execute("INSERT INTO t VALUES (?)", (highest + 1,))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = [row[0] for row in database.connection().execute("SELECT a FROM t ORDER BY a")]
    assert rows == list(range(1, 81))
    database.close()
