"""Where the system key of this installation comes from without people: a file, a device's slot, a command (H2.8)."""

import shlex

from app.randomness import process_drbg
from app.sdf_card import card_settings, open_card
from core.config import Settings
from core.errors import Misconfigured
from crypto.provider import KEY_SIZE
from crypto.unsealing import Command, DeviceSlot, KeyDevice, KeyFile, KeySource, unseal_by_file
from crypto.vault.vault import KeyVault

WAYS = ("file", "device", "command", "shares")


def unseal_alone(settings: Settings, vault: KeyVault) -> bool:
    """Unseal in this process as the settings say; False when that takes people. Raises `Misconfigured`, `KeyRefused`."""
    if needs_people(settings):
        return False
    if settings.unseal == "file":
        unseal_by_file(settings.system_key_location, vault.unseal)
    else:
        vault.unseal(_source(settings).system_key())
    return True


def first_system_key(settings: Settings) -> bytes:
    """The system key of a machine that has no vault yet, kept where the settings say; a killed try's is taken again.

    Raises `Misconfigured` where people keep it, `KeyRefused`.
    """
    if needs_people(settings):
        raise Misconfigured(
            "with CLOUDFILM_UNSEAL=shares people make the keys: `./cloudfilm keys init --shares 3/5`"
        )
    path = settings.system_key_location
    if settings.unseal != "command" and not path.exists():
        key = process_drbg(settings).random_bytes(KEY_SIZE)
        if settings.unseal == "file":
            KeyFile.create(path, key)
        else:
            DeviceSlot.create(_device(settings), settings.sdf_slot, path, key)
    return _source(settings).system_key()


def needs_people(settings: Settings) -> bool:
    """Whether only shares unseal. Raises `Misconfigured` for a way that does not exist."""
    if settings.unseal not in WAYS:
        raise Misconfigured(f"CLOUDFILM_UNSEAL is {settings.unseal!r}: use {', '.join(WAYS)}")
    return settings.unseal == "shares"


def _source(settings: Settings) -> KeySource:
    if settings.unseal == "file":
        return KeyFile(settings.system_key_location)
    if settings.unseal == "device":
        return DeviceSlot(_device(settings), settings.sdf_slot, settings.system_key_location)
    return Command(shlex.split(settings.unseal_command))


def _device(settings: Settings) -> KeyDevice:
    card = card_settings(settings)
    if card is None:
        raise Misconfigured("CLOUDFILM_UNSEAL is 'device', and CLOUDFILM_SDF_LIBRARY names none")
    return open_card(card)
