"""The engine `ippcp`: SM2 and SM4-CTR/CBC one at a time by Intel's library, on any x86-64 with Linux.

Without AVX-512 it is the fastest engine for SM2; with it, the one for lone requests, which in lanes cost as much as eight.
It has no SM4-GCM.
"""

import ctypes
import hmac
import threading
from collections.abc import Sequence

from crypto.errors import EngineUnavailable, InputRefused
from crypto.provider import KEY_SIZE, USER_ID, KeyPair, RandomBytes
from crypto.providers.ippcp_library import Calls, CurveWorkspace
from crypto.sm2 import curve
from crypto.sm2.identity import is_at_infinity, message_digest
from crypto.sm3 import DIGEST_SIZE, kdf, sm3

_BLOCK = 16
_COUNTER_BITS = 128
_LONGEST = 2**31 - 1
_HEAD = curve.POINT_SIZE + DIGEST_SIZE
# A nonce that gives no signature comes once in 2^254; a key stream of zeros to one byte, once in 256.
_MOST_TRIES = 64


class IppcpEngine:
    """`Sm2Engine`, `Sm4Modes` and multiplication of a point. Each thread has contexts of its own."""

    name = "ippcp"
    lanes = 1

    def __init__(self, random: RandomBytes) -> None:
        self._random = random
        self._calls = Calls()
        self._threads = threading.local()

    @classmethod
    def load(cls, random: RandomBytes) -> "IppcpEngine":
        """On this machine. Raises `EngineUnavailable`."""
        return cls(random)

    def generate_many(self, count: int) -> list[KeyPair]:
        """New random pairs."""
        privates = [curve.random_private(self._random) for _ in range(count)]
        return [KeyPair(*halves) for halves in zip(privates, self.public_keys(privates), strict=True)]

    def public_keys(self, privates: Sequence[bytes]) -> list[bytes]:
        """The public halves. Raises `KeyRefused`."""
        for private in privates:
            curve.check_private(private)
        return [self._workspace.public(private) for private in privates]

    def multiply(self, scalar: bytes, point: bytes) -> bytes:
        """scalar · point for scalars in [1, n-1]. Raises `KeyRefused` for what is no point."""
        curve.check_public(point)
        return self._workspace.multiply(scalar, point)

    def sign_many(
        self, pairs: Sequence[KeyPair], messages: Sequence[bytes], user_id: bytes = USER_ID
    ) -> list[bytes]:
        """r ‖ s for each. Raises `KeyRefused`."""
        _equal(pairs, messages)
        return [self._sign(pair, message, user_id) for pair, message in zip(pairs, messages, strict=True)]

    def verify_many(
        self,
        publics: Sequence[bytes],
        messages: Sequence[bytes],
        signatures: Sequence[bytes],
        user_id: bytes = USER_ID,
    ) -> list[bool]:
        """Whether each is genuine."""
        _equal(publics, messages, signatures)
        return [
            curve.is_point(public)
            and curve.is_signature(signature)
            and len(signature) == 2 * curve.SCALAR_SIZE
            and self._is_genuine(public, message_digest(public, message, user_id), signature)
            for public, message, signature in zip(publics, messages, signatures, strict=True)
        ]

    def encrypt_many(self, publics: Sequence[bytes], plaintexts: Sequence[bytes]) -> list[bytes]:
        """C1 ‖ C3 ‖ C2 for each. Raises `KeyRefused`."""
        _equal(publics, plaintexts)
        if not all(plaintexts):
            raise InputRefused("SM2 encrypts 1 byte or more")
        return [self._encrypt(public, text) for public, text in zip(publics, plaintexts, strict=True)]

    def decrypt_many(self, pairs: Sequence[KeyPair], ciphertexts: Sequence[bytes]) -> list[bytes | None]:
        """The plaintexts; None where a ciphertext does not belong to its pair. Raises `KeyRefused`."""
        _equal(pairs, ciphertexts)
        for pair in pairs:
            curve.check_private(pair.private)
        return [
            self._decrypt(pair.private, ciphertext)
            for pair, ciphertext in zip(pairs, ciphertexts, strict=True)
        ]

    def ctr(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """SM4-CTR, either way; the counter is all 16 bytes."""
        if not data:
            return b""
        counter = ctypes.create_string_buffer(iv, _BLOCK)
        return self._cipher("ippsSMS4EncryptCTR", key, iv, data, counter, _COUNTER_BITS)

    def cbc_encrypt_many(
        self, keys: Sequence[bytes], ivs: Sequence[bytes], chunks: Sequence[bytes]
    ) -> list[bytes]:
        """One after the other. Raises `ValueError` when a chunk is no whole blocks."""
        _equal(keys, ivs, chunks)
        return [
            self._cbc("ippsSMS4EncryptCBC", key, iv, chunk)
            for key, iv, chunk in zip(keys, ivs, chunks, strict=True)
        ]

    def cbc_decrypt(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """The plaintext, padding included. Raises `ValueError` when the data are no whole blocks."""
        return self._cbc("ippsSMS4DecryptCBC", key, iv, data)

    @property
    def _workspace(self) -> CurveWorkspace:
        if not hasattr(self._threads, "workspace"):
            self._threads.workspace = CurveWorkspace(self._calls)
        workspace: CurveWorkspace = self._threads.workspace
        return workspace

    def _sign(self, pair: KeyPair, message: bytes, user_id: bytes) -> bytes:
        curve.check_private(pair.private)
        curve.check_public(pair.public)
        digest = message_digest(pair.public, message, user_id)
        for _ in range(_MOST_TRIES):
            signature = self._workspace.sign(digest, pair.private, curve.random_private(self._random))
            if signature is not None and curve.is_signature(signature):
                return signature
        raise EngineUnavailable("the ippcp library gives no signature: it is broken")

    def _is_genuine(self, public: bytes, digest: bytes, signature: bytes) -> bool:
        # The library takes the point at infinity for one whose x is 0 (2026.2.0).
        return not is_at_infinity(digest, signature) and self._workspace.is_genuine(digest, public, signature)

    def _encrypt(self, public: bytes, plaintext: bytes) -> bytes:
        curve.check_public(public)
        for _ in range(_MOST_TRIES):
            nonce = curve.random_private(self._random)
            shared = self._workspace.multiply(nonce, public)
            stream = kdf(shared, b"", len(plaintext))
            if any(stream):
                return self._workspace.public(nonce) + _tag(shared, plaintext) + _xor(plaintext, stream)
        raise EngineUnavailable("the random source gives the same number again and again: it is broken")

    def _decrypt(self, private: bytes, ciphertext: bytes) -> bytes | None:
        first, tag, second = (
            ciphertext[: curve.POINT_SIZE],
            ciphertext[curve.POINT_SIZE : _HEAD],
            ciphertext[_HEAD:],
        )
        if not second or not curve.is_point(first):
            return None
        shared = self._workspace.multiply(private, first)
        stream = kdf(shared, b"", len(second))
        plaintext = _xor(second, stream)
        genuine = hmac.compare_digest(tag, _tag(shared, plaintext))
        return plaintext if genuine and any(stream) else None

    def _cbc(self, name: str, key: bytes, iv: bytes, data: bytes) -> bytes:
        if len(data) % _BLOCK:
            raise ValueError(f"SM4-CBC without padding takes whole blocks of {_BLOCK} bytes, not {len(data)}")
        return self._cipher(name, key, iv, data, iv) if data else b""

    def _cipher(self, name: str, key: bytes, iv: bytes, data: bytes, *after: object) -> bytes:
        """Under a key schedule of its own, which is wiped."""
        if len(key) != KEY_SIZE or len(iv) != _BLOCK or len(data) > _LONGEST:
            raise ValueError(
                f"SM4 takes a key of {KEY_SIZE} bytes, an initial value of {_BLOCK} and 2 GiB at most"
            )
        result = ctypes.create_string_buffer(len(data))
        schedule = self._calls.sized("ippsSMS4GetSize")
        try:
            self._calls("ippsSMS4Init", key, KEY_SIZE, schedule, len(schedule))
            self._calls(name, data, result, len(data), schedule, *after)
        finally:
            ctypes.memset(schedule, 0, len(schedule))
        return result.raw


def _equal(*sequences: Sequence[object]) -> None:
    if len({len(sequence) for sequence in sequences}) > 1:
        raise InputRefused("a batch has as many of each; give one key to each item")


def _tag(shared: bytes, plaintext: bytes) -> bytes:
    return sm3(shared[: curve.SCALAR_SIZE], plaintext, shared[curve.SCALAR_SIZE :])


def _xor(text: bytes, stream: bytes) -> bytes:
    return (int.from_bytes(text, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(text), "big")
