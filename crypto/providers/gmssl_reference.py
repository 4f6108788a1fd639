"""SM4-GCM spelled out over the block cipher of `gmssl`: a second, independent opinion, and very slow.

Counter mode and GHASH are those of NIST SP 800-38D §6.3–6.5 and §7.1 for a 12-byte nonce. Of `gmssl` only the
bare block is used: its modes add padding, and it has no GCM.
"""

import hmac
from collections.abc import Callable, Sequence

from gmssl.sm4 import SM4_ENCRYPT, CryptSM4

from crypto.errors import SealBroken
from crypto.provider import TAG_SIZE

_BLOCK_SIZE = 16
_REDUCTION = 0xE1 << 120

Block = Callable[[bytes], bytes]


class GmsslReferenceProvider:
    """For comparison in tests; much too slow for images."""

    name = "gmssl-reference"

    def seal(self, key: bytes, nonce: bytes, aad: bytes, plaintext: bytes, prefix: bytes = b"") -> bytes:
        """prefix ‖ ciphertext ‖ tag."""
        encrypt = _block_cipher(key)
        ciphertext = _count(encrypt, nonce, plaintext)
        return prefix + ciphertext + _tag(encrypt, nonce, aad, ciphertext)

    def open(self, key: bytes, nonce: bytes, aad: bytes, sealed: bytes) -> bytes:
        """The plaintext. Raises `SealBroken`."""
        if len(sealed) < TAG_SIZE:
            raise SealBroken("sealed bytes are shorter than their tag: they were cut")
        encrypt = _block_cipher(key)
        ciphertext, tag = sealed[:-TAG_SIZE], sealed[-TAG_SIZE:]
        if not hmac.compare_digest(tag, _tag(encrypt, nonce, aad, ciphertext)):
            raise SealBroken("the tag of sealed bytes does not match: altered, moved, or another key")
        return _count(encrypt, nonce, ciphertext)

    def seal_many(
        self, key: bytes, nonces: Sequence[bytes], aad: bytes, chunks: Sequence[bytes]
    ) -> list[bytes]:
        """One after the other."""
        return [self.seal(key, nonce, aad, chunk) for nonce, chunk in zip(nonces, chunks, strict=True)]

    def open_many(
        self, key: bytes, nonces: Sequence[bytes], aad: bytes, chunks: Sequence[bytes]
    ) -> list[bytes]:
        """One after the other. Raises `SealBroken`."""
        return [self.open(key, nonce, aad, chunk) for nonce, chunk in zip(nonces, chunks, strict=True)]


def _block_cipher(key: bytes) -> Block:
    sm4 = CryptSM4()
    sm4.set_key(key, SM4_ENCRYPT)
    return lambda block: bytes(sm4.one_round(sm4.sk, list(block)))


def _count(encrypt: Block, nonce: bytes, data: bytes) -> bytes:
    """Counter mode from counter 2: 1 belongs to the tag."""
    stream = bytearray()
    for counter in range(2, 2 + -(-len(data) // _BLOCK_SIZE)):
        stream += encrypt(nonce + counter.to_bytes(4, "big"))
    return bytes(byte ^ mask for byte, mask in zip(data, stream, strict=False))


def _tag(encrypt: Block, nonce: bytes, aad: bytes, ciphertext: bytes) -> bytes:
    h = int.from_bytes(encrypt(bytes(_BLOCK_SIZE)), "big")
    lengths = (8 * len(aad)).to_bytes(8, "big") + (8 * len(ciphertext)).to_bytes(8, "big")
    state = 0
    for block in (*_padded_blocks(aad), *_padded_blocks(ciphertext), lengths):
        state = _multiply(state ^ int.from_bytes(block, "big"), h)
    mask = int.from_bytes(encrypt(nonce + bytes([0, 0, 0, 1])), "big")
    return (state ^ mask).to_bytes(TAG_SIZE, "big")


def _padded_blocks(data: bytes) -> list[bytes]:
    starts = range(0, len(data), _BLOCK_SIZE)
    return [data[start : start + _BLOCK_SIZE].ljust(_BLOCK_SIZE, b"\0") for start in starts]


def _multiply(x: int, y: int) -> int:
    """The product in GF(2^128) with GCM's bit order: the highest bit is the coefficient of 1."""
    product = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            product ^= y
        y = (y >> 1) ^ _REDUCTION if y & 1 else y >> 1
    return product
