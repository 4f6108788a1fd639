"""kill -9 in rotation, re-wrap, change of the system key, backup and restore: resumed or begun anew, nothing lost."""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from crypto.provider import KeyPair
from crypto.unsealing import KeyFile, change_key_file, unseal_by_file
from crypto.vault.vault import KeyVault
from tests.fixtures.key_vault import ENGINES, OTHER_SYSTEM_KEY, SYSTEM_KEY, new_vault, now, opened
from tests.fixtures.kills import each_kill
from tests.unit.crypto.vault import machines
from tests.unit.crypto.vault.machines import no_progress

pytestmark = pytest.mark.requirement("H2.6", "H2.8")

BATCH = 2


class Machine(NamedTuple):
    """A vault that nobody has open, what is in it, its backup key, and an archive of it."""

    directory: Path
    secrets: dict[str, bytes | KeyPair | None]
    backup_key: bytes
    archive: Path


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    directory = tmp_path_factory.mktemp("machine")
    vault = new_vault(directory / "keys.db")
    vault.create_keys("ward 3", "data", 5)
    vault.create_pairs("dr. chen", "sign")
    vault.create_pairs("dr. chen", "encrypt")
    backup_key = machines.ceremony(vault)
    archive = tmp_path_factory.mktemp("safe") / "keys.cfkeys"
    machines.backup_of(vault).write(archive, no_progress)
    secrets = machines.secrets_of(vault)
    vault.close()
    KeyFile.create(directory / "system.key", SYSTEM_KEY)
    return Machine(directory, secrets, backup_key, archive)


class Copies:
    """A new copy of the machine for each try; `path` is the newest one's vault."""

    def __init__(self, machine: Machine, directory: Path) -> None:
        self._machine = machine
        self._directory = directory
        self._number = 0

    @property
    def path(self) -> Path:
        return self._directory / str(self._number) / "keys.db"

    def next(self) -> Path:
        if self._number:
            shutil.rmtree(self.path.parent)
        self._number += 1
        shutil.copytree(self._machine.directory, self.path.parent)
        return self.path


@pytest.fixture
def copies(machine: Machine, tmp_path: Path) -> Copies:
    return Copies(machine, tmp_path)


def on_a_copy(copies: Copies, work: Callable[[KeyVault], object]) -> Callable[[], Callable[[], object]]:
    def prepare() -> Callable[[], object]:
        path = copies.next()
        return lambda: work(opened(path))

    return prepare


def hidden(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir() if ".part" in entry.name)


def test_rotation_happened_or_not(machine: Machine, copies: Copies) -> None:
    versions = set()
    for _ in each_kill(on_a_copy(copies, lambda vault: vault.rotate_kek("data"))):
        vault = opened(copies.path)
        versions.add(vault.kek_version("data"))
        assert machines.secrets_of(vault).items() >= machine.secrets.items()
        assert vault.rotate_kek("data") == vault.kek_version("data")
        vault.create_keys("ward 9", "data", 1)
        vault.close()
    assert 1 in versions


def test_re_wrap_goes_on_where_it_was_killed(machine: Machine, copies: Copies) -> None:
    def work(vault: KeyVault) -> None:
        vault.rotate_kek("data")
        vault.rewrap("data", no_progress, BATCH)

    partly = 0
    for _ in each_kill(on_a_copy(copies, work), stride=2):
        vault = opened(copies.path)
        assert machines.secrets_of(vault).items() >= machine.secrets.items()
        if vault.kek_version("data") == 2:
            left = vault.rewrap("data", no_progress, BATCH)
            partly += 0 < left < 5
        assert {record.wrapped_version for record in vault.records(owner="ward 3")} == {
            vault.kek_version("data")
        }
        assert machines.secrets_of(vault).items() >= machine.secrets.items()
        vault.close()
    assert partly, "no kill fell between two batches"


def test_a_change_of_the_system_key_leaves_a_file_that_opens(machine: Machine, copies: Copies) -> None:
    def prepare() -> Callable[[], object]:
        path = copies.next()

        def work() -> None:
            vault = opened(path)
            change_key_file(
                path.with_name("system.key"),
                OTHER_SYSTEM_KEY,
                vault.wrapping_key,
                lambda: vault.change_system_key(OTHER_SYSTEM_KEY),
            )

        return work

    keys = set()
    for _ in each_kill(prepare):
        vault = KeyVault.open(copies.path, ENGINES, now, os.urandom)
        key_file = copies.path.with_name("system.key")
        unseal_by_file(key_file, vault.unseal)
        assert machines.secrets_of(vault) == machine.secrets
        keys.add(KeyFile(key_file).system_key())
        change_key_file(key_file, bytes(16), vault.wrapping_key, partial(vault.change_system_key, bytes(16)))
        assert not key_file.with_name("system.key.next").exists()
        vault.close()
    assert keys == {SYSTEM_KEY, OTHER_SYSTEM_KEY}


def test_an_archive_is_there_whole_or_not_at_all(machine: Machine, copies: Copies) -> None:
    def prepare() -> Callable[[], object]:
        path = copies.next()
        return lambda: machines.backup_of(opened(path)).write(path.with_name("keys.cfkeys"), no_progress)

    whole = []
    for _ in each_kill(prepare, stride=3):
        archive = copies.path.with_name("keys.cfkeys")
        vault = opened(copies.path)
        whole.append(archive.exists())
        if archive.exists():
            machines.opened_archive(archive)
        machines.backup_of(vault).write(archive.with_name("next night.cfkeys"), no_progress)
        assert hidden(archive.parent) == []
        assert machines.secrets_of(vault) == machine.secrets
        vault.close()
    assert not whole[0]
    assert whole[-1], "no kill fell between the name and the end"


def test_a_vault_is_restored_whole_or_not_at_all(machine: Machine, tmp_path: Path) -> None:
    archive = machines.opened_archive(machine.archive)
    turn = 0

    def prepare() -> Callable[[], object]:
        nonlocal turn
        turn += 1
        path = tmp_path / str(turn) / "keys.db"
        return lambda: machines.restore(path, archive, machine.backup_key)

    whole = []
    for _ in each_kill(prepare):
        path = tmp_path / str(turn) / "keys.db"
        whole.append(path.exists())
        if not path.exists():
            machines.restore(path, archive, machine.backup_key)
            assert hidden(path.parent) == []
        vault = opened(path, OTHER_SYSTEM_KEY)
        assert machines.secrets_of(vault) == machine.secrets
        vault.close()
    assert not whole[0]
    assert whole[-1], "no kill fell between the name and the end"
