"""Engines that compute nothing secret but notice how they are called; and the real ones that any machine has."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from crypto.errors import KeyRefused
from crypto.provider import USER_ID, KeyPair
from crypto.providers.gmssl_sm2 import GmsslSm2
from crypto.providers.openssl_sm2 import OpenSslSm2
from crypto.providers.portable import PortableProvider
from crypto.selection import Candidate, Engines, select
from crypto.sm3 import sm3


@cache
def real_engines() -> Engines:
    return select(
        [
            Candidate("portable", PortableProvider),
            Candidate("openssl", lambda: OpenSslSm2(os.urandom)),
            Candidate("gmssl", lambda: GmsslSm2(os.urandom)),
        ],
        print,
    )


BAD_PUBLIC = b"\xff" * 64


def toy_pair(number: int) -> KeyPair:
    private = number.to_bytes(32, "big")
    return KeyPair(private, sm3(private) * 2)


class ToySm2:
    """A "signature" is a digest, a "ciphertext" the plaintext behind 64 bytes of key and a digest."""

    def __init__(self, name: str, lanes: int) -> None:
        self.name = name
        self.lanes = lanes
        self.calls: list[tuple[str, int]] = []

    def generate_many(self, count: int) -> list[KeyPair]:
        self.calls.append(("generate", count))
        return [toy_pair(number + 1) for number in range(count)]

    def public_keys(self, privates: Sequence[bytes]) -> list[bytes]:
        return [sm3(private) * 2 for private in privates]

    def sign_many(
        self, pairs: Sequence[KeyPair], messages: Sequence[bytes], user_id: bytes = USER_ID
    ) -> list[bytes]:
        self.calls.append(("sign", len(pairs)))
        self._refuse_bad([pair.public for pair in pairs])
        return [sm3(pair.public, user_id, message) * 2 for pair, message in zip(pairs, messages, strict=True)]

    def verify_many(
        self,
        publics: Sequence[bytes],
        messages: Sequence[bytes],
        signatures: Sequence[bytes],
        user_id: bytes = USER_ID,
    ) -> list[bool]:
        self.calls.append(("verify", len(publics)))
        return [
            sm3(public, user_id, message) * 2 == signature
            for public, message, signature in zip(publics, messages, signatures, strict=True)
        ]

    def encrypt_many(self, publics: Sequence[bytes], plaintexts: Sequence[bytes]) -> list[bytes]:
        self.calls.append(("encrypt", len(publics)))
        self._refuse_bad(publics)
        return [
            public + sm3(public, plaintext) + plaintext
            for public, plaintext in zip(publics, plaintexts, strict=True)
        ]

    def decrypt_many(self, pairs: Sequence[KeyPair], ciphertexts: Sequence[bytes]) -> list[bytes | None]:
        self.calls.append(("decrypt", len(pairs)))
        return [
            ciphertext[96:] if sm3(pair.public, ciphertext[96:]) == ciphertext[64:96] else None
            for pair, ciphertext in zip(pairs, ciphertexts, strict=True)
        ]

    def _refuse_bad(self, publics: Sequence[bytes]) -> None:
        if BAD_PUBLIC in publics:
            raise KeyRefused("a public key is not on the curve")


class ToyPoints:
    name = "toy"

    def multiply(self, scalar: bytes, point: bytes) -> bytes:
        raise KeyRefused("a toy multiplies nothing")


class ToyLanes:
    name = "toy"

    def __init__(self) -> None:
        self.calls = 0

    def digest_many(self, messages: Sequence[bytes]) -> list[bytes]:
        self.calls += 1
        return [sm3(message) for message in messages]


class CipherModes:
    """CTR and CBC by `cryptography`."""

    name = "cipher"

    def ctr(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        return Cipher(algorithms.SM4(key), modes.CTR(iv)).encryptor().update(data)

    def cbc_encrypt_many(
        self, keys: Sequence[bytes], ivs: Sequence[bytes], chunks: Sequence[bytes]
    ) -> list[bytes]:
        return [
            Cipher(algorithms.SM4(key), modes.CBC(iv)).encryptor().update(chunk)
            for key, iv, chunk in zip(keys, ivs, chunks, strict=True)
        ]

    def cbc_decrypt(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        return Cipher(algorithms.SM4(key), modes.CBC(iv)).decryptor().update(data)


@dataclass
class ToyEngines:
    sm4: PortableProvider = field(default_factory=PortableProvider)
    modes: CipherModes = field(default_factory=CipherModes)
    sm3: ToyLanes = field(default_factory=ToyLanes)
    sm2: ToySm2 = field(default_factory=lambda: ToySm2("lanes", 8))
    sm2_single: ToySm2 = field(default_factory=lambda: ToySm2("single", 1))
    points: ToyPoints = field(default_factory=ToyPoints)
