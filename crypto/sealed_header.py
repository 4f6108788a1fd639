"""The 64-byte header of a sealed object, and where its chunks lie. Pure arithmetic; no keys.

    offset  size
         0     4  magic "CFS1"
         4     1  algorithm: 1 = SM4-GCM
         5     1  log2 of the chunk size C: 12 for packs, 16 for whole files
         6    16  object id
        22     7  nonce prefix
        29     8  plaintext length, u64 big endian
        37     1  flags: bit 0 = a class map follows the last chunk
        38    26  zero

After it: every chunk as C bytes of ciphertext and a tag of 16 (the last one shorter; an empty object has one
empty chunk, so that its emptiness is proven too), then the class map (`crypto.class_map`), sealed in one.
The length of the whole follows from the header alone. SM3 of the header is additional data of every chunk.
"""

import secrets
import struct
from dataclasses import dataclass

from crypto.errors import SealBroken
from crypto.provider import TAG_SIZE
from crypto.sm3 import sm3

HEADER_SIZE = 64
PACK_CHUNK_LOG2 = 12
FILE_CHUNK_LOG2 = 16
CLASS_MAP_INDEX = 0xFFFFFFFF

_MAGIC = b"CFS1"
_SM4_GCM = 1
_HAS_CLASS_MAP = 1
_LAYOUT = struct.Struct(">4sBB16s7sQB26x")
_CHUNK_LOG2_RANGE = range(12, 21)


@dataclass(frozen=True)
class SealedHeader:
    """What is written once and never changed. Sizes and offsets are bytes; every span is half open."""

    object_id: bytes
    nonce_prefix: bytes
    plain_length: int
    chunk_log2: int
    has_class_map: bool

    def __post_init__(self) -> None:
        if len(self.object_id) != 16 or len(self.nonce_prefix) != 7:
            raise ValueError("an object id has 16 bytes and a nonce prefix 7")
        if self.chunk_log2 not in _CHUNK_LOG2_RANGE:
            raise ValueError(f"chunks have 2^12 to 2^20 bytes, not 2^{self.chunk_log2}")
        if self.plain_length < 0 or self.chunk_count >= CLASS_MAP_INDEX:
            raise ValueError(
                f"{self.plain_length} bytes do not fit a sealed object of 2^{self.chunk_log2}-byte chunks"
            )

    @classmethod
    def new(cls, plain_length: int, chunk_log2: int, has_class_map: bool) -> "SealedHeader":
        """A header with a random id and nonce prefix, for content of exactly `plain_length` bytes."""
        return cls(secrets.token_bytes(16), secrets.token_bytes(7), plain_length, chunk_log2, has_class_map)

    @classmethod
    def parse(cls, data: bytes) -> "SealedHeader":
        """Read `HEADER_SIZE` bytes. Raises `SealBroken` for anything that `pack` would not write.

        The values are trustworthy only once a chunk (or the key commitment) was verified against this header.
        """
        if len(data) != HEADER_SIZE:
            raise SealBroken(
                f"a sealed object starts with {HEADER_SIZE} bytes of header; {len(data)} are there"
            )
        magic, algorithm, chunk_log2, object_id, nonce_prefix, plain_length, flags = _LAYOUT.unpack(data)
        if magic != _MAGIC or algorithm != _SM4_GCM:
            raise SealBroken("this is not a sealed object (CFS1, SM4-GCM): was the object overwritten?")
        try:
            header = cls(object_id, nonce_prefix, plain_length, chunk_log2, bool(flags & _HAS_CLASS_MAP))
        except ValueError as error:
            raise SealBroken(f"sealed object {object_id.hex()}: the header was altered ({error})") from None
        if header.pack() != data:
            raise SealBroken(
                f"sealed object {object_id.hex()}: the header has reserved bits set; it was altered"
            )
        return header

    def pack(self) -> bytes:
        """The 64 bytes."""
        flags = _HAS_CLASS_MAP if self.has_class_map else 0
        return _LAYOUT.pack(
            _MAGIC, _SM4_GCM, self.chunk_log2, self.object_id, self.nonce_prefix, self.plain_length, flags
        )

    @property
    def aad(self) -> bytes:
        """SM3 of the header: additional data of every chunk, so that a chunk opens under no other header."""
        return sm3(self.pack())

    @property
    def chunk_size(self) -> int:
        """Plaintext bytes of every chunk but the last."""
        return 1 << self.chunk_log2

    @property
    def chunk_count(self) -> int:
        """At least 1."""
        return max(1, -(-self.plain_length // self.chunk_size))

    @property
    def class_map_span(self) -> tuple[int, int]:
        """Where the sealed class map lies; empty when there is none. One bit a chunk, and a tag."""
        start = HEADER_SIZE + self.plain_length + self.chunk_count * TAG_SIZE
        if not self.has_class_map:
            return start, start
        return start, start + (self.chunk_count + 7) // 8 + TAG_SIZE

    @property
    def sealed_length(self) -> int:
        """Length of the whole object: header, chunks, class map."""
        return self.class_map_span[1]

    def nonce(self, index: int) -> bytes:
        """The 12-byte nonce of chunk `index` (or `CLASS_MAP_INDEX`): prefix ‖ u32be(index) ‖ last?"""
        is_last = index == self.chunk_count - 1
        return self.nonce_prefix + index.to_bytes(4, "big") + bytes([is_last])

    def plain_size(self, index: int) -> int:
        """Plaintext bytes of chunk `index`."""
        return min(self.chunk_size, self.plain_length - index * self.chunk_size)

    def chunk_span(self, start: int, end: int) -> tuple[int, int]:
        """The chunks that hold the plain range [start, end). Raises `ValueError` outside of the content."""
        if not 0 <= start <= end <= self.plain_length:
            raise ValueError(
                f"[{start}, {end}) is not inside the {self.plain_length} bytes of the sealed object"
            )
        first = start >> self.chunk_log2
        return (first, ((end - 1) >> self.chunk_log2) + 1) if start < end else (first, first)

    def chunks_at(self, first: int, stop: int) -> tuple[int, int]:
        """Where the sealed chunks [first, stop) lie in the object."""
        stride = self.chunk_size + TAG_SIZE
        start = HEADER_SIZE + first * stride
        return start, max(start, min(HEADER_SIZE + stop * stride, self.class_map_span[0]))

    def cipher_span(self, start: int, end: int) -> tuple[int, int]:
        """The bytes of the object to fetch for the plain range [start, end): whole chunks with their tags."""
        return self.chunks_at(*self.chunk_span(start, end))
