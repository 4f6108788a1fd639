"""The schema, step by step, by peewee's migrations (decision 3): the same files for SQLite and PostgreSQL.

After a change of models run `.venv/bin/python -m core.migrate NAME`, read the file that it writes into
migrations/, and commit both; tests/structure compares models and migrations on both databases.
"""

import fcntl
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import peewee
from playhouse import migrations
from playhouse.schema_diff import SchemaDiff, diff_models

from core import db
from core.errors import Misconfigured
from core.models import ALL_MODELS

DIRECTORY = Path(__file__).resolve().parents[1] / "migrations"
# Any number, as long as nothing else takes a lock under it ("clouD" in hexadecimal).
_POSTGRES_LOCK = 0x636C6F7544


def upgrade(database: peewee.Database) -> list[str]:
    """Apply what is pending, one process at a time; return the names.

    Each migration is one transaction: a crash leaves it applied or not. Raises `Misconfigured` when the
    database is newer than this program.
    """
    with _alone(database):
        _require_known(database)
        applied: list[str] = _runner(database).up()
        return applied


def pending(database: peewee.Database) -> list[str]:
    """What `upgrade` would apply. Raises `Misconfigured` when the database is newer than this program."""
    _require_known(database)
    return [step.name for step in _runner(database).status() if not step.applied]


def difference(database: peewee.Database) -> str:
    """Tables, columns and indexes that the database lacks or has too many; empty when it is as the models."""
    found = _diff(database)
    return str(found) if found else ""


def generate(name: str) -> Path | None:
    """Write the migration that leads from the present ones to the models; None when nothing is to do."""
    database = peewee.SqliteDatabase(":memory:")
    with database.connection_context():
        runner = _runner(database)
        runner.up()
        found = _diff(database)
        return Path(runner.create(name, body=_source_of(name, found))) if found else None


def _runner(database: peewee.Database) -> migrations.Runner:
    return migrations.Runner(database, str(DIRECTORY))


def _diff(database: peewee.Database) -> SchemaDiff:
    return diff_models(database, list(ALL_MODELS))


def _require_known(database: peewee.Database) -> None:
    gone = [step.name for step in _runner(database).status() if step.path is None]
    if gone:
        raise Misconfigured(
            f"the database knows migrations that this program lacks ({gone[-1]}): use a newer one"
        )


@contextmanager
def _alone(database: peewee.Database) -> Iterator[None]:
    """Keep other processes from migrating the same database meanwhile."""
    if isinstance(database, peewee.SqliteDatabase):
        if database.database == ":memory:":
            yield
            return
        with Path(f"{database.database}.migrating").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    else:
        database.execute_sql("SELECT pg_advisory_lock(%s)", (_POSTGRES_LOCK,))
        try:
            yield
        finally:
            database.execute_sql("SELECT pg_advisory_unlock(%s)", (_POSTGRES_LOCK,))


def _source_of(name: str, found: SchemaDiff) -> str:
    """peewee's source with our names of indexes, without its remarks that defaults of ours are none of SQL."""
    source = re.sub(r"^# Generated from .*\n", "", str(migrations.template(found)))
    source = re.sub(r"^# TODO: \w+: default .*\n+", "", source, flags=re.MULTILINE)
    missing = re.findall(r"^# TODO: \w+: (?:create )?index (\w+) ", source, flags=re.MULTILINE)
    source = re.sub(r"^# TODO: \w+: (?:create )?index .*\n+", "", source, flags=re.MULTILINE)
    statements = "".join(f"    db.execute_sql({_partial_index(name)!r})\n" for name in missing)
    source = source.replace("\n\n\ndef down", f"\n{statements}\n\ndef down", 1)
    source = source.replace(
        "        class Meta:\n", "        class Meta:\n            legacy_table_names = False\n"
    )
    return f'"""{name.capitalize()}: frozen when it was written, independent of the models."""\n\n{source}'


def _partial_index(name: str) -> str:
    """What peewee's migrations cannot write: an index of some rows only."""
    for model in ALL_MODELS:
        for index in model._meta.indexes:
            described: Any = index
            if isinstance(index, peewee.Index) and described._name == name:
                columns = ", ".join(field.column_name for field in described._expressions)
                return (
                    f"CREATE INDEX {name} ON {model._meta.table_name} ({columns}) WHERE {columns} IS NOT NULL"
                )
    raise Misconfigured(f"no model has an index {name}")


if __name__ == "__main__":
    db.connect("sqlite:///:memory:")  # Gives the models their dialect; nothing is written to it.
    written = generate(sys.argv[1])
    sys.stdout.write(f"{written or 'schema matches models.'}\n")
