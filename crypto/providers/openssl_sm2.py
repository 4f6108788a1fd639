"""SM2 by the system's OpenSSL 3, one at a time, on any processor: about 3,000 operations a second and core.

Keys come from the given generator; the nonces of signatures and ciphertexts from OpenSSL's own (its interface takes none).
"""

from collections.abc import Sequence

from crypto.errors import EncodingRefused, EngineUnavailable
from crypto.provider import USER_ID, KeyPair, RandomBytes
from crypto.providers.openssl_library import LIBRARIES, OpenSsl
from crypto.sm2 import curve, encoding
from crypto.sm2.identity import message_digest

_SIGNATURE_ROOM = 72
# DER around C1, C3 and C2.
_CIPHERTEXT_ROOM = 128
_ENCRYPT_TRIES = 16


class OpenSslSm2:
    """`Sm2Engine` and, for key exchange, multiplication of a point."""

    name = "openssl"
    lanes = 1

    def __init__(self, random: RandomBytes, libraries: Sequence[str] = LIBRARIES) -> None:
        """Raises `EngineUnavailable`."""
        self._random = random
        self._openssl = OpenSsl(libraries)

    def generate_many(self, count: int) -> list[KeyPair]:
        """New random pairs."""
        privates = [curve.random_private(self._random) for _ in range(count)]
        return [KeyPair(*halves) for halves in zip(privates, self.public_keys(privates), strict=True)]

    def public_keys(self, privates: Sequence[bytes]) -> list[bytes]:
        """The public halves. Raises `KeyRefused`."""
        for private in privates:
            curve.check_private(private)
        return [self._openssl.multiply(private, None) for private in privates]

    def multiply(self, scalar: bytes, point: bytes) -> bytes:
        """scalar · point for scalars in [1, n-1]. Raises `KeyRefused` for what is no point."""
        curve.check_public(point)
        return self._openssl.multiply(scalar, point)

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
        return [self._is_genuine(public, message, signature, user_id) for public, message, signature in rows]

    def encrypt_many(self, publics: Sequence[bytes], plaintexts: Sequence[bytes]) -> list[bytes]:
        """C1 ‖ C3 ‖ C2 for each. Raises `KeyRefused`."""
        return [self._encrypt(public, plain) for public, plain in zip(publics, plaintexts, strict=True)]

    def decrypt_many(self, pairs: Sequence[KeyPair], ciphertexts: Sequence[bytes]) -> list[bytes | None]:
        """The plaintexts, None for what does not open. Raises `KeyRefused`."""
        return [self._decrypt(pair, one) for pair, one in zip(pairs, ciphertexts, strict=True)]

    def _sign(self, pair: KeyPair, message: bytes, user_id: bytes) -> bytes:
        _check_pair(pair)
        digest = message_digest(pair.public, message, user_id)
        with self._openssl.key(pair.public, pair.private) as key:
            der = self._openssl.transform("sign", key, digest, _SIGNATURE_ROOM)
        if der is None:
            raise EngineUnavailable("the system's OpenSSL does not sign with SM2")
        return encoding.signature_from_der(der)

    def _is_genuine(self, public: bytes, message: bytes, signature: bytes, user_id: bytes) -> bool:
        if not curve.is_point(public) or not curve.is_signature(signature):
            return False
        digest = message_digest(public, message, user_id)
        with self._openssl.key(public) as key:
            return self._openssl.verify(key, digest, encoding.signature_to_der(signature))

    def _encrypt(self, public: bytes, plaintext: bytes) -> bytes:
        curve.check_public(public)
        with self._openssl.key(public) as key:
            for _ in range(_ENCRYPT_TRIES):
                der = self._openssl.transform("encrypt", key, plaintext, len(plaintext) + _CIPHERTEXT_ROOM)
                if der is None:
                    break
                ciphertext = encoding.ciphertext_from_der(der)
                # GB/T 32918.4 §6.1, A5: a key stream of zeros is drawn again; OpenSSL lets it pass (1 of 256 for one byte).
                if ciphertext[encoding.CIPHERTEXT_HEAD :] != plaintext:
                    return ciphertext
        raise EngineUnavailable("the system's OpenSSL does not encrypt with SM2")

    def _decrypt(self, pair: KeyPair, ciphertext: bytes) -> bytes | None:
        _check_pair(pair)
        try:
            der = encoding.ciphertext_to_der(ciphertext)
        except EncodingRefused:
            return None
        with self._openssl.key(pair.public, pair.private) as key:
            plaintext = self._openssl.transform("decrypt", key, der, len(der))
        # The same for decrypting: §7.1, B4.
        return None if plaintext == ciphertext[encoding.CIPHERTEXT_HEAD :] else plaintext


def _check_pair(pair: KeyPair) -> None:
    curve.check_private(pair.private)
    curve.check_public(pair.public)
