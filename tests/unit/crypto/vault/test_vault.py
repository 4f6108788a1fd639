"""The vault: sealed and unsealed, pairs, SM4 keys, KEKs, what one row is bound to, what a state allows."""

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto.errors import KeyRefused, VaultSealed
from crypto.vault.database import KeyDatabase
from crypto.vault.identity import is_vault
from crypto.vault.records import Kind
from crypto.vault.states import State
from crypto.vault.vault import KeyVault
from tests.fixtures.key_vault import (
    ENGINES,
    OTHER_SYSTEM_KEY,
    SYSTEM_KEY,
    new_vault,
    now,
    opened,
)

pytestmark = pytest.mark.requirement("H2.8")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "keys.db"


@pytest.fixture
def vault(path: Path) -> KeyVault:
    return new_vault(path)


def change_row(path: Path, assignment: str, key_id: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE keys SET {assignment} WHERE id = ?", (key_id,))


def test_a_vault_opens_sealed_and_gives_nothing_before_its_system_key(vault: KeyVault, path: Path) -> None:
    pair, key = vault.create_pairs("dr", "sign")[0], vault.create_keys("dr", "data")[0]
    again = KeyVault.open(path, ENGINES, now, lambda count: bytes(count))
    assert again.is_sealed
    assert again.find(pair).owner == "dr"
    asked: list[Callable[[], object]] = [
        lambda: again.pair(pair, "sign"),
        lambda: again.pair(pair, "verify"),
        lambda: again.symmetric(key, "decrypt"),
        lambda: again.kek("data"),
        lambda: again.kek("data", 1),
        lambda: again.create_pairs("dr", "sign"),
        lambda: again.create_keys("dr", "data"),
        lambda: again.create_kek("other"),
        lambda: again.rotate_kek("data"),
        lambda: again.change_system_key(OTHER_SYSTEM_KEY),
        again.root,
    ]
    for ask in asked:
        with pytest.raises(VaultSealed):
            ask()
    again.unseal(SYSTEM_KEY)
    assert again.pair(pair, "sign") == vault.pair(pair, "sign")
    assert again.symmetric(key, "decrypt") == vault.symmetric(key, "decrypt")
    assert again.root() == vault.root()


def test_sealing_forgets_what_was_opened(vault: KeyVault) -> None:
    vault.kek("data")
    vault.root()
    vault.seal()
    assert vault.is_sealed
    for ask in (lambda: vault.kek("data"), vault.root, vault.wrapping_key):
        with pytest.raises(VaultSealed):
            ask()


def test_the_key_of_another_vault_does_not_unseal(vault: KeyVault, path: Path, tmp_path: Path) -> None:
    other = KeyVault.create(tmp_path / "other.db", OTHER_SYSTEM_KEY, ENGINES, now, lambda count: bytes(count))
    vault.seal()
    for wrong in (OTHER_SYSTEM_KEY, bytes(16)):
        with pytest.raises(KeyRefused, match="does not belong to vault"):
            vault.unseal(wrong)
    with pytest.raises(KeyRefused, match="16 bytes"):
        vault.unseal(bytes(15))
    assert vault.is_sealed
    assert vault.system_key_check != other.system_key_check


def test_a_vault_is_not_overwritten_and_not_invented(vault: KeyVault, path: Path, tmp_path: Path) -> None:
    root = vault.root()
    with pytest.raises(KeyRefused, match="not overwritten"):
        new_vault(path)
    assert opened(path).root() == root
    with pytest.raises(KeyRefused, match="no vault"):
        KeyVault.open(tmp_path / "none.db", ENGINES, now, lambda count: bytes(count))
    KeyDatabase(tmp_path / "empty.db").connection()
    with pytest.raises(KeyRefused, match="no vault"):
        KeyVault.open(tmp_path / "empty.db", ENGINES, now, lambda count: bytes(count))
    assert [is_vault(one) for one in (path, tmp_path / "none.db", tmp_path / "empty.db")] == [
        True,
        False,
        False,
    ]


def test_nothing_secret_is_in_the_files_or_in_texts(vault: KeyVault, path: Path) -> None:
    pair = vault.pair(vault.create_pairs("dr", "encrypt")[0], "decrypt")
    key = vault.symmetric(vault.create_keys("dr", "data")[0], "encrypt")
    secrets = [SYSTEM_KEY, vault.root(), vault.kek("data").key, pair.private, key, vault.wrapping_key()]
    stored = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert pair.public in stored
    assert not any(secret in stored for secret in secrets)
    told = repr(vault) + repr(vault.kek("data")) + repr(vault.find("data/1")) + repr(vault._secrets)
    assert not any(secret.hex() in told or repr(secret) in told for secret in secrets)


def test_pairs_belong_together_and_are_of_one_purpose(vault: KeyVault) -> None:
    ids = vault.create_pairs("dr", "sign", 3) + vault.create_pairs("dr", "encrypt", 2)
    assert len(set(ids)) == 5
    pairs = [vault.pair(key_id, "sign") for key_id in ids[:3]]
    assert [pair.public for pair in pairs] == ENGINES.sm2.public_keys([pair.private for pair in pairs])
    assert vault.pair(ids[0], "verify") == (b"", pairs[0].public)
    with pytest.raises(KeyRefused, match="there to sign"):
        vault.pair(ids[0], "decrypt")
    with pytest.raises(KeyRefused, match="there to encrypt"):
        vault.pair(ids[3], "sign")
    with pytest.raises(KeyRefused, match="there to sign"):
        vault.exportable(ids[0])
    assert vault.exportable(ids[3]) == vault.pair(ids[3], "decrypt")
    with pytest.raises(KeyRefused, match="to sign or to encrypt"):
        vault.create_pairs("dr", "both")


def test_kinds_are_not_taken_for_each_other(vault: KeyVault) -> None:
    pair, key = vault.create_pairs("dr", "encrypt")[0], vault.create_keys("dr", "data")[0]
    for ask in (lambda: vault.symmetric(pair, "decrypt"), lambda: vault.pair(key, "decrypt")):
        with pytest.raises(KeyRefused, match="of kind"):
            ask()
    with pytest.raises(KeyRefused, match="of kind kek"):
        vault.symmetric("data/1", "decrypt")
    with pytest.raises(KeyRefused, match="is not in"):
        vault.find("0" * 32)


@pytest.mark.parametrize(
    "assignment",
    ["owner = 'eve'", "purpose = 'encrypt'", "public = zeroblob(64)", "version = 2", "blob = zeroblob(92)"],
)
def test_a_row_that_was_changed_is_refused_for_every_use(
    vault: KeyVault, path: Path, assignment: str
) -> None:
    key_id = vault.create_pairs("dr", "sign")[0]
    change_row(path, assignment, key_id)
    uses = ("encrypt", "decrypt") if "purpose" in assignment else ("sign", "verify")
    for use in uses:
        with pytest.raises(KeyRefused, match="does not belong to this row"):
            vault.pair(key_id, use)


def test_a_secret_moved_to_another_row_is_refused(vault: KeyVault, path: Path) -> None:
    one, two = vault.create_keys("dr", "data", 2)
    change_row(path, f"blob = (SELECT blob FROM keys WHERE id = '{one}')", two)
    with pytest.raises(KeyRefused, match=two):
        vault.symmetric(two, "decrypt")


@pytest.mark.parametrize(
    ("path_to", "allowed"),
    [
        ([], {"encrypt", "decrypt"}),
        (["deactivate"], {"decrypt"}),
        (["compromise"], {"decrypt"}),
        (["deactivate", "compromise"], {"decrypt"}),
        (["destroy"], set()),
    ],
)
def test_a_state_allows_what_the_table_says(vault: KeyVault, path_to: list[str], allowed: set[str]) -> None:
    key_id = vault.create_keys("dr", "data")[0]
    for change in path_to:
        getattr(vault, change)(key_id, "because")
    for use in ("encrypt", "decrypt"):
        if use in allowed:
            assert len(vault.symmetric(key_id, use)) == 16
        else:
            with pytest.raises(KeyRefused, match=f"may not {use}"):
                vault.symmetric(key_id, use)


def test_a_key_made_for_later_waits_until_it_is_activated(vault: KeyVault) -> None:
    key_id = vault.create_pairs("dr", "sign", is_active=False)[0]
    with pytest.raises(KeyRefused, match="activate it first"):
        vault.pair(key_id, "sign")
    vault.activate(key_id, "the doctor is here")
    record = vault.find(key_id)
    assert (record.state, record.activated_at, record.reason) == (
        State.ACTIVE,
        now().isoformat(),
        "the doctor is here",
    )
    assert vault.pair(key_id, "sign").private


def test_the_use_of_a_compromised_key_is_flagged(vault: KeyVault, caplog: pytest.LogCaptureFixture) -> None:
    key_id = vault.create_pairs("dr", "encrypt")[0]
    vault.compromise(key_id, "lost laptop")
    with caplog.at_level(logging.WARNING):
        private = vault.pair(key_id, "decrypt").private
    assert f"compromised key {key_id}" in caplog.text
    assert private.hex() not in caplog.text


def test_a_destroyed_key_leaves_a_tombstone_and_no_secret(vault: KeyVault, path: Path) -> None:
    key_id = vault.create_pairs("dr", "encrypt")[0]
    row = vault.database.connection().execute("SELECT blob FROM keys WHERE id = ?", (key_id,)).fetchone()
    blob = row[0]
    vault.destroy(key_id, "the contract ended")
    record = vault.find(key_id)
    assert (record.state, record.reason, record.ended_at) == (
        State.DESTROYED,
        "the contract ended",
        now().isoformat(),
    )
    assert not any(blob in file.read_bytes() for file in path.parent.iterdir())
    for change in (vault.activate, vault.deactivate, vault.compromise, vault.destroy):
        with pytest.raises(KeyRefused, match="does not follow that"):
            change(key_id, "again")


def test_records_are_found_by_kind_owner_and_state_in_pages(vault: KeyVault) -> None:
    first = vault.create_keys("a", "data", 1500)
    second = vault.create_pairs("b", "sign", 2)
    vault.deactivate(second[1], "old")
    assert [record.id for record in vault.records(owner="a")] == first
    assert [record.id for record in vault.records(kind=Kind.SM2)] == second
    assert [record.id for record in vault.records(state=State.DEACTIVATED)] == second[1:]
    after = vault.find(first[1400]).number
    assert [record.id for record in vault.records(owner="a", after=after)] == first[1401:]
    assert vault.counts() == {
        ("kek", "active"): 1,
        ("sm2", "active"): 1,
        ("sm2", "deactivated"): 1,
        ("sm4", "active"): 1500,
    }


def test_uses_are_counted_with_the_transaction_they_belong_to(vault: KeyVault) -> None:
    one, two = vault.create_keys("a", "data", 2)
    vault.count_uses({one: 3, two: 1})
    vault.count_uses({one: 2})
    with pytest.raises(RuntimeError), vault.database.transaction():
        vault.count_uses({one: 100})
        raise RuntimeError
    assert [vault.find(key_id).uses for key_id in (one, two)] == [5, 1]


@pytest.mark.parametrize("count", [0, -1, 200_001])
def test_a_request_for_too_many_keys_is_refused(vault: KeyVault, count: int) -> None:
    with pytest.raises(KeyRefused, match="at a time"):
        vault.create_keys("a", "data", count)


@pytest.mark.parametrize("name", ["", "a/1", "a b", "x" * 129, "data\n"])
def test_a_kek_has_a_plain_name_that_is_free(vault: KeyVault, name: str) -> None:
    with pytest.raises(KeyRefused, match="name"):
        vault.create_kek(name)
    with pytest.raises(KeyRefused, match="another name"):
        vault.create_kek("data")
