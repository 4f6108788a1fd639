"""Three levels of keys, fields of the database, blind indexes, rotation."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import KeyRefused, SealBroken
from crypto.keyring import Keyring, WrappedKey
from tests.unit.crypto.sealed_samples import PROVIDER

OBJECT_ID = bytes(range(16))
PACK: dict[str, Any] = {"object_id": OBJECT_ID, "kind": "pack", "owner": "series:7"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "keyring.json"


@pytest.fixture
def ring(path: Path) -> Keyring:
    return Keyring.create(path, PROVIDER)


@pytest.fixture(scope="module")
def module_ring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring.create(tmp_path_factory.mktemp("keys") / "keyring.json", PROVIDER)


@pytest.mark.requirement("H2.8")
def test_a_data_key_comes_back_after_a_restart(ring: Keyring, path: Path) -> None:
    dek = ring.new_dek()
    wrapped = ring.wrap_dek(dek, **PACK)
    assert len(dek) == 16
    assert (wrapped.kek_version, len(wrapped.blob)) == (1, 44)
    assert dek not in wrapped.blob
    assert Keyring.load(path, PROVIDER).unwrap_dek(wrapped, **PACK) == dek


@pytest.mark.requirement("H2.8")
def test_keys_and_wraps_never_repeat(ring: Keyring) -> None:
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
    ring: Keyring, changed: dict[str, str]
) -> None:
    wrapped = ring.wrap_dek(ring.new_dek(), **PACK)
    with pytest.raises(KeyRefused, match="does not unwrap"):
        ring.unwrap_dek(wrapped, **{**PACK, **changed})


@pytest.mark.requirement("H2.8")
@settings(deadline=None, max_examples=60)
@given(st.integers(0, 44 * 8 - 1))
def test_an_altered_wrapped_key_is_refused(module_ring: Keyring, bit: int) -> None:
    blob = bytearray(module_ring.wrap_dek(bytes(16), **PACK).blob)
    blob[bit >> 3] ^= 1 << (bit & 7)
    with pytest.raises(KeyRefused):
        module_ring.unwrap_dek(WrappedKey(1, bytes(blob)), **PACK)


@pytest.mark.requirement("H2.8")
@pytest.mark.parametrize("length", [0, 5, 12, 27, 28, 43])
def test_a_cut_wrapped_key_is_refused(ring: Keyring, length: int) -> None:
    wrapped = ring.wrap_dek(ring.new_dek(), **PACK)
    with pytest.raises(KeyRefused):
        ring.unwrap_dek(WrappedKey(1, wrapped.blob[:length]), **PACK)


@pytest.mark.requirement("H2.8")
def test_a_data_key_of_another_length_is_not_wrapped(ring: Keyring) -> None:
    with pytest.raises(KeyRefused, match="16 bytes"):
        ring.wrap_dek(bytes(32), **PACK)


@pytest.mark.requirement("H2.8")
def test_after_a_rotation_old_wraps_open_and_new_ones_use_the_new_version(ring: Keyring, path: Path) -> None:
    dek = ring.new_dek()
    old, old_field = ring.wrap_dek(dek, **PACK), ring.seal_field("骨窗", context="report.text")
    assert ring.rotate() == ring.active_version == 2
    new = ring.wrap_dek(dek, **PACK)
    assert (old.kek_version, new.kek_version) == (1, 2)
    with pytest.raises(KeyRefused):
        ring.unwrap_dek(WrappedKey(1, new.blob), **PACK)
    for keyring in (ring, Keyring.load(path, PROVIDER)):
        assert keyring.unwrap_dek(old, **PACK) == keyring.unwrap_dek(new, **PACK) == dek
        assert keyring.open_field(old_field, context="report.text") == "骨窗"


@pytest.mark.requirement("H2.8")
def test_a_rotation_by_another_process_is_picked_up_when_met(ring: Keyring, path: Path) -> None:
    other = Keyring.load(path, PROVIDER)
    assert other.rotate() == 2
    sealed = other.seal_field("x", context="c")
    assert ring.active_version == 1
    assert ring.open_field(sealed, context="c") == "x"
    assert ring.active_version == 2
    assert ring.rotate() == 3
    assert other.rotate() == 4


@pytest.mark.requirement("H2.8")
def test_an_unknown_kek_version_is_refused(ring: Keyring) -> None:
    with pytest.raises(KeyRefused, match="KEK version 9"):
        ring.unwrap_dek(WrappedKey(9, bytes(44)), **PACK)


@pytest.mark.requirement("H2.8")
def test_a_running_keyring_does_not_take_over_the_keys_of_another_installation(
    ring: Keyring, path: Path, tmp_path: Path
) -> None:
    Keyring.create(tmp_path / "other.json", PROVIDER)
    (tmp_path / "other.json").replace(path)
    with pytest.raises(KeyRefused, match="another installation"):
        ring.rotate()
    assert ring.unwrap_dek(ring.wrap_dek(bytes(16), **PACK), **PACK) == bytes(16)


@pytest.mark.requirement("H2", "H2.4")
@settings(deadline=None, max_examples=60)
@given(st.text(max_size=60), st.binary(max_size=200), st.text(min_size=1, max_size=20))
def test_fields_come_back_and_only_in_their_column(
    module_ring: Keyring, text: str, content: bytes, context: str
) -> None:
    field = module_ring.seal_field(text, context=context)
    blob = module_ring.seal_blob(content, context=context)
    assert module_ring.open_field(field, context=context) == text
    assert module_ring.open_blob(blob, context=context) == content
    with pytest.raises(SealBroken, match="another column"):
        module_ring.open_field(field, context=context + ".other")


@pytest.mark.requirement("H2")
def test_equal_fields_look_different(ring: Keyring) -> None:
    assert len({ring.seal_field("珅東", context="patient.name") for _ in range(50)}) == 50


@pytest.mark.requirement("H2")
def test_an_altered_field_is_refused_at_every_byte(ring: Keyring) -> None:
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
def test_another_installation_opens_nothing(ring: Keyring, tmp_path: Path) -> None:
    other = Keyring.create(tmp_path / "other.json", PROVIDER)
    with pytest.raises(SealBroken):
        other.open_field(ring.seal_field("x", context="c"), context="c")
    with pytest.raises(KeyRefused):
        other.unwrap_dek(ring.wrap_dek(bytes(16), **PACK), **PACK)


@pytest.mark.requirement("H2")
def test_blind_indexes_find_equal_values_of_one_kind_for_ever(
    ring: Keyring, path: Path, tmp_path: Path
) -> None:
    index = ring.blind_index("phone", "13800000000")
    ring.rotate()
    assert Keyring.load(path, PROVIDER).blind_index("phone", "13800000000") == index
    assert len(index) == 64
    assert int(index, 16) >= 0
    others = {
        ring.blind_index("phone", "13800000001"),
        ring.blind_index("id_number", "13800000000"),
        ring.blind_index("phone1", "3800000000"),
        Keyring.create(tmp_path / "other.json", PROVIDER).blind_index("phone", "13800000000"),
    }
    assert len(others | {index}) == 5


@pytest.mark.requirement("H2.8")
def test_named_sub_keys_are_stable_and_strangers_to_each_other(ring: Keyring, path: Path) -> None:
    audit = ring.derive("audit")
    ring.rotate()
    assert Keyring.load(path, PROVIDER).derive("audit") == audit
    assert len(audit) == 32
    assert len({audit, ring.derive("otp"), ring.derive("audit "), ring.derive("")}) == 4
    assert audit.hex() not in path.read_text()
