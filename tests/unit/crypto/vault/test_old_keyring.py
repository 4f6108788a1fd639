"""The key file of versions before the vault: its keys go over, and all that was sealed by them opens."""

import json
from pathlib import Path
from typing import Any

import pytest

from crypto.errors import KeyRefused
from crypto.key_file import create_key_file
from crypto.keyring import WrappedKey
from crypto.vault.old_keyring import read_old_keyring
from crypto.vault.records import Kind
from crypto.vault.vault import KeyVault
from tests.fixtures.key_vault import ENGINES, PORTABLE, SYSTEM_KEY, keyring_of, now, opened

pytestmark = pytest.mark.requirement("H2.8")

# Written by the last version that used such files: its key file after one rotation, and what it sealed before and after.
OLD: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "vectors" / "old_keyring.json").read_text("utf-8")
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    content = {name: value for name, value in OLD["key_file"].items() if name != "format"}
    create_key_file(tmp_path / "keyring.json", content)
    return tmp_path / "keyring.json"


def test_everything_that_the_old_keys_sealed_opens_in_the_vault(path: Path, tmp_path: Path) -> None:
    old = read_old_keyring(path, PORTABLE)
    KeyVault.adopt(
        tmp_path / "keys.db",
        SYSTEM_KEY,
        ENGINES,
        now,
        lambda count: bytes(count),
        root=old.root,
        keks=old.keks,
    ).close()
    vault = opened(tmp_path / "keys.db")
    keyring = keyring_of(vault)
    for value in OLD["sealed"]:
        assert keyring.open_field(bytes.fromhex(value["blob"]), context=value["context"]) == value["text"]
    for one in OLD["wrapped"]:
        wrapped = WrappedKey(one["kek_version"], bytes.fromhex(one["blob"]))
        object_id = bytes.fromhex(OLD["object_id"])
        dek = keyring.unwrap_dek(wrapped, object_id=object_id, kind="pack", owner=one["owner"])
        assert dek.hex() == one["dek"]
    index, derived = OLD["blind_index"], OLD["derived"]
    assert keyring.blind_index(index["kind"], index["value"]) == index["index"]
    assert keyring.derive(derived["purpose"]).hex() == derived["key"]
    assert keyring.active_version == 2
    assert [(record.id, record.state) for record in vault.records(kind=Kind.KEK)] == [
        ("data/1", "deactivated"),
        ("data/2", "active"),
    ]


@pytest.mark.parametrize("change", ["root", "keks", "system_key", "version"])
def test_an_altered_file_is_refused(path: Path, change: str) -> None:
    content = json.loads(path.read_text())
    if change == "version":
        content["keks"] = {"2": content["keks"]["1"]}
    elif change == "keks":
        content["keks"]["1"] = _last_digit_changed(content["keks"]["1"])
    else:
        content[change] = _last_digit_changed(content[change])
    path.write_text(json.dumps(content))
    with pytest.raises(KeyRefused, match="does not unwrap"):
        read_old_keyring(path, PORTABLE)


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"system_key": "00", "root": "", "keks": {"1": ""}},
        {"system_key": 7, "root": "", "keks": {}},
        {"system_key": "", "root": "", "keks": []},
        {"system_key": "00" * 16, "root": "00", "keks": {"1": ""}},
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, entries: dict[str, Any]) -> None:
    create_key_file(tmp_path / "keyring.json", entries)
    with pytest.raises(KeyRefused, match=r"keyring\.json"):
        read_old_keyring(tmp_path / "keyring.json", PORTABLE)


def _last_digit_changed(digits: str) -> str:
    return digits[:-1] + ("0" if digits[-1] != "0" else "1")
