"""SM3 (GB/T 32905-2016), HMAC on it (GB/T 15852.2-2012, RFC 2104), key derivation (GB/T 32918.4-2016).

Computed by `cryptography`: `hashlib.new("sm3")` exists only where the system's OpenSSL was built with it.
"""

from cryptography.hazmat.primitives import hashes, hmac

DIGEST_SIZE = 32
_COUNTER_LIMIT = 0xFFFFFFFF
_SM3 = hashes.SM3()


class Sm3:
    """SM3 over a stream, in the manner of `hashlib`: `digest` may be asked at any time."""

    def __init__(self, data: bytes = b"") -> None:
        self._hash = hashes.Hash(hashes.SM3())
        self.update(data)

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Add `data`."""
        self._hash.update(data)

    def digest(self) -> bytes:
        """The 32 bytes of everything added so far."""
        return self._hash.copy().finalize()

    def hexdigest(self) -> str:
        """The same in 64 hex digits."""
        return self.digest().hex()


def sm3(*parts: bytes | bytearray | memoryview) -> bytes:
    """The SM3 digest of the parts one after the other, 32 bytes."""
    digest = hashes.Hash(_SM3)
    for part in parts:
        digest.update(part)
    return digest.finalize()


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """HMAC-SM3, 32 bytes. Compare with `hmac.compare_digest`."""
    code = hmac.HMAC(key, hashes.SM3())
    code.update(data)
    return code.finalize()


def kdf(secret: bytes, info: bytes, length: int) -> bytes:
    """`length` bytes by the key derivation function of GB/T 32918.4-2016 §5.4.3 over Z = secret ‖ info.

    Z does not mark where the secret ends: callers keep it at one length and give every use its own `info`.
    Keys made here have 16 bytes, half a digest, which leaves nothing to extend.
    """
    if not 0 < length <= DIGEST_SIZE * _COUNTER_LIMIT:
        raise ValueError(f"a derived key has 1 byte or more, not {length}")
    z = secret + info
    blocks = -(-length // DIGEST_SIZE)
    return b"".join(sm3(z + counter.to_bytes(4, "big")) for counter in range(1, blocks + 1))[:length]
