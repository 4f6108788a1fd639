"""The keyring on a vault: data keys, fields of the database, blind indexes, rotation."""

from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import KeyRefused, SealBroken, VaultSealed
from crypto.keyring import WrappedKey
from crypto.local_keyring import MOST_WRAPS, LocalKeyring
from crypto.vault.vault import DATA_KEK, KeyVault
from tests.fixtures.key_vault import SYSTEM_KEY, keyring_of, new_vault, opened

OBJECT_ID = bytes(range(16))
PACK: dict[str, Any] = {"object_id": OBJECT_ID, "kind": "pack", "owner": "series:7"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "keys.db"


@pytest.fixture
def vault(path: Path) -> KeyVault:
    return new_vault(path)


@pytest.fixture
def ring(vault: KeyVault) -> LocalKeyring:
    return keyring_of(vault)


@pytest.fixture(scope="module")
def module_ring(tmp_path_factory: pytest.TempPathFactory) -> LocalKeyring:
    return keyring_of(new_vault(tmp_path_factory.mktemp("keys") / "keys.db"))


def loaded(path: Path) -> LocalKeyring:
    """As another process has it."""
    return keyring_of(opened(path))


@pytest.mark.requirement("H2.8")
def test_a_data_key_comes_back_after_a_restart(ring: LocalKeyring, path: Path) -> None:
    dek = ring.new_dek()
    wrapped = ring.wrap_dek(dek, **PACK)
    assert len(dek) == 16
    assert (wrapped.kek_version, len(wrapped.blob)) == (1, 44)
    assert dek not in wrapped.blob
    assert loaded(path).unwrap_dek(wrapped, **PACK) == dek


@pytest.mark.requirement("H2.8")
def test_keys_and_wraps_never_repeat(ring: LocalKeyring) -> None:
    dek = ring.new_dek()
    assert len({ring.new_dek() for _ in range(100)}) == 100
    assert len({ring.wrap_dek(dek, **PACK).blob for _ in range(100)}) == 100


@pytest.mark.requirement("H2.8")
@pytest.mark.parametrize(
    "changed",
    [
        {"object_id": bytes(16)},
        {"kind": "file"},
        {"owner": "series:8"},
        {"kind": "packs", "owner": "eries:7"},
    ],
    ids=str,
)
def test_a_wrapped_key_moved_to_another_object_kind_or_owner_is_refused(
    ring: LocalKeyring, changed: dict[str, str]
) -> None:
    wrapped = ring.wrap_dek(ring.new_dek(), **PACK)
    with pytest.raises(KeyRefused, match="does not unwrap"):
        ring.unwrap_dek(wrapped, **{**PACK, **changed})


@pytest.mark.requirement("H2.8")
@settings(deadline=None, max_examples=60)
@given(st.integers(0, 44 * 8 - 1))
def test_an_altered_wrapped_key_is_refused(module_ring: LocalKeyring, bit: int) -> None:
    blob = bytearray(module_ring.wrap_dek(bytes(16), **PACK).blob)
    blob[bit >> 3] ^= 1 << (bit & 7)
    with pytest.raises(KeyRefused):
        module_ring.unwrap_dek(WrappedKey(1, bytes(blob)), **PACK)


@pytest.mark.requirement("H2.8")
@pytest.mark.parametrize("length", [0, 5, 12, 27, 28, 43])
def test_a_cut_wrapped_key_is_refused(ring: LocalKeyring, length: int) -> None:
    wrapped = ring.wrap_dek(ring.new_dek(), **PACK)
    with pytest.raises(KeyRefused):
        ring.unwrap_dek(WrappedKey(1, wrapped.blob[:length]), **PACK)


@pytest.mark.requirement("H2.8")
def test_a_data_key_of_another_length_is_not_wrapped(ring: LocalKeyring) -> None:
    with pytest.raises(KeyRefused, match="16 bytes"):
        ring.wrap_dek(bytes(32), **PACK)


@pytest.mark.requirement("H2.8")
def test_after_a_rotation_old_wraps_open_and_new_ones_use_the_new_version(
    ring: LocalKeyring, vault: KeyVault, path: Path
) -> None:
    dek = ring.new_dek()
    old, old_field = ring.wrap_dek(dek, **PACK), ring.seal_field("骨窗", context="report.text")
    assert vault.rotate_kek(DATA_KEK) == ring.active_version == 2
    new = ring.wrap_dek(dek, **PACK)
    assert (old.kek_version, new.kek_version) == (1, 2)
    with pytest.raises(KeyRefused):
        ring.unwrap_dek(WrappedKey(1, new.blob), **PACK)
    for keyring in (ring, loaded(path)):
        assert keyring.unwrap_dek(old, **PACK) == keyring.unwrap_dek(new, **PACK) == dek
        assert keyring.open_field(old_field, context="report.text") == "骨窗"


@pytest.mark.requirement("H2.8")
def test_a_rotation_by_another_process_is_seen_at_once(ring: LocalKeyring, path: Path) -> None:
    process, other = opened(path), loaded(path)
    assert ring.active_version == 1
    assert process.rotate_kek(DATA_KEK) == 2
    sealed = other.seal_field("x", context="c")
    assert (sealed[2], ring.active_version) == (2, 2)
    assert ring.open_field(sealed, context="c") == "x"
    assert ring.wrap_dek(bytes(16), **PACK).kek_version == 2


@pytest.mark.requirement("H2.8")
def test_rotations_at_the_same_time_lose_no_version(vault: KeyVault, path: Path) -> None:
    vaults = [opened(path) for _ in range(8)]
    versions: list[int] = []
    threads = [Thread(target=lambda one=one: versions.append(one.rotate_kek(DATA_KEK))) for one in vaults]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == list(range(2, 10))
    assert loaded(path).active_version == 9


@pytest.mark.requirement("H2.8")
def test_a_sealed_vault_seals_and_opens_nothing(ring: LocalKeyring, vault: KeyVault) -> None:
    sealed, wrapped = ring.seal_field("x", context="c"), ring.wrap_dek(bytes(16), **PACK)
    ring.open_field(sealed, context="c")
    index, sub_key = ring.blind_index("phone", "1"), ring.derive("otp")
    vault.seal()
    for ask in (
        lambda: ring.open_field(sealed, context="c"),
        lambda: ring.seal_field("x", context="c"),
        lambda: ring.seal_blobs([b"x"], context="c"),
        lambda: ring.unwrap_dek(wrapped, **PACK),
        lambda: ring.wrap_dek(bytes(16), **PACK),
        lambda: ring.blind_index("phone", "1"),
        lambda: ring.derive("otp"),
    ):
        with pytest.raises(VaultSealed):
            ask()
    vault.unseal(SYSTEM_KEY)
    assert ring.open_field(sealed, context="c") == "x"
    assert (ring.blind_index("phone", "1"), ring.derive("otp")) == (index, sub_key)


@pytest.mark.requirement("H2.8")
def test_a_destroyed_kek_version_opens_nothing_also_in_other_processes(
    ring: LocalKeyring, vault: KeyVault, path: Path
) -> None:
    other = loaded(path)
    old, wrapped = ring.seal_field("x", context="c"), ring.wrap_dek(bytes(16), **PACK)
    assert other.open_field(old, context="c") == "x"
    vault.rotate_kek(DATA_KEK)
    new = ring.seal_field("y", context="c")
    vault.destroy("data/1", "the contract ended")
    for keyring in (ring, other):
        with pytest.raises(KeyRefused, match="destroyed"):
            keyring.open_field(old, context="c")
        with pytest.raises(KeyRefused, match="destroyed"):
            keyring.unwrap_dek(wrapped, **PACK)
        assert keyring.open_field(new, context="c") == "y"


@pytest.mark.requirement("H2.8")
def test_below_the_minimum_version_nothing_opens_until_it_is_lowered(
    ring: LocalKeyring, vault: KeyVault
) -> None:
    old = ring.seal_field("x", context="c")
    vault.rotate_kek(DATA_KEK)
    vault.set_minimum_version(DATA_KEK, 2)
    with pytest.raises(KeyRefused, match="lower the minimum"):
        ring.open_field(old, context="c")
    vault.set_minimum_version(DATA_KEK, 1)
    assert ring.open_field(old, context="c") == "x"


@pytest.mark.requirement("H2.8")
def test_wraps_are_counted_ahead_and_end_at_two_to_the_thirty_second(
    ring: LocalKeyring, vault: KeyVault
) -> None:
    for _ in range(3):
        ring.wrap_dek(bytes(16), **PACK)
    ring.seal_blobs([b"x"] * 10, context="c")
    counted = vault.find("data/1").uses
    assert counted >= 13
    ring.seal_blobs([b"x"] * counted, context="c")
    assert vault.find("data/1").uses >= counted + 13
    vault.count_uses({"data/1": MOST_WRAPS - vault.find("data/1").uses})
    with pytest.raises(KeyRefused, match="rotate"):
        ring.seal_blobs([b"x"] * 10_000, context="c")
    vault.rotate_kek(DATA_KEK)
    assert ring.wrap_dek(bytes(16), **PACK).kek_version == 2


@pytest.mark.requirement("H2")
def test_values_of_several_versions_open_in_their_order(ring: LocalKeyring, vault: KeyVault) -> None:
    blobs = ring.seal_blobs([b"a", b"", b"c"], context="c")
    vault.rotate_kek(DATA_KEK)
    blobs[1:1] = ring.seal_blobs([b"new"], context="c")
    assert ring.open_blobs(blobs, context="c") == [b"a", b"new", b"", b"c"]
    assert ring.open_blobs([], context="c") == ring.seal_blobs([], context="c") == []
    with pytest.raises(SealBroken):
        ring.open_blobs([*blobs[:2], blobs[2][:-1] + b"?"], context="c")


@pytest.mark.requirement("H2.8")
def test_an_unknown_kek_version_is_refused(ring: LocalKeyring) -> None:
    with pytest.raises(KeyRefused, match="KEK version 9"):
        ring.unwrap_dek(WrappedKey(9, bytes(44)), **PACK)


@pytest.mark.requirement("H2.8")
def test_a_running_vault_does_not_take_over_the_keys_of_another_installation(
    ring: LocalKeyring, vault: KeyVault, path: Path, tmp_path: Path
) -> None:
    new_vault(tmp_path / "other.db").close()
    vault.database.close()
    (tmp_path / "other.db").replace(path)
    with pytest.raises(KeyRefused, match="another vault"):
        vault.rotate_kek(DATA_KEK)
    with pytest.raises(KeyRefused):
        ring.wrap_dek(bytes(16), **PACK)


@pytest.mark.requirement("H2", "H2.4")
@settings(deadline=None, max_examples=60)
@given(st.text(max_size=60), st.binary(max_size=200), st.text(min_size=1, max_size=20))
def test_fields_come_back_and_only_in_their_column(
    module_ring: LocalKeyring, text: str, content: bytes, context: str
) -> None:
    field = module_ring.seal_field(text, context=context)
    blob = module_ring.seal_blob(content, context=context)
    assert module_ring.open_field(field, context=context) == text
    assert module_ring.open_blob(blob, context=context) == content
    with pytest.raises(SealBroken, match="another column"):
        module_ring.open_field(field, context=context + ".other")


@pytest.mark.requirement("H2")
def test_equal_fields_look_different(ring: LocalKeyring) -> None:
    assert len({ring.seal_field("珅東", context="patient.name") for _ in range(50)}) == 50


@pytest.mark.requirement("H2")
def test_an_altered_field_is_refused_at_every_byte(ring: LocalKeyring) -> None:
    sealed = ring.seal_field("13800000000", context="patient.phone")
    for at in range(len(sealed)):
        flipped = bytearray(sealed)
        flipped[at] ^= 1
        with pytest.raises((SealBroken, KeyRefused)):
            ring.open_field(bytes(flipped), context="patient.phone")
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            ring.open_field(sealed[:length], context="patient.phone")


@pytest.mark.requirement("H2")
def test_another_installation_opens_nothing(ring: LocalKeyring, tmp_path: Path) -> None:
    other = keyring_of(new_vault(tmp_path / "other.db"))
    with pytest.raises(SealBroken):
        other.open_field(ring.seal_field("x", context="c"), context="c")
    with pytest.raises(KeyRefused):
        other.unwrap_dek(ring.wrap_dek(bytes(16), **PACK), **PACK)


@pytest.mark.requirement("H2")
def test_blind_indexes_find_equal_values_of_one_kind_for_ever(
    ring: LocalKeyring, vault: KeyVault, path: Path, tmp_path: Path
) -> None:
    index = ring.blind_index("phone", "13800000000")
    vault.rotate_kek(DATA_KEK)
    assert loaded(path).blind_index("phone", "13800000000") == index
    assert len(index) == 64
    assert int(index, 16) >= 0
    others = {
        ring.blind_index("phone", "13800000001"),
        ring.blind_index("id_number", "13800000000"),
        ring.blind_index("phone1", "3800000000"),
        keyring_of(new_vault(tmp_path / "other.db")).blind_index("phone", "13800000000"),
    }
    assert len(others | {index}) == 5


@pytest.mark.requirement("H2.8")
def test_named_sub_keys_are_stable_and_strangers_to_each_other(
    ring: LocalKeyring, vault: KeyVault, path: Path
) -> None:
    audit = ring.derive("audit")
    vault.rotate_kek(DATA_KEK)
    assert loaded(path).derive("audit") == audit
    assert len(audit) == 32
    assert len({audit, ring.derive("otp"), ring.derive("audit "), ring.derive("")}) == 4
    assert audit not in path.read_bytes()
