"""The committed migrations lead to the models: whoever changes a model writes the migration with it."""

import peewee

from core import db, migrate


def test_models_and_migrations_agree(bare_database_url: str) -> None:
    database: peewee.Database = db.connect(bare_database_url)
    with database.connection_context():
        migrate.upgrade(database)
        missing = migrate.difference(database)
    assert not missing, f"run `.venv/bin/python -m core.migrate NAME`, read and commit the file:\n{missing}"
