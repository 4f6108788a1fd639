"""RSA key pairs of 1024 and 2048 bits (GM/T 0018 and the notice name them; FIPS 186-5 takes 2048 and more).

1024 bits are weak: for interworking with what cannot do better, and marked wherever such a key is shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import lcm

from Cryptodome.Util.asn1 import DerNull, DerObjectId, DerOctetString, DerSequence

from crypto.errors import InputRefused
from crypto.primes import FermatTester, GmpFermat, PrimeFinder
from crypto.provider import RandomBytes

SIZES = (1024, 2048)
WEAK_BELOW = 2048
EXPONENT = 65537
_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
# FIPS 186-5, A.1.3: p and q differ within their first 100 bits.
_NEAREST_BITS = 100


@dataclass(frozen=True)
class RsaKey:
    """A private key as PKCS#8 DER, not encrypted."""

    bits: int
    pkcs8: bytes = field(repr=False)

    @property
    def is_weak(self) -> bool:
        """Whether people must be told."""
        return self.bits < WEAK_BELOW


class RsaKeyGenerator:
    """`fermat` does the first test of primality, in lanes where the engine has them."""

    def __init__(self, random: RandomBytes, fermat: FermatTester | None = None) -> None:
        self._finder = PrimeFinder(random, fermat or GmpFermat(), EXPONENT)

    def generate(self, bits: int, count: int = 1) -> list[RsaKey]:
        """`count` new keys of `bits` bits. Raises `InputRefused` for other sizes."""
        if bits not in SIZES:
            raise InputRefused(f"RSA keys have {' or '.join(map(str, SIZES))} bits here, not {bits}")
        keys: list[RsaKey] = []
        while len(keys) < count:
            for p, q in _pairs(self._finder.find(bits // 2, 2 * (count - len(keys)))):
                if abs(p - q).bit_length() > bits // 2 - _NEAREST_BITS:
                    keys.append(RsaKey(bits, _pkcs8(p, q)))
        return keys


def _pairs(primes: list[int]) -> Iterator[tuple[int, int]]:
    return ((max(pair), min(pair)) for pair in zip(primes[::2], primes[1::2], strict=True))


def _pkcs8(p: int, q: int) -> bytes:
    """PrivateKeyInfo (RFC 5208) around RSAPrivateKey (RFC 8017, A.1.2)."""
    # FIPS 186-5, A.1.1: d is below the least common multiple.
    d = pow(EXPONENT, -1, lcm(p - 1, q - 1))
    numbers = [0, p * q, EXPONENT, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)]
    algorithm = DerSequence([DerObjectId(_RSA_ENCRYPTION), DerNull()])
    return DerSequence([0, algorithm, DerOctetString(DerSequence(numbers).encode())]).encode()
