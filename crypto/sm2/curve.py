"""The curve of GB/T 32918.5-2017 (y² = x³ + ax + b over F_p, cofactor 1) and the checks on raw keys.

Integers of Python take differing times: nothing here computes with a secret but the comparison of a private key's range.
"""

from crypto.errors import KeyRefused, SourceFailed
from crypto.provider import RandomBytes

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = bytes.fromhex(
    "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
    "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
)

SCALAR_SIZE = 32
POINT_SIZE = 64
# One try in 2^32 is out of range.
_TRIES = 16


def point(public: bytes) -> tuple[int, int]:
    """x and y of 64 bytes."""
    return int.from_bytes(public[:SCALAR_SIZE], "big"), int.from_bytes(public[SCALAR_SIZE:], "big")


def is_point(public: bytes) -> bool:
    """Whether these are 64 bytes x ‖ y of a point on the curve; the point at infinity has no such form."""
    if len(public) != POINT_SIZE:
        return False
    x, y = point(public)
    return x < P and y < P and (y * y - (x * x + A) * x - B) % P == 0


def check_public(public: bytes) -> None:
    """Raises `KeyRefused` for what is no point: encrypting to it would give the plaintext or a private key away."""
    if not is_point(public):
        raise KeyRefused(
            "an SM2 public key is not a point of the curve (64 bytes x ‖ y); ask its owner for it again"
        )


def is_private(private: bytes) -> bool:
    """Whether these are 32 bytes in [1, n-2] (GB/T 32918.1 §6.1): with n-1 no signature could be made."""
    return len(private) == SCALAR_SIZE and 0 < int.from_bytes(private, "big") < N - 1


def check_private(private: bytes) -> None:
    """Raises `KeyRefused`, without the key."""
    if not is_private(private):
        raise KeyRefused(
            "an SM2 private key is not 32 bytes in [1, n-2]; it was damaged or is another curve's"
        )


def is_scalar(value: bytes) -> bool:
    """Whether these are 32 bytes in [1, n-1], as r and s of a signature are."""
    return len(value) == SCALAR_SIZE and 0 < int.from_bytes(value, "big") < N


def is_signature(signature: bytes) -> bool:
    """Whether r and s are in range and r + s is not n (GB/T 32918.2 §7.1, B1, B2 and B5)."""
    r, s = signature[:SCALAR_SIZE], signature[SCALAR_SIZE:]
    return is_scalar(r) and is_scalar(s) and (int.from_bytes(r, "big") + int.from_bytes(s, "big")) % N != 0


def add(one: bytes, other: bytes) -> bytes | None:
    """The sum of two public points; None for the point at infinity."""
    (x1, y1), (x2, y2) = point(one), point(other)
    if x1 == x2:
        if (y1 + y2) % P == 0:
            return None
        slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P)
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    y = (slope * (x1 - x) - y1) % P
    return x.to_bytes(SCALAR_SIZE, "big") + y.to_bytes(SCALAR_SIZE, "big")


def random_private(random: RandomBytes) -> bytes:
    """32 random bytes in [1, n-2], each value equally likely. Raises `SourceFailed` when none of 16 tries is in range."""
    for _ in range(_TRIES):
        private = random(SCALAR_SIZE)
        if is_private(private):
            return private
    raise SourceFailed("random bytes are out of an SM2 key's range again and again: the generator is broken")
