"""The platform's keyring under guard, for processes that hold no key."""

import os
from pathlib import Path

import pytest

from crypto.errors import AuditUnavailable, RoleRefused
from crypto.local_keyring import LocalKeyring
from crypto.roles.data_keys import DataKeys
from tests.unit.crypto.roles.people import make_argon2_cheap
from tests.unit.crypto.roles.vaults import KeyRoom
from tests.unit.crypto.sealed_samples import PROVIDER

pytestmark = pytest.mark.requirement("H2.7", "H2.8")


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyRoom:
    make_argon2_cheap(monkeypatch)
    return KeyRoom(tmp_path)


def test_data_keys_for_processes_that_hold_none(room: KeyRoom) -> None:
    keyring = LocalKeyring(room.vault, PROVIDER, os.urandom)
    keys = DataKeys(keyring, room.database, room.audit, room.clerk)
    bound = {"object_id": b"\xab" * 16, "kind": "pack", "owner": "series:7"}
    assert keys.unwrap_dek(keys.wrap_dek(bytes(16), **bound), **bound) == bytes(16)
    assert room.audit.rows()[-1].event.subject == f"object {'ab' * 16} pack of series:7"
    blobs = keys.seal_blobs([b"name", b"phone"], context="patient.name")
    assert keys.open_blobs(blobs, context="patient.name") == [b"name", b"phone"]
    assert room.audit.rows()[-1].event.items == 2
    assert keys.blind_indexes("phone", ["13900000000"]) == [keyring.blind_index("phone", "13900000000")]
    assert "139" not in str(room.audit.rows())
    assert keys.derive("otp") == keyring.derive("otp")
    before = room.audit.head()
    assert keys.active_version() == 1
    assert room.audit.head() == before
    with pytest.raises(RoleRefused):
        DataKeys(keyring, room.database, room.audit, room.first).unwrap_dek(
            keyring.wrap_dek(bytes(16), **bound), **bound
        )
    room.break_audit()
    with pytest.raises(AuditUnavailable):
        keys.open_blobs(blobs, context="patient.name")
