"""The engine `mbx`: SM2, SM3 and SM4 in lanes by Intel's multi-buffer library, for processors with AVX-512 IFMA."""

from collections.abc import Callable, Sequence
from pathlib import Path

from crypto.provider import BATCH, USER_ID, KeyPair, RandomBytes
from crypto.providers.mbx.library import LANES_8, Functions, Library, open_functions
from crypto.providers.mbx.rsa import MbxFermat
from crypto.providers.mbx.sm2 import Sm2Signatures
from crypto.providers.mbx.sm2_cipher import Sm2Cipher
from crypto.providers.mbx.sm3 import Sm3
from crypto.providers.mbx.sm4_gcm import Sm4Gcm
from crypto.providers.mbx.sm4_modes import Sm4Modes


class MbxEngine:
    """`Provider`, `Sm4Modes`, `Sm3Lanes` and `Sm2Engine` of `crypto.provider`; `fermat` for `crypto.rsa_keys`.

    May be used by several threads at once: every call has memory of its own, and the library runs without the
    interpreter's lock. Raises `EngineUnavailable` when a call of the library fails that no input may make fail.
    """

    name = "mbx"
    lanes = LANES_8

    def __init__(self, functions: Functions, random: RandomBytes) -> None:
        library = Library(functions)
        self._gcm, self._modes, self._sm3 = Sm4Gcm(library), Sm4Modes(library), Sm3(library)
        self._signatures = Sm2Signatures(library, random)
        self._cipher = Sm2Cipher(library, self._signatures, self._sm3, random)
        self.fermat = MbxFermat(functions)

    @classmethod
    def load(cls, library_dir: Path, random: RandomBytes) -> "MbxEngine":
        """On this machine; a private copy of the library is kept in `library_dir`. Raises `EngineUnavailable`."""
        return cls(open_functions(library_dir), random)

    def seal(self, key: bytes, nonce: bytes, aad: bytes, plaintext: bytes, prefix: bytes = b"") -> bytes:
        """prefix ‖ ciphertext ‖ tag, in one lane of sixteen: batches are much faster."""
        return self._gcm.seal_batch(key, [nonce], aad, [plaintext], prefix)[0]

    def open(self, key: bytes, nonce: bytes, aad: bytes, sealed: bytes) -> bytes:
        """The plaintext. Raises `SealBroken`."""
        return self._gcm.open_batch(key, [nonce], aad, [sealed])[0]

    def seal_many(
        self, key: bytes, nonces: Sequence[bytes], aad: bytes, chunks: Sequence[bytes]
    ) -> list[bytes]:
        """Sixteen chunks at a time."""
        return _in_batches(self._gcm.seal_batch, key, nonces, aad, chunks)

    def open_many(
        self, key: bytes, nonces: Sequence[bytes], aad: bytes, chunks: Sequence[bytes]
    ) -> list[bytes]:
        """Sixteen sealed chunks at a time. Raises `SealBroken`."""
        return _in_batches(self._gcm.open_batch, key, nonces, aad, chunks)

    def ctr(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """SM4-CTR, either way."""
        return self._modes.ctr(key, iv, data)

    def cbc_encrypt_many(
        self, keys: Sequence[bytes], ivs: Sequence[bytes], chunks: Sequence[bytes]
    ) -> list[bytes]:
        """SM4-CBC without padding, a chunk a lane."""
        return self._modes.cbc_encrypt_many(keys, ivs, chunks)

    def cbc_decrypt(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """SM4-CBC, padding included."""
        return self._modes.cbc_decrypt(key, iv, data)

    def digest_many(self, messages: Sequence[bytes]) -> list[bytes]:
        """SM3 of each."""
        return self._sm3.digest_many(messages)

    def generate_many(self, count: int) -> list[KeyPair]:
        """New random SM2 pairs."""
        return self._signatures.generate_many(count)

    def public_keys(self, privates: Sequence[bytes]) -> list[bytes]:
        """Their public halves. Raises `KeyRefused`."""
        return self._signatures.public_keys(privates)

    def sign_many(
        self, pairs: Sequence[KeyPair], messages: Sequence[bytes], user_id: bytes = USER_ID
    ) -> list[bytes]:
        """r ‖ s for each. Raises `KeyRefused`."""
        return self._signatures.sign_many(pairs, messages, user_id)

    def verify_many(
        self,
        publics: Sequence[bytes],
        messages: Sequence[bytes],
        signatures: Sequence[bytes],
        user_id: bytes = USER_ID,
    ) -> list[bool]:
        """Whether each is genuine."""
        return self._signatures.verify_many(publics, messages, signatures, user_id)

    def encrypt_many(self, publics: Sequence[bytes], plaintexts: Sequence[bytes]) -> list[bytes]:
        """C1 ‖ C3 ‖ C2 for each. Raises `KeyRefused`."""
        return self._cipher.encrypt_many(publics, plaintexts)

    def decrypt_many(self, pairs: Sequence[KeyPair], ciphertexts: Sequence[bytes]) -> list[bytes | None]:
        """The plaintexts, None where one does not belong to its pair. Raises `KeyRefused`."""
        return self._cipher.decrypt_many(pairs, ciphertexts)


def _in_batches(
    work: Callable[[bytes, Sequence[bytes], bytes, Sequence[bytes]], list[bytes]],
    key: bytes,
    nonces: Sequence[bytes],
    aad: bytes,
    items: Sequence[bytes],
) -> list[bytes]:
    if len(nonces) != len(items):
        raise ValueError("SM4-GCM takes one nonce for each chunk")
    result: list[bytes] = []
    for first in range(0, len(items), BATCH):
        batch = slice(first, first + BATCH)
        result += work(key, nonces[batch], aad, items[batch])
    return result
