"""Rotation, re-wrap, minimum versions, another system key, destruction: whole or not at all, also after kill -9."""

import sqlite3
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from crypto.errors import KeyRefused, VaultSealed
from crypto.vault.records import Kind
from crypto.vault.states import State
from crypto.vault.vault import KeyVault
from tests.fixtures.key_vault import OTHER_SYSTEM_KEY, SYSTEM_KEY, new_vault, opened

pytestmark = pytest.mark.requirement("H2.8")
ROOT = Path(__file__).parents[4]
KEYS = 30


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.db"


@pytest.fixture
def vault(path: Path) -> KeyVault:
    return new_vault(path)


@pytest.fixture
def secrets(vault: KeyVault) -> dict[str, bytes]:
    """Keys under version 1, by id."""
    return {key_id: vault.symmetric(key_id, "decrypt") for key_id in vault.create_keys("dr", "data", KEYS)}


def all_open(vault: KeyVault, secrets: dict[str, bytes]) -> None:
    assert {key_id: vault.symmetric(key_id, "decrypt") for key_id in secrets} == secrets


def versions(vault: KeyVault) -> set[int]:
    return {record.wrapped_version for record in vault.records(kind=Kind.SM4)}


def killed(path: Path, change: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.unit.crypto.vault.dying_process", str(path), change],
        cwd=ROOT,
        check=False,
        timeout=60,
    )
    assert ended.returncode == -9


def test_a_rewrap_brings_every_key_under_the_newest_version(
    vault: KeyVault, secrets: dict[str, bytes]
) -> None:
    vault.deactivate(next(iter(secrets)), "old")
    assert [vault.rotate_kek("data"), vault.rotate_kek("data")] == [2, 3]
    newer = vault.create_keys("dr", "data")[0]
    seen: list[tuple[int, int]] = []
    assert vault.rewrap("data", lambda done, total: seen.append((done, total)), batch=7) == KEYS
    assert seen == [(7, KEYS), (14, KEYS), (21, KEYS), (28, KEYS), (KEYS, KEYS)]
    assert versions(vault) == {3}
    assert vault.rewrap("data", lambda done, total: None) == 0
    vault.set_minimum_version("data", 3)
    all_open(vault, secrets)
    assert len(vault.symmetric(newer, "decrypt")) == 16
    assert [(record.version, record.state) for record in vault.records(kind=Kind.KEK)] == [
        (1, "deactivated"),
        (2, "deactivated"),
        (3, "active"),
    ]


def test_a_killed_rewrap_goes_on(vault: KeyVault, path: Path, secrets: dict[str, bytes]) -> None:
    vault.rotate_kek("data")
    killed(path, "rewrap")
    assert versions(vault) == {1, 2}
    all_open(vault, secrets)
    assert vault.rewrap("data", lambda done, total: None) == KEYS - 14
    assert versions(vault) == {2}
    all_open(opened(path), secrets)


def test_a_killed_rotation_did_not_happen(vault: KeyVault, path: Path, secrets: dict[str, bytes]) -> None:
    killed(path, "rotate")
    assert vault.kek_version("data") == 1
    assert vault.find("data/1").state is State.ACTIVE
    assert len(vault.create_keys("dr", "data")) == 1
    assert vault.rotate_kek("data") == 2
    all_open(vault, secrets)


def test_a_killed_change_of_the_system_key_did_not_happen(
    vault: KeyVault, path: Path, secrets: dict[str, bytes]
) -> None:
    pairs = vault.create_pairs("dr", "sign", 12)
    killed(path, "system key")
    with pytest.raises(KeyRefused):
        opened(path, OTHER_SYSTEM_KEY)
    again = opened(path, SYSTEM_KEY)
    all_open(again, secrets)
    assert all(again.pair(pair, "sign").private for pair in pairs)


def test_a_killed_destruction_did_not_happen(vault: KeyVault, path: Path, secrets: dict[str, bytes]) -> None:
    killed(path, "destroy")
    assert vault.find("data/1").state is State.ACTIVE
    all_open(vault, secrets)


def test_another_system_key_opens_everything_and_the_old_one_nothing(
    vault: KeyVault, path: Path, secrets: dict[str, bytes]
) -> None:
    pairs = {pair: vault.pair(pair, "sign") for pair in vault.create_pairs("dr", "sign", 3)}
    stale, root = opened(path), vault.root()
    stale.pair(next(iter(pairs)), "sign")
    vault.change_system_key(OTHER_SYSTEM_KEY)
    with pytest.raises(KeyRefused, match="does not belong to vault"):
        opened(path, SYSTEM_KEY)
    for one in (vault, opened(path, OTHER_SYSTEM_KEY)):
        assert {pair: one.pair(pair, "sign") for pair in pairs} == pairs
        assert one.root() == root
        all_open(one, secrets)
        assert one.pair(one.create_pairs("dr", "sign")[0], "sign").private
    with pytest.raises(VaultSealed, match="changed by another process"):
        stale.create_pairs("dr", "sign")
    assert stale.is_sealed
    stale.unseal(OTHER_SYSTEM_KEY)
    all_open(stale, secrets)


