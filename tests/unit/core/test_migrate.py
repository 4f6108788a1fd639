"""Migrations on both databases: once, by one process at a time, whole or not at all."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import peewee
import pytest

from core import db, migrate
from core.errors import Misconfigured
from core.models import ALL_MODELS

ROOT = Path(__file__).resolve().parents[3]

UPGRADE = """
import sys
from core import db, migrate
database = db.connect(sys.argv[1])
with db.connection():
    print(len(migrate.upgrade(database)))
"""


@contextmanager
def connected(url: str) -> Iterator[peewee.Database]:
    database = db.connect(url)
    with database.connection_context():
        yield database


def schema_of(database: peewee.Database) -> dict[str, object]:
    """Columns with types and keys, and indexes, of every table of ours."""
    found: dict[str, object] = {}
    for model in ALL_MODELS:
        table = model._meta.table_name
        found[table] = (
            sorted((c.name, c.data_type, c.null, c.primary_key) for c in database.get_columns(table)),
            sorted((i.name, tuple(i.columns), i.unique) for i in database.get_indexes(table)),
            sorted((k.column, k.dest_table, k.dest_column) for k in database.get_foreign_keys(table)),
        )
    return found


def test_upgrade_applies_everything_once(bare_database_url: str) -> None:
    with connected(bare_database_url) as database:
        waiting = migrate.pending(database)
        assert waiting[0] == "0001_initial"
        assert migrate.upgrade(database) == waiting
        assert migrate.pending(database) == []
        assert migrate.upgrade(database) == []


def test_migrations_lead_to_the_very_schema_of_the_models(bare_database_url: str) -> None:
    with connected(bare_database_url) as database:
        migrate.upgrade(database)
        assert migrate.difference(database) == ""
        migrated = schema_of(database)
        database.drop_tables(ALL_MODELS)
        database.create_tables(ALL_MODELS)
        assert migrated == schema_of(database)


def test_difference_names_what_is_missing(database: peewee.Database) -> None:
    assert migrate.difference(database) == ""
    database.execute_sql("DROP TABLE wechat_binding")
    try:
        assert "wechat_binding" in migrate.difference(database)
    finally:
        database.create_tables([model for model in ALL_MODELS if model.__name__ == "WechatBinding"])


def test_processes_at_once_apply_everything_once(bare_database_url: str) -> None:
    command = [sys.executable, "-c", UPGRADE, bare_database_url]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    answers = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], answers
    counts = sorted(int(out) for out, _ in answers)
    assert counts[:2] == [0, 0]
    assert counts[2] >= 1


def test_migration_that_fails_leaves_nothing(
    bare_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "migrations"
    directory.mkdir()
    bad = directory / "0001_bad.py"
    bad.write_text(
        "def up(migrator, db):\n"
        "    db.execute_sql('CREATE TABLE half (id INTEGER)')\n"
        "    db.execute_sql('CREATE NONSENSE')\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(migrate, "DIRECTORY", directory)
    with connected(bare_database_url) as database:
        with pytest.raises(peewee.PeeweeException):
            migrate.upgrade(database)
        assert not database.table_exists("half")
        assert migrate.pending(database) == ["0001_bad"]
        bad.write_text(
            bad.read_text(encoding="utf-8").replace("NONSENSE", "TABLE rest (id INTEGER)"), encoding="utf-8"
        )
        assert migrate.upgrade(database) == ["0001_bad"]


def test_database_of_a_newer_program_is_refused(bare_database_url: str) -> None:
    with connected(bare_database_url) as database:
        migrate.upgrade(database)
        insert = "INSERT INTO schema_migration (name, applied) VALUES ('9999_future', '2030-01-01')"
        database.execute_sql(insert)
        for look in (migrate.pending, migrate.upgrade):
            with pytest.raises(Misconfigured, match="9999_future"):
                look(database)


def test_generating_writes_what_is_missing_and_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory_database: peewee.Database
) -> None:
    monkeypatch.setattr(migrate, "DIRECTORY", tmp_path / "new")
    written = migrate.generate("first tables")
    assert written is not None
    assert written.name == "0001_first_tables.py"
    source = written.read_text(encoding="utf-8")
    assert "class OutboxEvent(Model)" in source
    assert "TODO" not in source
    assert migrate.generate("again") is None
