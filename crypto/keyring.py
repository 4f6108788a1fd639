"""The platform's keyring: data keys of objects, sealed columns, blind indexes, named sub-keys (H2.8).

A port with two sides: `local_keyring` on a vault in this process, `service.remote_keyring` on the key server. Threads may
share either. Both see a rotation by another process at the next use. Both raise `VaultSealed` until the vault is unsealed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class WrappedKey:
    """A data key as it is stored: which KEK version opens it, and nonce ‖ ciphertext ‖ tag (44 bytes)."""

    kek_version: int
    blob: bytes


class Keyring(Protocol):
    """What seals and opens for one installation."""

    @property
    def active_version(self) -> int:
        """The KEK version that seals from now on."""
        ...

    def new_dek(self) -> bytes:
        """A data key for one object: 16 random bytes."""
        ...

    def wrap_dek(self, dek: bytes, *, object_id: bytes, kind: str, owner: str) -> WrappedKey:
        """Wrap under the active KEK; the blob opens only for the same object, kind and owner. Raises `KeyRefused`."""
        ...

    def unwrap_dek(self, wrapped: WrappedKey, *, object_id: bytes, kind: str, owner: str) -> bytes:
        """The data key. Raises `KeyRefused`: unknown version, or blob, object, kind, owner do not match."""
        ...

    def seal_blob(self, content: bytes, *, context: str) -> bytes:
        """Seal bytes for the column `context`: format, KEK version, nonce, ciphertext, tag."""
        ...

    def seal_blobs(self, contents: Sequence[bytes], *, context: str) -> list[bytes]:
        """`seal_blob` for each, with what they share done once."""
        ...

    def open_blob(self, blob: bytes, *, context: str) -> bytes:
        """What `seal_blob` sealed for this context. Raises `SealBroken`, `KeyRefused`."""
        ...

    def open_blobs(self, blobs: Sequence[bytes], *, context: str) -> list[bytes]:
        """`open_blob` for each. Raises `SealBroken`, `KeyRefused` when one does not open."""
        ...

    def seal_field(self, text: str, *, context: str) -> bytes:
        """Seal text (UTF-8) for one column."""
        ...

    def open_field(self, blob: bytes, *, context: str) -> str:
        """What `seal_field` sealed for this context. Raises `SealBroken`, `KeyRefused`."""
        ...

    def blind_index(self, kind: str, value: str) -> str:
        """64 hex digits that find equal values of one kind. No rotation changes it; callers normalise."""
        ...

    def derive(self, purpose: str) -> bytes:
        """The 32-byte sub-key of a named purpose (audit, otp, …). No rotation changes it."""
        ...
