from pathlib import Path

import pytest

from tests.unit.crypto.roles.people import Office, make_argon2_cheap


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    make_argon2_cheap(monkeypatch)
    return Office(tmp_path)
