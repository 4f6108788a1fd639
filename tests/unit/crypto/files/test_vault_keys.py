"""Files under the keys of a real vault: rotated, re-wrapped, the old key refused, nothing while it is sealed."""

from pathlib import Path

import pytest

from crypto.errors import KeyRefused, VaultSealed
from crypto.files import walk
from crypto.files.envelope import key_path, read_key_file
from crypto.files.job import Job, State, run
from crypto.files.sealed_file import SealedFiles
from crypto.vault.vault import DATA_KEK, KeyVault
from tests.fixtures.key_vault import keyring_of, new_vault, opened
from tests.unit.crypto.files.file_samples import CHUNK, PROVIDER, content, unheard

pytestmark = pytest.mark.requirement("H2", "H2.8", "H2.9")


@pytest.fixture
def vault(tmp_path: Path) -> KeyVault:
    return new_vault(tmp_path / "keys.db")


def files_of(vault: KeyVault) -> SealedFiles:
    return SealedFiles(keyring_of(vault), PROVIDER, 2)


def sealed_by(vault: KeyVault, folder: Path, name: str) -> Path:
    source = folder / name
    source.write_bytes(content(CHUNK + 1))
    return files_of(vault).seal(source, folder / f"{name}.cfs", name, unheard).path


def test_after_a_rotation_and_a_re_wrap_the_old_key_is_not_needed(vault: KeyVault, tmp_path: Path) -> None:
    first, second = sealed_by(vault, tmp_path, "first"), sealed_by(vault, tmp_path, "second")
    elsewhere = files_of(opened(tmp_path / "keys.db"))
    vault.rotate_kek(DATA_KEK)
    assert elsewhere.rewrap(first)
    assert read_key_file(key_path(first)).wrapped.kek_version == 2
    vault.set_minimum_version(DATA_KEK, 2)
    assert elsewhere.verify(first, unheard).plain_length == CHUNK + 1
    with pytest.raises(KeyRefused):
        elsewhere.verify(second, unheard)


def test_while_the_vault_is_sealed_a_job_ends_and_changes_nothing(vault: KeyVault, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}").write_bytes(b"x")
    before, job = sorted(folder.iterdir()), Job(files_of(vault), unheard)
    vault.seal()
    with pytest.raises(VaultSealed):
        list(run(lambda found: job.seal(found, None, True), walk.to_seal([folder], None), 2))
    assert sorted(folder.iterdir()) == before
    vault.unseal(bytes(range(16)))
    outcomes = run(lambda found: job.seal(found, None, True), walk.to_seal([folder], None), 2)
    assert [outcome.state for outcome in outcomes] == [State.DONE] * 5
