"""What an unsealed vault holds in memory, in places that can be wiped, and how the system key is used.

    wrapping key    KDF(system key, "wrap" ‖ vault id): wraps KEKs, pairs and the root; the system key itself seals nothing
    commitment      HMAC-SM3(system key, "system key" ‖ vault id): stored in clear, tells a wrong key from damaged rows

Python copies what it hands to an engine; wiping shortens the life of secrets, it does not bound their copies.
"""

import hmac
import threading
from collections.abc import Callable

from crypto.errors import KeyRefused, VaultSealed
from crypto.provider import KEY_SIZE
from crypto.sm3 import hmac_sm3, kdf


class OpenSecrets:
    """Named secrets. Without the system's wrapping key the vault is sealed. Threads may share it."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, ...], bytearray] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"OpenSecrets({len(self._held)} held)"

    @property
    def is_sealed(self) -> bool:
        """Whether there is no wrapping key."""
        return SYSTEM not in self._held

    def hold(self, name: tuple[str, ...], secret: bytes) -> None:
        """Keep `secret` until `wipe`."""
        with self._lock:
            self._held[name] = bytearray(secret)

    def get(self, name: tuple[str, ...], make: Callable[[], bytes]) -> bytes:
        """The secret of this name, made when it is not held. Raises `VaultSealed`."""
        with self._lock:
            held = self._held.get(name)
            if held is not None:
                return bytes(held)
        self.system_key()
        secret = make()
        with self._lock:
            # Sealed meanwhile: what was under way may end, nothing is kept.
            if SYSTEM in self._held:
                self._held[name] = bytearray(secret)
        return secret

    def system_key(self) -> bytes:
        """The system's wrapping key. Raises `VaultSealed`."""
        # Under the lock, here and above: a copy taken while it is wiped would be a key of zeros.
        with self._lock:
            held = self._held.get(SYSTEM)
            if held is None:
                raise VaultSealed("the vault is sealed: unseal it with `./cloudfilm keys unseal`")
            return bytes(held)

    def forget(self, prefix: tuple[str, ...]) -> None:
        """Wipe the secrets whose names begin so."""
        with self._lock:
            for name in [name for name in self._held if name[: len(prefix)] == prefix]:
                _wipe(self._held.pop(name))

    def wipe(self) -> None:
        """Wipe everything: from now on the vault is sealed."""
        self.forget(())


SYSTEM = ("system",)


def wrapping_key(system_key: bytes, set_id: str) -> bytes:
    """16 bytes. Raises `KeyRefused` for a system key of another length."""
    if len(system_key) != KEY_SIZE:
        raise KeyRefused(f"a system key has {KEY_SIZE} bytes, not {len(system_key)}")
    return kdf(system_key, b"wrap" + set_id.encode(), KEY_SIZE)


def commitment(system_key: bytes, set_id: str) -> bytes:
    """32 bytes that say which system key belongs to this vault, and nothing else about it."""
    return hmac_sm3(system_key, b"system key" + set_id.encode())


def require_fits(system_key: bytes, set_id: str, check: bytes) -> None:
    """Raises `KeyRefused` when the vault was made with another system key."""
    if not hmac.compare_digest(commitment(system_key, set_id), check):
        raise KeyRefused(
            f"the system key does not belong to vault {set_id[:8]}: it is another vault's, or was replaced since"
        )


def _wipe(secret: bytearray) -> None:
    for index in range(len(secret)):
        secret[index] = 0
