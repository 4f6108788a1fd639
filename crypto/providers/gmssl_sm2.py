"""SM2 over `gmssl` 3.2.2, hardened: a second, independent opinion, and the last resort; about 100 operations a second.

What that package does wrong and what is done about it here:
    nonces come from `random.choice` (a Mersenne Twister: enough signatures give the key away) → every nonce is drawn here
    `decrypt` computes C3 and does not compare it → compared, in constant time, before anything is released
    `public_key.lstrip("04")` eats leading digits of a key → the attribute is set after construction
    points, keys, r and s go unchecked → all are checked before
    the older order C1C2C3 by default → C1C3C2 is composed here
Not cured: big integers of Python take differing times. An attacker who measures them on this machine learns of keys.
"""

import hmac
from collections.abc import Sequence

from gmssl.sm2 import CryptSM2
from gmssl.sm3 import sm3_hash, sm3_kdf

from crypto.errors import SourceFailed
from crypto.provider import USER_ID, KeyPair, RandomBytes
from crypto.sm2 import curve
from crypto.sm2.encoding import C1_SIZE, CIPHERTEXT_HEAD
from crypto.sm2.identity import message_digest

# A nonce is drawn again when r, s or the key stream would be zero: for one byte of plaintext 1 of 256.
_TRIES = 16


class GmsslSm2:
    """`Sm2Engine` and, for key exchange, multiplication of a point."""

    name = "gmssl"
    lanes = 1

    def __init__(self, random: RandomBytes) -> None:
        self._random = random

    def generate_many(self, count: int) -> list[KeyPair]:
        """New random pairs."""
        privates = [curve.random_private(self._random) for _ in range(count)]
        return [KeyPair(*halves) for halves in zip(privates, self.public_keys(privates), strict=True)]

    def public_keys(self, privates: Sequence[bytes]) -> list[bytes]:
        """The public halves. Raises `KeyRefused`."""
        for private in privates:
            curve.check_private(private)
        return [_times(private, curve.G) for private in privates]

    def multiply(self, scalar: bytes, point: bytes) -> bytes:
        """scalar · point for scalars in [1, n-1]. Raises `KeyRefused` for what is no point."""
        curve.check_public(point)
        return _times(scalar, point)

    def sign_many(
        self, pairs: Sequence[KeyPair], messages: Sequence[bytes], user_id: bytes = USER_ID
    ) -> list[bytes]:
        """r ‖ s for each. Raises `KeyRefused`."""
        return [self._sign(pair, message, user_id) for pair, message in zip(pairs, messages, strict=True)]

    def verify_many(
        self,
        publics: Sequence[bytes],
        messages: Sequence[bytes],
        signatures: Sequence[bytes],
        user_id: bytes = USER_ID,
    ) -> list[bool]:
        """Whether each is genuine."""
        rows = zip(publics, messages, signatures, strict=True)
        return [_is_genuine(public, message, signature, user_id) for public, message, signature in rows]

    def encrypt_many(self, publics: Sequence[bytes], plaintexts: Sequence[bytes]) -> list[bytes]:
        """C1 ‖ C3 ‖ C2 for each. Raises `KeyRefused`."""
        return [self._encrypt(public, plain) for public, plain in zip(publics, plaintexts, strict=True)]

    def decrypt_many(self, pairs: Sequence[KeyPair], ciphertexts: Sequence[bytes]) -> list[bytes | None]:
        """The plaintexts, None for what does not open. Raises `KeyRefused`."""
        return [_decrypt(pair, one) for pair, one in zip(pairs, ciphertexts, strict=True)]

    def _sign(self, pair: KeyPair, message: bytes, user_id: bytes) -> bytes:
        curve.check_private(pair.private)
        curve.check_public(pair.public)
        digest = message_digest(pair.public, message, user_id)
        for _ in range(_TRIES):
            nonce = curve.random_private(self._random)
            signature = _gmssl(pair.public, pair.private).sign(digest, nonce.hex())
            if signature is not None:
                return bytes.fromhex(signature)
        raise SourceFailed("random bytes give no SM2 signature again and again: the generator is broken")

    def _encrypt(self, public: bytes, plaintext: bytes) -> bytes:
        curve.check_public(public)
        for _ in range(_TRIES):
            nonce = curve.random_private(self._random)
            shared = _times(nonce, public)
            stream = _key_stream(shared, len(plaintext))
            if any(stream):
                return _times(nonce, curve.G) + _check(shared, plaintext) + _xor(plaintext, stream)
        raise SourceFailed("random bytes give no SM2 key stream again and again: the generator is broken")


def _is_genuine(public: bytes, message: bytes, signature: bytes, user_id: bytes) -> bool:
    if not curve.is_point(public) or not curve.is_signature(signature):
        return False
    try:
        return bool(_gmssl(public).verify(signature.hex(), message_digest(public, message, user_id)))
    except TypeError:
        # The sum of the two points was the point at infinity, which `gmssl` gives as None.
        return False


def _decrypt(pair: KeyPair, ciphertext: bytes) -> bytes | None:
    curve.check_private(pair.private)
    curve.check_public(pair.public)
    c1, c3, c2 = ciphertext[:C1_SIZE], ciphertext[C1_SIZE:CIPHERTEXT_HEAD], ciphertext[CIPHERTEXT_HEAD:]
    if not c2 or not curve.is_point(c1):
        return None
    shared = _times(pair.private, c1)
    stream = _key_stream(shared, len(c2))
    plaintext = _xor(c2, stream)
    is_whole = hmac.compare_digest(c3, _check(shared, plaintext))
    return plaintext if is_whole and any(stream) else None


def _gmssl(public: bytes, private: bytes = b"") -> CryptSM2:
    engine = CryptSM2(private.hex(), "")
    engine.public_key = public.hex()
    return engine


def _times(scalar: bytes, point: bytes) -> bytes:
    return bytes.fromhex(_gmssl(point)._kg(int.from_bytes(scalar, "big"), point.hex()))


def _key_stream(shared: bytes, size: int) -> bytes:
    return bytes.fromhex(sm3_kdf(shared.hex().encode(), size))


def _check(shared: bytes, plaintext: bytes) -> bytes:
    x, y = shared[: curve.SCALAR_SIZE], shared[curve.SCALAR_SIZE :]
    return bytes.fromhex(sm3_hash(list(x + plaintext + y)))


def _xor(data: bytes, mask: bytes) -> bytes:
    return (int.from_bytes(data, "big") ^ int.from_bytes(mask, "big")).to_bytes(len(data), "big")
