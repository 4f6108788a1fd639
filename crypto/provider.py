"""The ports to engines: SM4 (GB/T 32907, GB/T 17964-2021, RFC 8998), SM3 (GB/T 32905), SM2 (GB/T 32918, GB/T 35276).

`app` names the engines, `selection` takes the first that works here. An engine holds no keys and may be used by several
threads at once. The `_many` forms are for engines that work in lanes: 8 for SM2, 16 for SM4 and SM3.

Raw forms everywhere: private key 32 bytes big-endian in [1, n-2]; public key x ‖ y, 64 bytes; signature r ‖ s, 64 bytes;
ciphertext C1 (x ‖ y, 64 bytes) ‖ C3 (32 bytes) ‖ C2. `sm2.encoding` turns them into DER and PEM.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

RandomBytes = Callable[[int], bytes]

KEY_SIZE = 16
NONCE_SIZE = 12
TAG_SIZE = 16
BATCH = 16
# GB/T 35276-2017 §10: the identity that signers use where nothing else was agreed.
USER_ID = b"1234567812345678"


class KeyPair(NamedTuple):
    """An SM2 pair, raw. Its text never shows the private half."""

    private: bytes
    public: bytes

    def __repr__(self) -> str:
        return f"KeyPair(public={self.public.hex()[:16]}…)"


class Provider(Protocol):
    """SM4-GCM: key 16 bytes, nonce 12, tag 16 at the end."""

    name: str

    def seal(self, key: bytes, nonce: bytes, aad: bytes, plaintext: bytes, prefix: bytes = b"") -> bytes:
        """prefix ‖ ciphertext ‖ tag. The prefix is put before what may be large without copying that once more."""
        ...

    def open(self, key: bytes, nonce: bytes, aad: bytes, sealed: bytes) -> bytes:
        """The plaintext. Raises `SealBroken` when the tag does not match."""
        ...

    def seal_many(
        self, key: bytes, nonces: Sequence[bytes], aad: bytes, chunks: Sequence[bytes]
    ) -> list[bytes]:
        """`seal` for each pair of nonce and chunk, in order; lengths may differ."""
        ...

    def open_many(
        self, key: bytes, nonces: Sequence[bytes], aad: bytes, chunks: Sequence[bytes]
    ) -> list[bytes]:
        """`open` for each pair of nonce and sealed chunk. Raises `SealBroken` when one does not match."""
        ...


class Sm4Modes(Protocol):
    """SM4 in CTR and CBC without padding; iv 16 bytes. Raises `ValueError` when CBC data are no whole blocks."""

    name: str

    def ctr(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """Encrypt or decrypt: the counter is all 16 bytes, big-endian."""
        ...

    def cbc_encrypt_many(
        self, keys: Sequence[bytes], ivs: Sequence[bytes], chunks: Sequence[bytes]
    ) -> list[bytes]:
        """Each chunk by its own key and iv."""
        ...

    def cbc_decrypt(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """The plaintext, padding included."""
        ...


class Sm3Lanes(Protocol):
    """SM3 of many messages."""

    name: str

    def digest_many(self, messages: Sequence[bytes]) -> list[bytes]:
        """32 bytes for each."""
        ...


class Sm2Engine(Protocol):
    """SM2 on the curve of GB/T 32918.5. `lanes`: how many items cost what one costs.

    Inputs of one call have equal numbers of items; unequal lengths of messages and plaintexts are allowed.
    Raises `KeyRefused` for a private key out of range and for a public key off the curve where it would be used to encrypt.
    """

    name: str
    lanes: int

    def generate_many(self, count: int) -> list[KeyPair]:
        """New random pairs."""
        ...

    def public_keys(self, privates: Sequence[bytes]) -> list[bytes]:
        """The public halves."""
        ...

    def sign_many(
        self, pairs: Sequence[KeyPair], messages: Sequence[bytes], user_id: bytes = USER_ID
    ) -> list[bytes]:
        """Over SM3(Z_A ‖ message), with a fresh random nonce for each."""
        ...

    def verify_many(
        self,
        publics: Sequence[bytes],
        messages: Sequence[bytes],
        signatures: Sequence[bytes],
        user_id: bytes = USER_ID,
    ) -> list[bool]:
        """Whether each is genuine; a malformed signature or key is False. `services` turns False into an error."""
        ...

    def encrypt_many(self, publics: Sequence[bytes], plaintexts: Sequence[bytes]) -> list[bytes]:
        """C1 ‖ C3 ‖ C2 for each; plaintexts have 1 byte or more."""
        ...

    def decrypt_many(self, pairs: Sequence[KeyPair], ciphertexts: Sequence[bytes]) -> list[bytes | None]:
        """The plaintexts; None where a ciphertext is malformed or its C3 does not match."""
        ...
