"""What the tests of this folder share: a keyring of one fixed key, so that what it wraps is the same for ever."""

import random
import secrets
from pathlib import Path

from crypto.errors import KeyRefused, SealBroken
from crypto.files.sealed_file import SealedFiles
from crypto.keyring import WrappedKey
from crypto.provider import Provider
from crypto.providers.portable import PortableProvider

CHUNK = 2**16
BATCH_BYTES = 16 * CHUNK
PROVIDER = PortableProvider()


class FixedKeyring:
    """`crypto.keyring.Keyring` for data keys alone, written down once more after docs/sealed-file.md §2."""

    def __init__(self, keks: dict[int, bytes]) -> None:
        self.keks = keks
        self.made: list[bytes] = []

    @property
    def active_version(self) -> int:
        return max(self.keks)

    def new_dek(self) -> bytes:
        self.made.append(secrets.token_bytes(16))
        return self.made[-1]

    def wrap_dek(self, dek: bytes, *, object_id: bytes, kind: str, owner: str) -> WrappedKey:
        nonce, kek = secrets.token_bytes(12), self.keks[self.active_version]
        sealed = PROVIDER.seal(kek, nonce, _bound(object_id, kind, owner), dek)
        return WrappedKey(self.active_version, nonce + sealed)

    def unwrap_dek(self, wrapped: WrappedKey, *, object_id: bytes, kind: str, owner: str) -> bytes:
        try:
            kek = self.keks[wrapped.kek_version]
            return PROVIDER.open(kek, wrapped.blob[:12], _bound(object_id, kind, owner), wrapped.blob[12:])
        except (KeyError, ValueError, SealBroken):
            raise KeyRefused("does not unwrap") from None


def _bound(object_id: bytes, kind: str, owner: str) -> bytes:
    parts = (b"dek", object_id, kind.encode(), owner.encode())
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def keyring() -> FixedKeyring:
    return FixedKeyring({1: bytes(range(16))})


def files(keys: FixedKeyring | None = None, provider: Provider = PROVIDER, threads: int = 2) -> SealedFiles:
    return SealedFiles(keys or keyring(), provider, threads)  # type: ignore[arg-type]


def content(length: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(length)


def unheard(_: int) -> None:
    """Progress that nobody follows."""


def only_parts(folder: Path) -> list[str]:
    """Names of half-made files."""
    return [path.name for path in folder.rglob("*") if path.name.endswith(".part")]
