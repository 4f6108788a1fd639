"""What the services take: sizes and numbers are checked once, before any engine or key is touched."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crypto.errors import EncodingRefused, InputRefused
from crypto.provider import KEY_SIZE, KeyPair

PRIVATE_SIZE = 32
PUBLIC_SIZE = 64
SIGNATURE_SIZE = 64
# C1 (x ‖ y) and C3 come before the ciphertext itself.
CIPHERTEXT_HEAD = 96
BLOCK_SIZE = 16


@dataclass(frozen=True)
class InputLimits:
    """The most of one call. Sizes in bytes; `total_bytes` counts all items of a batch."""

    items: int = 4096
    total_bytes: int = 32 << 20
    # Longer content belongs into an envelope: an SM4 data key, and that under SM2.
    sm2_plaintext_bytes: int = 64 << 10
    # GB/T 32918.2 §5.5: ENTL counts the bits of the identity in two bytes.
    user_id_bytes: int = 0xFFFF // 8
    aad_bytes: int = 64 << 10
    derived_bytes: int = 4096
    mac_key_bytes: int = 1024
    pairs: int = 10_000
    rsa_keys: int = 16


class Inputs:
    """Checks by limits: each raises `InputRefused` (too many, too long, unequal) or `EncodingRefused` (wrong form)."""

    def __init__(self, limits: InputLimits) -> None:
        self.limits = limits

    def batch(self, first: Sequence[Any], *others: Sequence[Any]) -> int:
        """How many items; all sequences have as many."""
        count = len(first)
        if any(len(other) != count for other in others):
            raise InputRefused(
                f"a batch of unequal parts: {', '.join(str(len(part)) for part in (first, *others))}; "
                "give as many of each"
            )
        self.count("items of one request", count, self.limits.items)
        return count

    def count(self, what: str, count: int, most: int) -> None:
        """From 1 to `most`."""
        if not 1 <= count <= most:
            raise InputRefused(f"{what}: {count}; from 1 to {most} are taken, split what is more")

    def total(self, items: Sequence[bytes]) -> None:
        """All items together."""
        size = sum(map(len, items))
        if size > self.limits.total_bytes:
            raise InputRefused(
                f"{size} bytes in one request; at most {self.limits.total_bytes} are taken, "
                "seal files by `./cloudfilm seal`"
            )

    def at_most(self, what: str, content: bytes, most: int) -> None:
        """One value by its length."""
        if len(content) > most:
            raise InputRefused(f"{what}: {len(content)} bytes; at most {most} are taken")

    def user_id(self, user_id: bytes) -> None:
        """An identity that Z_A can hold."""
        self.at_most("the signer's identity", user_id, self.limits.user_id_bytes)

    def plaintexts(self, plaintexts: Sequence[bytes]) -> None:
        """For SM2: 1 byte or more (GB/T 32918.4 §6.1 needs a key stream that is not empty)."""
        for index, plaintext in enumerate(plaintexts):
            if not plaintext:
                raise InputRefused(f"item {index}: SM2 encrypts 1 byte or more")
            self.at_most(f"item {index}", plaintext, self.limits.sm2_plaintext_bytes)

    def ciphertexts(self, ciphertexts: Sequence[bytes]) -> None:
        """C1 ‖ C3 ‖ C2, raw."""
        for index, ciphertext in enumerate(ciphertexts):
            if len(ciphertext) <= CIPHERTEXT_HEAD:
                raise EncodingRefused(
                    f"item {index}: a raw SM2 ciphertext has more than {CIPHERTEXT_HEAD} bytes "
                    f"(C1 ‖ C3 ‖ C2), not {len(ciphertext)}"
                )
            most = self.limits.sm2_plaintext_bytes + CIPHERTEXT_HEAD
            self.at_most(f"item {index}", ciphertext, most)


def exactly(what: str, size: int, contents: Sequence[bytes]) -> None:
    """Each has this size. Raises `EncodingRefused` with the index, never with the bytes."""
    for index, content in enumerate(contents):
        if len(content) != size:
            raise EncodingRefused(f"item {index}: {what} has {size} bytes, not {len(content)}")


def pairs(whole: Sequence[KeyPair]) -> None:
    """Raw pairs: 32 and 64 bytes. Raises `EncodingRefused`."""
    exactly("a private key", PRIVATE_SIZE, [pair.private for pair in whole])
    exactly("a public key", PUBLIC_SIZE, [pair.public for pair in whole])


def sm4_key(key: bytes) -> None:
    """16 bytes. Raises `EncodingRefused`."""
    exactly("an SM4 key", KEY_SIZE, [key])


def whole_blocks(data: bytes) -> None:
    """For CBC, which pads nothing here. Raises `InputRefused`."""
    if not data or len(data) % BLOCK_SIZE:
        raise InputRefused(
            f"CBC takes whole blocks of {BLOCK_SIZE} bytes, not {len(data)} bytes: pad first, or use GCM"
        )
