"""All keys into an archive and back under a new system key; what is wrong leaves nothing half done (H2.6)."""

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from crypto.errors import KeyRefused, SealBroken, ShareRefused, VaultSealed
from crypto.shamir import Purpose, combine
from crypto.vault.archive import Opened
from crypto.vault.restore import KeyRestore
from crypto.vault.vault import KeyVault
from tests.fixtures.key_vault import ENGINES, OTHER_SYSTEM_KEY, SYSTEM_KEY, new_vault, now, opened
from tests.unit.crypto.vault import machines
from tests.unit.crypto.vault.machines import no_progress

pytestmark = pytest.mark.requirement("H2.6")


@pytest.fixture
def vault(tmp_path: Path) -> KeyVault:
    """Keys of every kind and state."""
    vault = new_vault(tmp_path / "old" / "keys.db")
    vault.create_kek("users")
    keys = vault.create_keys("ward 3", "users", 30)
    vault.rotate_kek("users")
    vault.create_keys("ward 4", "data", 5)
    signing = vault.create_pairs("dr. chen", "sign", 3)
    vault.create_pairs("dr. chen", "encrypt", 3)
    vault.deactivate(keys[0], "left")
    vault.compromise(keys[1], "seen")
    vault.destroy(keys[2], "contract ended")
    vault.deactivate(signing[0], "left")
    return vault


@pytest.fixture
def backup_key(vault: KeyVault) -> bytes:
    return machines.ceremony(vault)


