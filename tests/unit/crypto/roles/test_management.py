"""Administrators manage a real vault, auditors look: changes and rows together, two persons, exports for a recipient."""

import sqlite3
from pathlib import Path

import pytest

from crypto.errors import AuditUnavailable, KeyRefused, RoleRefused, SealBroken
from crypto.sm3 import sm3
from crypto.vault.records import Kind
from crypto.vault.states import State
from tests.unit.crypto.roles.people import make_argon2_cheap
from tests.unit.crypto.roles.vaults import KeyRoom

pytestmark = pytest.mark.requirement("H2.7")


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyRoom:
    make_argon2_cheap(monkeypatch)
    return KeyRoom(tmp_path)


def test_the_life_of_keys(room: KeyRoom) -> None:
    administration, inspection = room.administration(), room.inspection()
    administration.create_kek("clinic")
    pairs = administration.create_pairs("hospital", "sign", 3, is_active=False)
    keys = administration.create_keys("hospital", "clinic", 5)
    administration.activate(pairs[0], "opened")
    administration.compromise(keys[0], "laptop lost")
    assert administration.rotate_kek("clinic") == 2
    seen: list[tuple[int, int]] = []
    assert administration.rewrap("clinic", lambda done, total: seen.append((done, total))) == 5
    assert seen[-1] == (5, 5)
    administration.set_minimum_version("clinic", 2)
    assert room.operation().gcm_seal(keys[1], b"still works")
    assert inspection.find(pairs[0]).state is State.ACTIVE
    assert [record.id for record in inspection.records(kind=Kind.SM2)] == pairs
    assert len(inspection.records(owner="hospital", limit=4)) == 4
    assert inspection.counts()["sm4", "compromised"] == 1
    operations = [row.event.operation.partition(".")[2] for row in room.audit.rows()]
    assert operations[:7] == [
        "create_kek",
        "create_pairs",
        "create_keys",
        "activate",
        "compromise",
        "rotate_kek",
        "rewrap",
    ]
    assert room.audit.rows()[1].event.items == 3


def test_no_audit_no_change_of_the_vault(room: KeyRoom) -> None:
    [key] = room.administration().create_pairs("hospital", "sign")
    counts = room.vault.counts()
    room.break_audit()
    administration = room.administration()
    for work in (
        lambda: administration.create_pairs("hospital", "sign", 2),
        lambda: administration.create_kek("clinic"),
        lambda: administration.rotate_kek("data"),
        lambda: administration.deactivate(key, "reason"),
        lambda: administration.rewrap("data", lambda done, total: None),
    ):
        with pytest.raises(AuditUnavailable):
            work()
    assert room.vault.counts() == counts
    assert room.vault.kek_version("data") == 1


def test_a_rotation_that_could_not_be_committed_leaves_no_key_behind(room: KeyRoom) -> None:
    """What was wrapped under a version that is not on the disk could never be opened again."""
    connection = room.database.connection()
    connection.execute(
        "CREATE TRIGGER full BEFORE INSERT ON keys BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    with pytest.raises((KeyRefused, sqlite3.Error)):
        room.administration().rotate_kek("data")
    connection.execute("DROP TRIGGER full")
    assert room.vault.kek("data").version == 1
    assert room.administration().rotate_kek("data") == 2
    assert room.vault.kek("data").version == 2


def test_a_key_is_exported_by_two_and_for_the_recipient_alone(room: KeyRoom) -> None:
    [key] = room.administration().create_pairs("patient 7", "encrypt")
    mine, other = room.services.generate_many(2)
    asked = room.approval("export", key_id=key, recipient=sm3(mine.public).hex())
    with pytest.raises(RoleRefused, match="not for this"):
        room.administration().export(key, other.public, asked)
    envelope = room.administration().export(key, mine.public, asked)
    private = room.services.decrypt(mine, envelope)
    assert room.services.decrypt(
        room.vault.exportable(key), room.operation().encrypt(key, b"for the patient")
    ) == (b"for the patient")
    assert private == room.vault.exportable(key).private
    with pytest.raises(SealBroken):
        room.services.decrypt(other, envelope)
    with pytest.raises(RoleRefused, match="used"):
        room.administration().export(key, mine.public, asked)


def test_a_signing_key_is_not_exported_even_by_two(room: KeyRoom) -> None:
    [key] = room.administration().create_pairs("hospital", "sign")
    mine = room.services.generate()
    asked = room.approval("export", key_id=key, recipient=sm3(mine.public).hex())
    with pytest.raises(KeyRefused):
        room.administration().export(key, mine.public, asked)


def test_a_destroyed_blob_is_in_no_file(room: KeyRoom, tmp_path: Path) -> None:
    [key] = room.administration().create_pairs("hospital", "sign")
    query = "SELECT blob FROM keys WHERE id = ?"
    blob = room.database.connection().execute(query, (key,)).fetchone()[0]
    room.administration().destroy(key, "end of contract", room.approval("destroy", key_id=key))
    assert all(blob not in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert room.inspection().find(key).state is State.DESTROYED


def test_the_auditor_reads_and_verifies(room: KeyRoom) -> None:
    inspection = room.inspection()
    room.administration().create_kek("clinic")
    kept = inspection.audit_head()
    assert room.audit.rows()[-1].row_hash == kept[1]
    room.administration().rotate_kek("clinic")
    assert inspection.verify_audit(kept) == kept[0] + 1
    [first, *_] = inspection.events(0, 10)
    assert first.event.operation == "Administration.create_kek"
    assert [account.name for account in inspection.accounts()] == ["auditor", "clerk", "first", "second"]
    room.approval("destroy", key_id="k1")
    assert [approval.state for approval in inspection.approvals()] == ["approved"]
