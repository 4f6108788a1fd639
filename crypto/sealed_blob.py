"""How a sealed column value looks: format 1, KEK version (2 bytes), nonce (12), ciphertext, tag (16)."""

from typing import NamedTuple

from crypto.errors import SealBroken
from crypto.provider import NONCE_SIZE, TAG_SIZE

_FORMAT = 1
PREFIX_SIZE = 3


class SealedBlob(NamedTuple):
    """One value, taken apart; `sealed` is ciphertext and tag."""

    version: int
    nonce: bytes
    sealed: bytes


def prefix_of(version: int) -> bytes:
    """What a value under this KEK version begins with; it is authenticated with the value."""
    return bytes([_FORMAT]) + version.to_bytes(2, "big")


def parse(blob: bytes, context: str) -> SealedBlob:
    """Take apart. Raises `SealBroken` naming `context` when it is no sealed value."""
    if len(blob) < PREFIX_SIZE + NONCE_SIZE + TAG_SIZE or blob[0] != _FORMAT:
        raise SealBroken(f"{context}: the stored value is not a sealed one; it was cut or overwritten")
    nonce_end = PREFIX_SIZE + NONCE_SIZE
    version = int.from_bytes(blob[1:PREFIX_SIZE], "big")
    return SealedBlob(version, blob[PREFIX_SIZE:nonce_end], blob[nonce_end:])
