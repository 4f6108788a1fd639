"""The keys of an installation: its vault, where it lies, what unseals it, the keyring on it (H2.8)."""

from app.engines import open_engines
from app.key_client import remote_keyring
from app.randomness import process_drbg
from app.system_key import first_system_key, unseal_alone
from core import clock
from core.config import Settings
from core.errors import Misconfigured
from crypto.keyring import Keyring
from crypto.local_keyring import LocalKeyring
from crypto.vault.identity import is_vault
from crypto.vault.old_keyring import read_old_keyring
from crypto.vault.vault import KeyVault

_KEY_MADE = "system key: {} (whoever has it and the vault has everything: keep its copy elsewhere)"


def open_keyring(settings: Settings) -> Keyring:
    """The keyring of this installation: the key server's, where one is set, or the vault's in this process.

    Raises `Misconfigured`, `KeyRefused` saying what to do.
    """
    if settings.crypto_url:
        return remote_keyring(settings)
    engines, random = open_engines(settings), process_drbg(settings).random_bytes
    return LocalKeyring(open_vault(settings), engines.sm4, random)


def open_vault(settings: Settings) -> KeyVault:
    """The vault, unsealed in this process. Raises `Misconfigured`, `KeyRefused` saying what to do."""
    if not is_vault(settings.vault_path):
        raise Misconfigured(f"no keys at {settings.vault_path}: run `./cloudfilm setup` once")
    vault = KeyVault.open(
        settings.vault_path, open_engines(settings), clock.now, process_drbg(settings).random_bytes
    )
    if not unseal_alone(settings, vault):
        raise Misconfigured(
            "CLOUDFILM_UNSEAL is 'shares': the keys are the key server's; set CLOUDFILM_CRYPTO_URL (docs/crypto-service.md)"
        )
    return vault


def make_vault(settings: Settings) -> list[str]:
    """Create the vault where there is none, with the keys of an old keyring.json if there is one; lines that say so.

    Killed anywhere, it goes on when it is called again: the system key's file is there before the vault that needs it.
    """
    if is_vault(settings.vault_path):
        return []
    had_key = settings.system_key_location.exists()
    system_key = first_system_key(settings)
    made = [] if had_key or settings.unseal == "command" else [_KEY_MADE.format(settings.system_key_location)]
    engines, random = open_engines(settings), process_drbg(settings).random_bytes
    old = settings.old_keyring_path
    if not old.exists():
        KeyVault.create(settings.vault_path, system_key, engines, clock.now, random).close()
        return [
            *made,
            f"keys: {settings.vault_path} (back it up together with the system key; without them nothing opens)",
        ]
    keys = read_old_keyring(old, engines.sm4)
    KeyVault.adopt(
        settings.vault_path, system_key, engines, clock.now, random, root=keys.root, keks=keys.keks
    ).close()
    return [
        *made,
        f"keys: {settings.vault_path}, with the keys of {old}; that file holds them in clear: delete it when "
        "everything opens",
    ]
