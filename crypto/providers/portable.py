"""SM4-GCM by `cryptography` (its own OpenSSL): the engine for any machine, about 100 MB/s a core."""

from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from crypto.errors import SealBroken
from crypto.provider import TAG_SIZE


class PortableProvider:
    """Needs nothing of the machine."""

    name = "portable"

    def seal(self, key: bytes, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
        """Ciphertext ‖ tag."""
        return _seal(algorithms.SM4(key), nonce, aad, plaintext)

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


def _seal(sm4: algorithms.SM4, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
    encryptor = Cipher(sm4, modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(aad)
    # One joining: what is sealed may be large.
    return b"".join((encryptor.update(plaintext), encryptor.finalize(), encryptor.tag))


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