def test_a_process_with_the_old_system_key_writes_nothing_that_would_not_open(
    vault: KeyVault, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = opened(path)
    make = late._maker.pairs

    def overtaken(*arguments: object) -> object:
        made = make(*arguments)  # type: ignore[arg-type]
        vault.change_system_key(OTHER_SYSTEM_KEY)
        return made

    monkeypatch.setattr(late._maker, "pairs", overtaken)
    with pytest.raises(VaultSealed):
        late.create_pairs("dr", "sign")
    assert ("sm2", "active") not in vault.counts()


def test_keys_made_while_their_kek_is_destroyed_are_not_written(
    vault: KeyVault, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = opened(path)
    make = late._maker.keys

    def overtaken(*arguments: object) -> object:
        made = make(*arguments)  # type: ignore[arg-type]
        vault.destroy("data/1", "the end")
        return made

    monkeypatch.setattr(late._maker, "keys", overtaken)
    with pytest.raises(KeyRefused, match="destroyed"):
        late.create_keys("dr", "data")
    assert ("sm4", "active") not in vault.counts()


def test_a_minimum_waits_for_the_keys_below_it(vault: KeyVault, secrets: dict[str, bytes]) -> None:
    vault.rotate_kek("data")
    with pytest.raises(KeyRefused, match=f"{KEYS} keys are wrapped by versions below 2"):
        vault.set_minimum_version("data", 2)
    for wrong in (0, 3):
        with pytest.raises(KeyRefused, match="versions are 1 to 2"):
            vault.set_minimum_version("data", wrong)
    vault.rewrap("data", lambda done, total: None)
    vault.set_minimum_version("data", 2)
    with pytest.raises(KeyRefused, match="below 2"):
        vault.kek("data", 1)


def test_with_a_kek_go_all_keys_under_it_and_no_other(
    vault: KeyVault, path: Path, secrets: dict[str, bytes]
) -> None:
    vault.create_kek("patient:7")
    shredded = vault.create_keys("dr", "patient:7", 5)
    other = opened(path)
    other.symmetric(shredded[0], "decrypt")
    rows = vault.database.connection().execute("SELECT blob FROM keys WHERE wrapped_by = 'patient:7'")
    blobs = [row[0] for row in rows]
    assert len(blobs) == 5
    vault.destroy("patient:7/1", "the patient asked for it")
    for one in (vault, other):
        for key_id in shredded:
            with pytest.raises(KeyRefused, match="destroyed"):
                one.symmetric(key_id, "decrypt")
        with pytest.raises(KeyRefused, match="destroyed"):
            one.create_keys("dr", "patient:7")
        all_open(one, secrets)
    assert vault.find(shredded[0]).reason == "the patient asked for it"
    stored = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert not any(blob in stored for blob in blobs)


def test_a_compromised_kek_unwraps_and_wraps_no_more_until_it_is_rotated(
    vault: KeyVault, secrets: dict[str, bytes]
) -> None:
    vault.compromise("data/1", "a copy was found")
    all_open(vault, secrets)
    with pytest.raises(KeyRefused, match="compromised and may not encrypt"):
        vault.create_keys("dr", "data")
    vault.rotate_kek("data")
    assert vault.find("data/1").state is State.COMPROMISED
    vault.rewrap("data", lambda done, total: None)
    vault.destroy("data/1", "after the re-wrap")
    all_open(vault, secrets)


def test_a_rewrap_and_new_keys_at_the_same_time_lose_nothing(
    vault: KeyVault, path: Path, secrets: dict[str, bytes]
) -> None:
    vault.rotate_kek("data")
    made: list[str] = []
    workers = [
        Thread(target=lambda: made.extend(opened(path).create_keys("dr", "data", 50))),
        Thread(target=lambda: opened(path).rewrap("data", lambda done, total: None, batch=3)),
        Thread(target=lambda: vault.rewrap("data", lambda done, total: None, batch=5)),
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert versions(vault) == {2}
    all_open(vault, secrets)
    assert all(len(vault.symmetric(key_id, "encrypt")) == 16 for key_id in made)
    assert len(made) == 50


def test_a_destroyed_key_that_a_reader_keeps_in_the_log_is_told(
    vault: KeyVault, path: Path, secrets: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    key_id = next(iter(secrets))
    [blob] = vault.database.connection().execute("SELECT blob FROM keys WHERE id = ?", (key_id,)).fetchone()
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM keys").fetchone()
    vault.database.connection().execute("PRAGMA busy_timeout = 0")
    vault.destroy(key_id, "contract ended")
    log = path.with_name("keys.db-wal")
    assert blob in log.read_bytes()
    assert "still holds wrapped keys" in caplog.text
    reader.close()
    vault.seal()
    assert blob not in log.read_bytes() + path.read_bytes()
