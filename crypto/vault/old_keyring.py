"""The key file of earlier versions (`keyring.json`, format cloudfilm-keys-1): read once, when a vault takes its keys over.

It held the system key in clear, and wrapped by it the root and the KEK versions: nonce ‖ SM4-GCM, labels as additional data.
"""

from dataclasses import dataclass, field
from pathlib import Path

from crypto.errors import KeyRefused, SealBroken
from crypto.key_file import read_key_file
from crypto.provider import KEY_SIZE, NONCE_SIZE, TAG_SIZE, Provider
from crypto.vault.wrapping import labelled


@dataclass(frozen=True)
class OldKeys:
    """Opened: root 32 bytes, KEKs 16 bytes by version; the highest was active."""

    root: bytes = field(repr=False)
    keks: dict[int, bytes] = field(repr=False)


def read_old_keyring(path: Path, provider: Provider) -> OldKeys:
    """The keys of `path`. Raises `KeyRefused` when it is missing, altered, damaged, or open to others."""
    content = read_key_file(path)
    try:
        system_key = bytes.fromhex(content["system_key"])
        root = bytes.fromhex(content["root"])
        keks = {int(version): bytes.fromhex(blob) for version, blob in content["keks"].items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise KeyRefused(f"key file {path}: it is damaged; restore it from the backup") from None
    if len(system_key) != KEY_SIZE or not keks:
        raise KeyRefused(f"key file {path}: it is damaged; restore it from the backup")
    return OldKeys(
        _unwrap(provider, system_key, labelled("root"), root, f"the root key in {path}"),
        {
            version: _unwrap(
                provider, system_key, labelled("kek", str(version)), blob, f"KEK version {version} in {path}"
            )
            for version, blob in keks.items()
        },
    )


def _unwrap(provider: Provider, key: bytes, aad: bytes, blob: bytes, what: str) -> bytes:
    try:
        if len(blob) < NONCE_SIZE + TAG_SIZE:
            raise SealBroken("cut")
        return provider.open(key, blob[:NONCE_SIZE], aad, blob[NONCE_SIZE:])
    except SealBroken:
        raise KeyRefused(
            f"{what} does not unwrap: it was altered, or belongs elsewhere; restore it"
        ) from None
