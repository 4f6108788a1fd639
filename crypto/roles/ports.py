"""What the guarded classes need of `vault.KeyVault`: each sees the half of it that its role is for."""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from crypto.provider import KeyPair
from crypto.vault.database import KeyDatabase
from crypto.vault.records import KeyRecord, Kind
from crypto.vault.states import State


class UsableVault(Protocol):
    """Keys at work."""

    @property
    def database(self) -> KeyDatabase:
        """Where keys, counts and the record are."""
        ...

    def pair(self, key_id: str, use: str) -> KeyPair:
        """The pair for "sign", "verify", "encrypt" or "decrypt". Raises `KeyRefused`, `VaultSealed`."""
        ...

    def symmetric(self, key_id: str, use: str) -> bytes:
        """The SM4 key to "encrypt" or "decrypt". Raises `KeyRefused`, `VaultSealed`."""
        ...

    def count_uses(self, uses: Mapping[str, int]) -> None:
        """Add to the counters of keys, in the transaction that is open."""
        ...


class ManagedVault(Protocol):
    """Keys as things that are made, changed and ended."""

    @property
    def database(self) -> KeyDatabase:
        """Where keys, counts and the record are."""
        ...

    def create_pairs(self, owner: str, purpose: str, count: int = 1, *, is_active: bool = True) -> list[str]:
        """Ids of new SM2 pairs."""
        ...

    def create_keys(self, owner: str, kek: str, count: int = 1, *, is_active: bool = True) -> list[str]:
        """Ids of new SM4 keys."""
        ...

    def create_kek(self, name: str) -> None:
        """A new key-encryption key."""
        ...

    def rotate_kek(self, name: str) -> int:
        """Its new version."""
        ...

    def set_minimum_version(self, name: str, version: int) -> None:
        """Older versions open nothing."""
        ...

    def rewrap(self, name: str, progress: Callable[[int, int], None]) -> int:
        """How many keys came under the newest version."""
        ...

    def activate(self, key_id: str, reason: str) -> None:
        """Usable from now on."""
        ...

    def deactivate(self, key_id: str, reason: str) -> None:
        """Opens and verifies only."""
        ...

    def compromise(self, key_id: str, reason: str) -> None:
        """Marked as known to others."""
        ...

    def destroy(self, key_id: str, reason: str) -> None:
        """The blob is deleted, a tombstone stays."""
        ...

    def exportable(self, key_id: str) -> KeyPair:
        """The whole pair. Raises `KeyRefused` when it may not leave."""
        ...

    def seal(self) -> None:
        """The system key is forgotten."""
        ...


class VisibleVault(Protocol):
    """Keys as they may be shown."""

    @property
    def database(self) -> KeyDatabase:
        """Where keys, counts and the record are."""
        ...

    def find(self, key_id: str) -> KeyRecord:
        """The record of a key, without its secret. Raises `KeyRefused`."""
        ...

    def records(
        self,
        *,
        kind: Kind | None = None,
        owner: str | None = None,
        state: State | None = None,
        after: int = 0,
    ) -> Iterator[KeyRecord]:
        """All that fit, oldest first, those with a `number` after `after`."""
        ...

    def counts(self) -> dict[tuple[str, str], int]:
        """How many keys of each kind and state."""
        ...
