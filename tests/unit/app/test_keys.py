"""The keys of an installation: set-up makes them once, takes old ones over, and no process starts without them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import keys, preflight
from app.keys import make_vault, open_keyring, open_vault
from core.config import Settings
from core.errors import Misconfigured
from crypto.errors import KeyRefused
from crypto.key_file import create_key_file
from crypto.vault.vault import KeyVault

pytestmark = pytest.mark.requirement("H2.8")

OLD: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "old_keyring.json").read_text("utf-8")
)


def put_old_keyring(settings: Settings) -> None:
    content = {name: value for name, value in OLD["key_file"].items() if name != "format"}
    create_key_file(settings.old_keyring_path, content)


def test_setup_makes_a_vault_and_a_system_key_once(settings: Settings) -> None:
    made = make_vault(settings)
    assert len(made) == 2
    for path in (settings.vault_path, settings.system_key_location):
        assert str(path) in "\n".join(made)
        assert path.stat().st_mode & 0o077 == 0
    sealed = open_keyring(settings).seal_field("x", context="c")
    assert make_vault(settings) == []
    assert open_keyring(settings).open_field(sealed, context="c") == "x"
    assert not open_vault(settings).is_sealed


def test_the_system_key_may_lie_elsewhere(settings: Settings, tmp_path: Path) -> None:
    apart = replace(settings, system_key_path=str(tmp_path / "stick" / "k"), key_dir=str(tmp_path / "vault"))
    make_vault(apart)
    assert (tmp_path / "vault" / "keys.db").exists()
    (tmp_path / "stick" / "k").rename(tmp_path / "stick" / "away")
    with pytest.raises(KeyRefused, match="No such file"):
        open_keyring(apart)


def test_setup_takes_an_old_key_file_over_and_says_what_to_do_with_it(settings: Settings) -> None:
    put_old_keyring(settings)
    made = make_vault(settings)
    assert str(settings.old_keyring_path) in made[-1]
    assert "delete it" in made[-1]
    keyring = open_keyring(settings)
    for value in OLD["sealed"]:
        assert keyring.open_field(bytes.fromhex(value["blob"]), context=value["context"]) == value["text"]
    system_key = bytes.fromhex(OLD["key_file"]["system_key"])
    assert system_key.hex() not in settings.system_key_location.read_text()


def test_killed_before_the_vault_was_there_setup_goes_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_old_keyring(settings)

    def killed(*_: object, **__: object) -> KeyVault:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(keys.KeyVault, "adopt", killed)
        with pytest.raises(KeyboardInterrupt):
            make_vault(settings)
    kept = settings.system_key_location.read_bytes()
    with pytest.raises(Misconfigured, match="setup"):
        open_keyring(settings)
    make_vault(settings)
    assert settings.system_key_location.read_bytes() == kept
    assert open_keyring(settings).active_version == 2


def test_a_damaged_old_key_file_stops_setup_before_there_are_new_keys(settings: Settings) -> None:
    create_key_file(settings.old_keyring_path, {"system_key": "00" * 16})
    with pytest.raises(KeyRefused, match="damaged"):
        make_vault(settings)
    assert not settings.vault_path.exists()


def test_without_keys_nothing_starts(settings: Settings) -> None:
    with pytest.raises(Misconfigured, match="setup` once"):
        open_keyring(settings)


def test_with_shares_the_keys_are_the_key_servers(settings: Settings) -> None:
    make_vault(settings)
    with pytest.raises(Misconfigured, match="CLOUDFILM_UNSEAL is 'shares'"):
        open_keyring(replace(settings, unseal="shares"))


def test_preflight_warns_of_keys_in_clear_until_they_are_deleted(settings: Settings) -> None:
    put_old_keyring(settings)
    make_vault(settings)
    found = [one for one in preflight.examine(settings) if one.subject == "keys"]
    assert [one.is_ok for one in found] == [True, False]
    assert str(settings.old_keyring_path) in found[1].text
    settings.old_keyring_path.unlink()
    found = [one for one in preflight.examine(settings) if one.subject == "keys"]
    assert [one.is_ok for one in found] == [True]


def test_preflight_says_when_the_system_key_is_missing(settings: Settings) -> None:
    make_vault(settings)
    settings.system_key_location.unlink()
    found = [one for one in preflight.examine(settings) if one.subject == "keys"]
    assert [one.is_ok for one in found] == [False]
    assert "system.key" in found[0].text
