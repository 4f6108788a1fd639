"""SM4 modes spelled out over the block cipher of `gmssl`, and its SM3: a second, independent opinion, and very slow.

Counter mode and GHASH are those of NIST SP 800-38D §6.3–6.5 and §7.1 for a 12-byte nonce. Of `gmssl` only the
bare block is used: its modes add padding, and it has no GCM.
"""

import hmac
from collections.abc import Callable, Sequence

from gmssl.sm3 import sm3_hash
from gmssl.sm4 import SM4_DECRYPT, SM4_ENCRYPT, CryptSM4

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

    def ctr(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """Encrypt or decrypt, the counter being all 16 bytes."""
        encrypt, first = _block_cipher(key), int.from_bytes(iv, "big")
        counters = range(first, first + -(-len(data) // _BLOCK_SIZE))
        stream = b"".join(
            encrypt((counter % (1 << 128)).to_bytes(_BLOCK_SIZE, "big")) for counter in counters
        )
        return _xor(data, stream)

    def cbc_encrypt_many(
        self, keys: Sequence[bytes], ivs: Sequence[bytes], chunks: Sequence[bytes]
    ) -> list[bytes]:
        """One after the other. Raises `ValueError` for what is no whole blocks."""
        return [_cbc_encrypt(*row) for row in zip(keys, ivs, chunks, strict=True)]

    def cbc_decrypt(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """The plaintext, padding included. Raises `ValueError` for what is no whole blocks."""
        decrypt, blocks = _block_cipher(key, SM4_DECRYPT), _whole_blocks(data)
        return b"".join(
            _xor(decrypt(block), before) for block, before in zip(blocks, [iv, *blocks], strict=False)
        )

    def digest_many(self, messages: Sequence[bytes]) -> list[bytes]:
        """One after the other."""
        return [bytes.fromhex(sm3_hash(list(message))) for message in messages]


def _cbc_encrypt(key: bytes, iv: bytes, data: bytes) -> bytes:
    encrypt, before, ciphertext = _block_cipher(key), iv, bytearray()
    for block in _whole_blocks(data):
        before = encrypt(_xor(block, before))
        ciphertext += before
    return bytes(ciphertext)


def _whole_blocks(data: bytes) -> list[bytes]:
    if len(data) % _BLOCK_SIZE:
        raise ValueError(f"CBC takes whole blocks of {_BLOCK_SIZE} bytes, not {len(data)} bytes")
    return _padded_blocks(data)


def _xor(data: bytes, mask: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(data, mask, strict=False))


def _block_cipher(key: bytes, mode: int = SM4_ENCRYPT) -> Block:
    sm4 = CryptSM4()
    sm4.set_key(key, mode)
    return lambda block: bytes(sm4.one_round(sm4.sk, list(block)))


def _count(encrypt: Block, nonce: bytes, data: bytes) -> bytes:
    """Counter mode from counter 2: 1 belongs to the tag."""
    stream = bytearray()
    for counter in range(2, 2 + -(-len(data) // _BLOCK_SIZE)):
        stream += encrypt(nonce + counter.to_bytes(4, "big"))
    return _xor(data, bytes(stream))


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
