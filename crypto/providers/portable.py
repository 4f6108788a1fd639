"""SM4 and SM3 by `cryptography` (its own OpenSSL): the engine for any machine, about 100 MB/s a core. SM2: `openssl_sm2`."""

from collections.abc import Sequence
from io import BytesIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from crypto.errors import SealBroken
from crypto.provider import TAG_SIZE
from crypto.sm3 import sm3

_PIECE = 256 * 1024


class PortableProvider:
    """Needs nothing of the machine."""

    name = "portable"

    def seal(self, key: bytes, nonce: bytes, aad: bytes, plaintext: bytes, prefix: bytes = b"") -> bytes:
        """prefix ‖ ciphertext ‖ tag."""
        return _seal(algorithms.SM4(key), nonce, aad, plaintext, prefix)

    def open(self, key: bytes, nonce: bytes, aad: bytes, sealed: bytes) -> bytes:
        """The plaintext. Raises `SealBroken`."""
        return _open(algorithms.SM4(key), nonce, aad, sealed)

    def seal_many(
        self, key: bytes, nonces: Sequence[bytes], aad: bytes, chunks: Sequence[bytes]
    ) -> list[bytes]:
        """One after the other."""
        sm4 = algorithms.SM4(key)
        return [_seal(sm4, nonce, aad, chunk) for nonce, chunk in zip(nonces, chunks, strict=True)]

    def open_many(
        self, key: bytes, nonces: Sequence[bytes], aad: bytes, chunks: Sequence[bytes]
    ) -> list[bytes]:
        """One after the other. Raises `SealBroken`."""
        sm4 = algorithms.SM4(key)
        return [_open(sm4, nonce, aad, chunk) for nonce, chunk in zip(nonces, chunks, strict=True)]

    def ctr(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """Encrypt or decrypt."""
        return _whole(Cipher(algorithms.SM4(key), modes.CTR(iv)).encryptor(), data)

    def cbc_encrypt_many(
        self, keys: Sequence[bytes], ivs: Sequence[bytes], chunks: Sequence[bytes]
    ) -> list[bytes]:
        """One after the other. Raises `ValueError` for what is no whole blocks."""
        return [
            _whole(Cipher(algorithms.SM4(key), modes.CBC(iv)).encryptor(), chunk)
            for key, iv, chunk in zip(keys, ivs, chunks, strict=True)
        ]

    def cbc_decrypt(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """The plaintext, padding included. Raises `ValueError` for what is no whole blocks."""
        return _whole(Cipher(algorithms.SM4(key), modes.CBC(iv)).decryptor(), data)

    def digest_many(self, messages: Sequence[bytes]) -> list[bytes]:
        """One after the other."""
        return [sm3(message) for message in messages]


def _whole(context: CipherContext, data: bytes) -> bytes:
    return context.update(data) + context.finalize()


def _seal(sm4: algorithms.SM4, nonce: bytes, aad: bytes, plaintext: bytes, prefix: bytes = b"") -> bytes:
    encryptor = Cipher(sm4, modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(aad)
    if len(plaintext) <= _PIECE:
        return b"".join((prefix, encryptor.update(plaintext), encryptor.finalize(), encryptor.tag))
    # In pieces, and into the place where the result stays: in one go it would be held three times for a moment.
    view, sealed = memoryview(plaintext), BytesIO()
    sealed.write(prefix)
    for start in range(0, len(view), _PIECE):
        sealed.write(encryptor.update(view[start : start + _PIECE]))
    sealed.write(encryptor.finalize() + encryptor.tag)
    return sealed.getvalue()


def _open(sm4: algorithms.SM4, nonce: bytes, aad: bytes, sealed: bytes) -> bytes:
    if len(sealed) < TAG_SIZE:
        raise SealBroken("sealed bytes are shorter than their tag: they were cut")
    decryptor = Cipher(sm4, modes.GCM(nonce, sealed[-TAG_SIZE:])).decryptor()
    decryptor.authenticate_additional_data(aad)
    plaintext = decryptor.update(sealed[:-TAG_SIZE])
    try:
        return plaintext + decryptor.finalize()
    except InvalidTag:
        raise SealBroken("the tag of sealed bytes does not match: altered, moved, or another key") from None
