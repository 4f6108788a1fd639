"""A GM/T 0018 device as engine for keys from outside: for sites that must compute in an approved device (H2.4).

The standard of 2012 lets keys from outside verify and encrypt only. Signing and decrypting with them needs functions that
many cards have and the standard of 2023 names for tests; a card without them serves by its slots (`sdf.SdfDevice`) alone.
No device computes the public half of a given private key: an engine of software does that.
"""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from crypto.errors import EncodingRefused, EngineUnavailable
from crypto.provider import USER_ID, KeyPair, Sm2Engine
from crypto.providers import sdf_library as raw
from crypto.providers.sdf import SdfDevice, SdfKey
from crypto.providers.sdf_library import Refused
from crypto.sm2 import curve, encoding
from crypto.sm2.identity import message_digest

_BLOCK = 16
_SIGNATURE_ROOM = 128


class SdfEngine:
    """`Sm2Engine` and `Sm4Modes`. SM4 keys enter the device enveloped to its slot, as the standard wants."""

    name = "sdf"
    lanes = 1

    def __init__(self, device: SdfDevice, slot: int, software: Sm2Engine) -> None:
        """Raises `EngineUnavailable` when the device does not take private keys from outside."""
        if not device.library.has_external_keys:
            raise EngineUnavailable(
                f"SDF device {device.name} does not sign with keys from outside: use its slots"
            )
        self._device, self._slot, self._software = device, slot, software

    def generate_many(self, count: int) -> list[KeyPair]:
        """New pairs of the device's random numbers."""
        privates = [curve.random_private(self._device.random_bytes) for _ in range(count)]
        return [KeyPair(*halves) for halves in zip(privates, self.public_keys(privates), strict=True)]

    def public_keys(self, privates: Sequence[bytes]) -> list[bytes]:
        """The public halves, by software. Raises `KeyRefused`."""
        return self._software.public_keys(privates)

    def sign_many(
        self, pairs: Sequence[KeyPair], messages: Sequence[bytes], user_id: bytes = USER_ID
    ) -> list[bytes]:
        """r ‖ s for each. Raises `KeyRefused`, `EngineUnavailable`."""
        return [self._sign(pair, message, user_id) for pair, message in zip(pairs, messages, strict=True)]

    def verify_many(
        self,
        publics: Sequence[bytes],
        messages: Sequence[bytes],
        signatures: Sequence[bytes],
        user_id: bytes = USER_ID,
    ) -> list[bool]:
        """Whether each is genuine."""
        return [
            self._device.verify(public, message_digest(public, message, user_id), signature)
            for public, message, signature in zip(publics, messages, signatures, strict=True)
        ]

    def encrypt_many(self, publics: Sequence[bytes], plaintexts: Sequence[bytes]) -> list[bytes]:
        """C1 ‖ C3 ‖ C2 for each. Raises `KeyRefused`, `EngineUnavailable`."""
        return [
            self._device.encrypt(public, plain) for public, plain in zip(publics, plaintexts, strict=True)
        ]

    def decrypt_many(self, pairs: Sequence[KeyPair], ciphertexts: Sequence[bytes]) -> list[bytes | None]:
        """The plaintexts, None for what does not open. Raises `KeyRefused`."""
        return [self._decrypt(pair, one) for pair, one in zip(pairs, ciphertexts, strict=True)]

    def ctr(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """Encrypt or decrypt: the device encrypts the counters, which every device can."""
        first, blocks = int.from_bytes(iv, "big"), -(-len(data) // _BLOCK)
        counters = b"".join(((first + block) % (1 << 128)).to_bytes(_BLOCK, "big") for block in range(blocks))
        with self._inside(key) as inside:
            stream = inside.ecb_encrypt(counters)[: len(data)]
        return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")

    def cbc_encrypt_many(
        self, keys: Sequence[bytes], ivs: Sequence[bytes], chunks: Sequence[bytes]
    ) -> list[bytes]:
        """One after the other. Raises `ValueError` for what is no whole blocks."""
        sealed = []
        for key, iv, chunk in zip(keys, ivs, chunks, strict=True):
            _check_blocks(chunk)
            with self._inside(key) as inside:
                sealed.append(inside.cbc_encrypt(iv, chunk))
        return sealed

    def cbc_decrypt(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """The plaintext, padding included. Raises `ValueError` for what is no whole blocks."""
        _check_blocks(data)
        with self._inside(key) as inside:
            return inside.cbc_decrypt(iv, data)

    @contextmanager
    def _inside(self, key: bytes) -> Iterator[SdfKey]:
        wrapped = self._device.encrypt(self._device.encryption_key(self._slot), key)
        with self._device.data_key(self._slot, wrapped) as inside:
            yield inside

    def _sign(self, pair: KeyPair, message: bytes, user_id: bytes) -> bytes:
        digest = message_digest(pair.public, message, user_id)
        result = ctypes.create_string_buffer(_SIGNATURE_ROOM)
        try:
            with self._private(pair) as key, self._device.session() as session:
                self._device.library.call(
                    "ExternalSign_ECC", session, raw.SM2_SIGN, key, digest, len(digest), result
                )
        except Refused as refused:
            raise EngineUnavailable(f"SDF device {self._device.name} does not sign: {refused}") from None
        return raw.signature_from_sdf(result.raw)

    def _decrypt(self, pair: KeyPair, ciphertext: bytes) -> bytes | None:
        with self._private(pair) as key:
            try:
                encoding.to_c1c2c3(ciphertext)
                return self._decrypt_whole(key, ciphertext)
            except (EncodingRefused, Refused):
                return None

    def _decrypt_whole(self, key: ctypes.Array[ctypes.c_char], ciphertext: bytes) -> bytes | None:
        length = len(ciphertext) - encoding.CIPHERTEXT_HEAD
        result, size = ctypes.create_string_buffer(length), ctypes.c_uint(length)
        sealed = raw.cipher_to_sdf(ciphertext)
        with self._device.session() as session:
            self._device.library.call(
                "ExternalDecrypt_ECC", session, raw.SM2_ENCRYPT, key, sealed, result, ctypes.byref(size)
            )
        plaintext = result.raw[: size.value]
        # A key stream of zeros is refused (GB/T 32918.4 §7.1, B4) whatever the device thinks of it.
        return None if plaintext == ciphertext[encoding.CIPHERTEXT_HEAD :] else plaintext

    @contextmanager
    def _private(self, pair: KeyPair) -> Iterator[ctypes.Array[ctypes.c_char]]:
        """An ECCrefPrivateKey that is wiped after its use. Raises `KeyRefused`."""
        curve.check_private(pair.private)
        curve.check_public(pair.public)
        content = raw.private_to_sdf(pair.private)
        key = ctypes.create_string_buffer(content, len(content))
        try:
            yield key
        finally:
            ctypes.memset(key, 0, len(content))


def _check_blocks(data: bytes) -> None:
    if len(data) % _BLOCK:
        raise ValueError(f"CBC takes whole blocks of {_BLOCK} bytes, not {len(data)} bytes")
