"""The port to an SM4-GCM engine (GB/T 17964-2021, RFC 8998): key 16 bytes, nonce 12, tag 16 at the end.

`app` chooses the engine and passes it in. The `_many` forms exist for engines that work in lanes of 16.
"""

from collections.abc import Sequence
from typing import Protocol

KEY_SIZE = 16
NONCE_SIZE = 12
TAG_SIZE = 16
BATCH = 16


class Provider(Protocol):
    """One engine. It holds no keys and may be used by several threads at once."""

    name: str

    def seal(self, key: bytes, nonce: bytes, aad: bytes, plaintext: bytes, prefix: bytes = b"") -> bytes:
        """prefix ‖ ciphertext ‖ tag. The prefix is put before what may be large without copying that once more."""
        ...

    def open(self, key: bytes, nonce: bytes, aad: bytes, sealed: bytes) -> bytes:
        """The plaintext. Raises `SealBroken` when the tag does not match."""
        ...

    def seal_many(
        self, key: bytes, nonces: Sequence[bytes], aad: bytes, chunks: Sequence[bytes]
    ) -> list[bytes]:
        """`seal` for each pair of nonce and chunk, in order; lengths may differ."""
        ...

    def open_many(
        self, key: bytes, nonces: Sequence[bytes], aad: bytes, chunks: Sequence[bytes]
    ) -> list[bytes]:
        """`open` for each pair of nonce and sealed chunk. Raises `SealBroken` when one does not match."""
        ...
