"""After a rotation the platform's own rows come under the newest KEK: all of them, each once, also after a kill."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import clock, db, personal_data
from core.models import Pack, Patient, Series, Study
from crypto.errors import KeyRefused, VaultSealed
from crypto.keyring import Keyring, WrappedKey
from crypto.local_keyring import LocalKeyring
from crypto.vault.vault import DATA_KEK, KeyVault
from imaging.sealing import KIND as WRAPPED_KIND
from tests.fixtures.key_vault import SYSTEM_KEY, keyring_of, new_vault
from workflow.archive_study import KIND as OWNER
from workflow.rewrap_stored import count_outdated, rewrap_stored

pytestmark = pytest.mark.requirement("H2.8")
ROOT = Path(__file__).parents[3]
PATIENTS = 8
PACKS = 7


@pytest.fixture
def vault(tmp_path: Path) -> KeyVault:
    """Of this test alone, since it is rotated."""
    return new_vault(tmp_path / "own" / "keys.db")


@pytest.fixture
def ring(vault: KeyVault, keyring: Keyring, database_url: str) -> Iterator[LocalKeyring]:
    """Bound, with a database of some rows sealed under version 1."""
    own = keyring_of(vault)
    personal_data.bind(own)
    db.connect(database_url)
    with db.connection():
        fill(own)
        yield own
    personal_data.bind(keyring)


def fill(ring: LocalKeyring) -> None:
    for number in range(PATIENTS):
        Patient.create(name=f"病人{number}", phone=f"1380013800{number}")
    study = Study.create(study_uid="1.2", patient_name="张三", last_received_at=clock.now())
    series = Series.create(series_uid="1.2.3", study=study, last_received_at=clock.now())
    for generation in range(PACKS):
        object_id = bytes([generation]) * 16
        wrapped = ring.wrap_dek(dek(generation), object_id=object_id, kind=WRAPPED_KIND, owner=OWNER)
        Pack.create(
            series=series,
            generation=generation,
            object_id=object_id.hex(),
            header=b"",
            wrapped_key=wrapped.blob,
            kek_version=wrapped.kek_version,
            key_commitment=b"",
            plain_length=0,
            sealed_length=0,
            sealed_sm3="",
            store_key="",
        )


def dek(generation: int) -> bytes:
    return bytes([100 + generation]) * 16


def opens(ring: LocalKeyring) -> None:
    """Everything reads as it was written."""
    patients = list(Patient.select().order_by(Patient.id))
    assert [patient.name for patient in patients] == [f"病人{number}" for number in range(PATIENTS)]
    assert [patient.phone for patient in patients] == [f"1380013800{number}" for number in range(PATIENTS)]
    assert Study.get(Study.study_uid == "1.2").patient_name == "张三"
    for pack in Pack.select():
        wrapped = WrappedKey(pack.kek_version, bytes(pack.wrapped_key))
        object_id = bytes.fromhex(pack.object_id)
        opened = ring.unwrap_dek(wrapped, object_id=object_id, kind=WRAPPED_KIND, owner=OWNER)
        assert opened == dek(pack.generation)


def no_progress(done: int, total: int) -> None:
    assert 0 < done <= total


def test_everything_comes_under_the_newest_version_once(ring: LocalKeyring, vault: KeyVault) -> None:
    assert count_outdated(ring) == 0
    assert vault.rotate_kek(DATA_KEK) == 2
    outdated = count_outdated(ring)
    assert outdated >= PACKS + 2 * PATIENTS + 1
    seen: list[tuple[int, int]] = []
    result = rewrap_stored(ring, lambda done, total: seen.append((done, total)), batch=3)
    assert (result.version, result.done, result.refused) == (2, outdated, [])
    assert seen[-1] == (outdated, outdated)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert count_outdated(ring) == 0
    assert rewrap_stored(ring, no_progress).done == 0
    vault.set_minimum_version(DATA_KEK, 2)
    opens(ring)
    vault.destroy("data/1", "nothing is under it any more")
    opens(ring)


def test_killed_anywhere_it_goes_on(ring: LocalKeyring, vault: KeyVault, database_url: str) -> None:
    vault.rotate_kek(DATA_KEK)
    before = count_outdated(ring)
    arguments = [str(vault.database.path), database_url, "4"]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.unit.workflow.rewrapping_process", *arguments],
        cwd=ROOT,
        check=False,
        timeout=60,
    )
    assert ended.returncode == -9
    left = count_outdated(ring)
    assert 0 < left < before
    opens(ring)
    assert rewrap_stored(ring, no_progress).done == left
    assert count_outdated(ring) == 0
    opens(ring)


def test_keys_that_are_taken_away_end_it_and_accuse_no_row(ring: LocalKeyring, vault: KeyVault) -> None:
    vault.rotate_kek(DATA_KEK)
    before = count_outdated(ring)
    with pytest.raises(VaultSealed):
        rewrap_stored(ring, lambda _done, _total: vault.seal(), batch=3)
    vault.unseal(SYSTEM_KEY)
    assert rewrap_stored(ring, no_progress).done == before - 3
    opens(ring)


def test_a_value_that_does_not_open_is_named_and_stops_nothing(ring: LocalKeyring, vault: KeyVault) -> None:
    broken = Patient.select().order_by(Patient.id.desc()).get()
    sealed = bytearray(ring.seal_field("x", context="patient.name"))
    sealed[-1] ^= 1
    db.database.execute_sql(
        f"UPDATE patient SET name = {db.database.param} WHERE id = {db.database.param}",
        (bytes(sealed), broken.id),
    )
    Pack.update(wrapped_key=bytes(44)).where(Pack.generation == 2).execute()
    vault.rotate_kek(DATA_KEK)
    outdated = count_outdated(ring)
    result = rewrap_stored(ring, no_progress, batch=3)
    pack = Pack.get(Pack.generation == 2)
    assert sorted(result.refused) == [f"pack.wrapped_key {pack.id}", f"patient.name {broken.id}"]
    assert result.done == outdated - 2
    with pytest.raises(KeyRefused):
        ring.unwrap_dek(WrappedKey(1, bytes(44)), object_id=bytes(16), kind=WRAPPED_KIND, owner=OWNER)


def test_what_was_sealed_meanwhile_is_not_overwritten(ring: LocalKeyring, vault: KeyVault) -> None:
    vault.rotate_kek(DATA_KEK)
    first = Patient.select().order_by(Patient.id).get()

    class Meanwhile(LocalKeyring):
        """Between the reading and the writing of a batch somebody saves a name."""

        def seal_blobs(self, contents: list[bytes], *, context: str) -> list[bytes]:  # type: ignore[override]
            if context == "patient.name":
                Patient.update(name="新名").where(Patient.id == first.id).execute()
            return super().seal_blobs(contents, context=context)

    meanwhile = Meanwhile(vault, ring._provider, ring._random)
    rewrap_stored(meanwhile, no_progress)
    assert Patient.get_by_id(first.id).name == "新名"