@pytest.fixture
def archive(vault: KeyVault, backup_key: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "safe" / "keys.cfkeys"
    machines.backup_of(vault).write(path, no_progress)
    return path


def test_every_key_opens_on_a_new_machine_under_a_new_system_key(
    vault: KeyVault, archive: Path, backup_key: bytes, tmp_path: Path
) -> None:
    expected, records = machines.secrets_of(vault), list(vault.records())
    machines.restore(tmp_path / "new" / "keys.db", machines.opened_archive(archive), backup_key)
    new = opened(tmp_path / "new" / "keys.db", OTHER_SYSTEM_KEY)
    assert machines.secrets_of(new) == expected
    assert sum(secret is None for secret in expected.values()) == 1
    assert [(r.id, r.state, r.reason, r.uses) for r in new.records()] == [
        (r.id, r.state, r.reason, r.uses) for r in records
    ]
    assert new.set_id == vault.set_id
    with pytest.raises(KeyRefused, match="does not belong"):
        new.unseal(SYSTEM_KEY)
    path = new.database.path
    assert path.stat().st_mode & 0o777 == 0o600
    new.close()
    assert sorted(entry.name for entry in path.parent.iterdir()) == [".keys.db.lock", "keys.db"]


def test_the_manifest_says_what_is_inside(vault: KeyVault, archive: Path) -> None:
    manifest = machines.opened_archive(archive).manifest
    assert manifest.counts["keys"] == len(list(vault.records()))
    assert (manifest.vault_id, manifest.shares_needed, manifest.shares_made) == (vault.set_id, 2, 3)
    assert manifest.share_set == machines.backup_of(vault).sets.standing().share_set  # type: ignore[union-attr]
    assert manifest.made_at == "2030-01-02T03:04:05+00:00"


def test_neither_system_key_nor_any_secret_is_readable_in_the_archive(vault: KeyVault, archive: Path) -> None:
    data = archive.read_bytes()
    assert archive.stat().st_mode & 0o777 == 0o600
    for secret in machines.secrets_of(vault).values():
        if isinstance(secret, bytes):
            assert secret not in data
    assert SYSTEM_KEY not in data
    assert b"dr. chen" not in data


def test_the_archives_of_one_set_open_with_the_same_shares_and_have_one_signer(
    vault: KeyVault, archive: Path, backup_key: bytes, tmp_path: Path
) -> None:
    later = vault.create_keys("ward 5", "data", 1)
    second = tmp_path / "safe" / "second.cfkeys"
    machines.backup_of(vault).write(second, no_progress)
    assert machines.opened_archive(second).manifest.signer == machines.opened_archive(archive).manifest.signer
    machines.restore(tmp_path / "new" / "keys.db", machines.opened_archive(second), backup_key)
    assert opened(tmp_path / "new" / "keys.db", OTHER_SYSTEM_KEY).symmetric(later[0], "decrypt")


def test_a_new_ceremony_ends_the_shares_of_the_old_one(
    vault: KeyVault, archive: Path, backup_key: bytes, tmp_path: Path
) -> None:
    new_key = machines.ceremony(vault)
    second = tmp_path / "safe" / "second.cfkeys"
    machines.backup_of(vault).write(second, no_progress)
    with pytest.raises(ShareRefused, match="of another archive"):
        machines.restore(tmp_path / "new" / "keys.db", machines.opened_archive(second), backup_key)
    with pytest.raises(ShareRefused):
        machines.restore(tmp_path / "new" / "keys.db", machines.opened_archive(archive), new_key)
    machines.restore(tmp_path / "new" / "keys.db", machines.opened_archive(second), new_key)


def test_a_ceremony_that_was_broken_off_changes_nothing(
    vault: KeyVault, backup_key: bytes, tmp_path: Path
) -> None:
    backup = machines.backup_of(vault)
    backup.sets.begin(2, 2)
    path = tmp_path / "keys.cfkeys"
    backup.write(path, no_progress)
    machines.restore(tmp_path / "new" / "keys.db", machines.opened_archive(path), backup_key)


def test_the_key_of_a_ceremony_that_was_refused_is_not_taken_for_the_next_one(vault: KeyVault) -> None:
    """Its version was rolled back; the next one has its number. Archives would open with nobody's shares."""
    sets = machines.backup_of(vault).sets
    with pytest.raises(ShareRefused):
        sets.begin(1, 5)
    held = sets.begin(2, 3)
    sets.finish(held, now().isoformat())
    other = machines.backup_of(opened(vault.database.path)).sets
    assert combine(held.shares[:2], Purpose.BACKUP_KEY) == other.key(held.backup_set)
    assert sets.key(held.backup_set) == other.key(held.backup_set)


def test_an_archive_is_one_moment_though_keys_are_made_meanwhile(
    vault: KeyVault, backup_key: bytes, tmp_path: Path
) -> None:
    """Each transaction makes a pair and a key of one owner: an archive that mixes moments has unequal numbers."""
    stop, made = threading.Event(), threading.Event()

    def work() -> None:
        while not stop.is_set():
            with vault.database.transaction():
                vault.create_pairs("busy", "sign")
                vault.create_keys("busy", "data", 1)
            made.set()
            stop.wait(0.005)  # SQLite's writers do not queue: one that never pauses keeps all others out

    worker = threading.Thread(target=work)
    worker.start()
    try:
        assert made.wait(30)
        paths = [tmp_path / f"{number}.cfkeys" for number in range(3)]
        manifests = [machines.backup_of(vault).write(path, no_progress) for path in paths]
    finally:
        stop.set()
        worker.join()
    assert manifests[0].counts["keys"] < manifests[-1].counts["keys"], "work went on"
    machines.restore(tmp_path / "new" / "keys.db", machines.opened_archive(paths[1]), backup_key)
    kinds = [
        record.kind for record in opened(tmp_path / "new" / "keys.db", OTHER_SYSTEM_KEY).records(owner="busy")
    ]
    assert kinds.count("sm2") == kinds.count("sm4") > 0


def test_what_others_keep_in_the_same_database_comes_along(
    vault: KeyVault, backup_key: bytes, tmp_path: Path
) -> None:
    vault.database.connection().executescript(
        "CREATE TABLE record (id INTEGER PRIMARY KEY, text TEXT);"
        "CREATE TRIGGER kept BEFORE DELETE ON record BEGIN SELECT RAISE(ABORT, 'append-only'); END;"
        "INSERT INTO record (text) VALUES ('who did what');"
    )
    path = tmp_path / "keys.cfkeys"
    assert machines.backup_of(vault).write(path, no_progress).counts["record"] == 1
    machines.restore(tmp_path / "new" / "keys.db", machines.opened_archive(path), backup_key)
    new = opened(tmp_path / "new" / "keys.db", OTHER_SYSTEM_KEY).database.connection()
    assert new.execute("SELECT text FROM record").fetchone()[0] == "who did what"
    assert new.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'").fetchone()[0] == 1


def test_without_a_set_or_over_a_file_or_sealed_there_is_no_backup(vault: KeyVault, tmp_path: Path) -> None:
    path = tmp_path / "keys.cfkeys"
    with pytest.raises(KeyRefused, match="--new-shares"):
        machines.backup_of(vault).write(path, no_progress)
    machines.ceremony(vault)
    path.write_bytes(b"another archive")
    with pytest.raises(KeyRefused, match="not overwritten"):
        machines.backup_of(vault).write(path, no_progress)
    assert path.read_bytes() == b"another archive"
    vault.seal()
    with pytest.raises(VaultSealed):
        machines.backup_of(vault).write(tmp_path / "other.cfkeys", no_progress)
    assert not list(tmp_path.glob("*other*"))


def test_a_backup_with_a_key_that_was_changed_elsewhere_is_refused(
    vault: KeyVault, backup_key: bytes, tmp_path: Path
) -> None:
    opened(tmp_path / "old" / "keys.db").change_system_key(OTHER_SYSTEM_KEY)
    with pytest.raises((KeyRefused, VaultSealed)):
        machines.backup_of(vault).write(tmp_path / "keys.cfkeys", no_progress)
    assert not list(tmp_path.glob("*keys.cfkeys*"))


def left(directory: Path) -> list[str]:
    """What a failed restore left, but for the lock's empty file."""
    if not directory.exists():
        return []
    return [entry.name for entry in directory.iterdir() if not entry.name.endswith(".lock")]


@pytest.mark.parametrize("place", [100, 5000, 50_000, -400, -30])
def test_an_altered_archive_leaves_nothing(
    archive: Path, backup_key: bytes, tmp_path: Path, place: int
) -> None:
    good = machines.opened_archive(archive)
    data = bytearray(archive.read_bytes())
    data[place] ^= 1
    archive.write_bytes(bytes(data))
    with pytest.raises(Exception, match="archive"):
        machines.opened_archive(archive)
    if 8 + 64 <= place < good.manifest.body_size:
        # Altered after it was checked: the tags of its chunks notice.
        with pytest.raises(SealBroken):
            machines.restore(tmp_path / "new" / "keys.db", good, backup_key)
    assert left(tmp_path / "new") == []


def test_wrong_shares_and_a_full_disk_leave_nothing_and_the_next_try_works(
    archive: Path, backup_key: bytes, tmp_path: Path
) -> None:
    new = tmp_path / "new"
    with pytest.raises(ShareRefused, match="one of them was altered"):
        machines.restore(new / "keys.db", machines.opened_archive(archive), os.urandom(16))
    assert left(new) == []

    def full(done: int, total: int) -> None:
        raise OSError(28, "No space left on device")

    target = KeyRestore(new / "keys.db", ENGINES, now, os.urandom)
    with pytest.raises(OSError, match="No space"):
        target.restore(machines.opened_archive(archive), backup_key, OTHER_SYSTEM_KEY, full)
    assert left(new) == []
    machines.restore(new / "keys.db", machines.opened_archive(archive), backup_key)
    assert left(new) == ["keys.db"]


def test_a_vault_is_never_overwritten(
    vault: KeyVault, archive: Path, backup_key: bytes, tmp_path: Path
) -> None:
    before = machines.secrets_of(vault)
    with pytest.raises(KeyRefused, match="restore on a machine without one"):
        machines.restore(tmp_path / "old" / "keys.db", machines.opened_archive(archive), backup_key)
    assert machines.secrets_of(opened(tmp_path / "old" / "keys.db")) == before


@pytest.mark.parametrize("end", ["-wal", "-journal"])
def test_nothing_is_restored_beside_the_log_of_another_vault(
    archive: Path, backup_key: bytes, tmp_path: Path, end: str
) -> None:
    """SQLite would play it into the restored one."""
    new = tmp_path / "new" / "keys.db"
    new.parent.mkdir()
    log = Path(f"{new}{end}")
    log.write_bytes(Path(f"{tmp_path}/old/keys.db-wal").read_bytes())
    with pytest.raises(KeyRefused, match="move it to where that vault is"):
        machines.restore(new, machines.opened_archive(archive), backup_key)
    assert left(new.parent) == [log.name]
    log.unlink()
    machines.restore(new, machines.opened_archive(archive), backup_key)
    assert opened(new, OTHER_SYSTEM_KEY).root()


def test_an_archive_of_another_version_is_refused(archive: Path, backup_key: bytes, tmp_path: Path) -> None:
    good = machines.opened_archive(archive)
    later = Opened(archive, replace(good.manifest, schema_version=2))
    with pytest.raises(KeyRefused, match="version 2, this program knows 1"):
        machines.restore(tmp_path / "new" / "keys.db", later, backup_key)
    other = Opened(archive, replace(good.manifest, counts={"keys": 1}))
    with pytest.raises(SealBroken, match="other keys than its manifest"):
        machines.restore(tmp_path / "new" / "keys.db", other, backup_key)
    assert left(tmp_path / "new") == []
