"""Who signs, bound into what is signed (GB/T 32918.2-2016 §5.5, GM/T 0009-2012 §8)."""

from crypto.errors import InputRefused
from crypto.provider import USER_ID
from crypto.sm2 import curve
from crypto.sm3 import sm3

# ENTL counts the bits of the identity in two bytes.
MOST_IDENTITY = 0xFFFF // 8
_PARAMETERS = curve.A.to_bytes(32, "big") + curve.B.to_bytes(32, "big") + curve.G


def z_a(public: bytes, user_id: bytes = USER_ID) -> bytes:
    """Z_A = SM3(ENTL ‖ ID ‖ a ‖ b ‖ G ‖ P), 32 bytes. Raises `InputRefused` for an identity over 8191 bytes."""
    if len(user_id) > MOST_IDENTITY:
        raise InputRefused(f"a signer's identity has {len(user_id)} bytes; at most {MOST_IDENTITY} are taken")
    return sm3((8 * len(user_id)).to_bytes(2, "big"), user_id, _PARAMETERS, public)


def message_digest(public: bytes, message: bytes, user_id: bytes = USER_ID) -> bytes:
    """e = SM3(Z_A ‖ message), the 32 bytes that are signed. Raises `InputRefused`."""
    return sm3(z_a(public, user_id), message)


def is_at_infinity(digest: bytes, signature: bytes) -> bool:
    """Whether r = e: the sum of points (GB/T 32918.2 §7.1, B6) is then infinity, whose x some libraries take for 0.

    Only the owner of a key can make such a signature. A genuine one is so once in 2^255, and refusing it is safe.
    """
    r, e = (int.from_bytes(number, "big") for number in (signature[: curve.SCALAR_SIZE], digest))
    return r == e % curve.N
