from pathlib import Path

import pytest

from crypto.vault.database import KeyDatabase
from tests.unit.crypto.roles.people import Clock, Office, make_argon2_cheap


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    make_argon2_cheap(monkeypatch)
    return Office(KeyDatabase(tmp_path / "keys.db"), Clock())
