"""Who brings the system key, by the settings: a file, a device's slot, a command; shares need people."""

import os
import sys
from pathlib import Path

import pytest

from app import system_key
from app.keys import make_vault, open_vault
from core.config import Settings
from core.errors import Misconfigured
from crypto.errors import KeyRefused

pytestmark = pytest.mark.requirement("H2.8")


class Card:
    """Opens what it enveloped for the same slot."""

    name = "test card"

    def __init__(self) -> None:
        self.inside: dict[tuple[int, bytes], bytes] = {}

    def envelope(self, slot: int, key: bytes) -> bytes:
        handle = os.urandom(8)
        self.inside[slot, handle] = key
        return handle

    def open_envelope(self, slot: int, envelope: bytes) -> bytes:
        try:
            return self.inside[slot, envelope]
        except KeyError:
            raise KeyRefused("not enveloped to this card") from None


def test_a_file_is_made_once_and_opens(tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path))
    assert [line.partition(":")[0] for line in make_vault(settings)] == ["system key", "keys"]
    assert make_vault(settings) == []
    assert not open_vault(settings).is_sealed
    (tmp_path / "keys" / "keys.db").unlink()
    assert [line.partition(":")[0] for line in make_vault(settings)] == ["keys"], "a killed set-up goes on"


def test_a_card_alone_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=str(tmp_path), unseal="device", sdf_slot=3)
    card = Card()
    monkeypatch.setattr(system_key, "card_settings", lambda _settings: "the card")
    monkeypatch.setattr(system_key, "open_card", lambda _card: card)
    make_vault(settings)
    assert not open_vault(settings).is_sealed
    (key,) = card.inside.values()
    assert key.hex() not in settings.system_key_location.read_text()
    card.inside.clear()
    with pytest.raises(KeyRefused, match="not enveloped"):
        open_vault(settings)


def test_a_card_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="CLOUDFILM_SDF_LIBRARY"):
        make_vault(Settings(home=str(tmp_path), unseal="device"))


def test_a_command_opens_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    printed = f"{sys.executable} -c \"print('0f' * 16)\""
    settings = Settings(home=str(tmp_path), unseal="command", unseal_command=printed)
    assert [line.partition(":")[0] for line in make_vault(settings)] == ["keys"]
    assert not open_vault(settings).is_sealed
    assert not settings.system_key_location.exists()
    other = Settings(home=str(tmp_path), unseal="command", unseal_command=printed.replace("0f", "1f"))
    with pytest.raises(KeyRefused, match="does not belong"):
        open_vault(other)


@pytest.mark.parametrize(
    ("unseal", "said"), [("shares", "keys init --shares"), ("stone", "use file, device")]
)
def test_people_and_unknown_ways_make_no_vault_by_set_up(tmp_path: Path, unseal: str, said: str) -> None:
    settings = Settings(home=str(tmp_path), unseal=unseal)
    with pytest.raises(Misconfigured, match=said):
        make_vault(settings)
    assert not settings.vault_path.exists()


def test_a_process_of_the_platform_asks_the_key_server_where_people_unseal(tmp_path: Path) -> None:
    make_vault(Settings(home=str(tmp_path)))
    with pytest.raises(Misconfigured, match="CLOUDFILM_CRYPTO_URL"):
        open_vault(Settings(home=str(tmp_path), unseal="shares"))
