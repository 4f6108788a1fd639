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
