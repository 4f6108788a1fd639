"""Seal a stream into a sealed object, and open a whole one again, at constant memory (H2, C1).

chunk i = SM4-GCM(key of its class, nonce = prefix ‖ u32be(i) ‖ last?, AAD = SM3(header)).
"""

from collections.abc import Sequence
from typing import BinaryIO

from crypto.class_keys import ClassKeys, class_keys, head_key, key_commitment, pixel_key, verify_commitment
from crypto.class_map import ClassMap
from crypto.errors import SourceChanged
from crypto.provider import BATCH, Provider
from crypto.sealed_header import (
    CLASS_MAP_INDEX,
    FILE_CHUNK_LOG2,
    HEADER_SIZE,
    PACK_CHUNK_LOG2,
    SealedHeader,
)
from crypto.sealed_reader import ReadRange, SealedReader

__all__ = [
    "FILE_CHUNK_LOG2",
    "HEADER_SIZE",
    "PACK_CHUNK_LOG2",
    "ClassKeys",
    "SealedHeader",
    "SealedReader",
    "class_keys",
    "key_commitment",
    "seal",
    "unseal",
    "verify_commitment",
]


def seal(
    source: BinaryIO,
    sink: BinaryIO,
    header: SealedHeader,
    dek: bytes,
    provider: Provider,
    pixel_chunks: Sequence[tuple[int, int]] = (),
) -> None:
    """Write header, chunks and class map of `source` to `sink`, in order.

    `pixel_chunks` are half-open, ascending runs of chunk indexes of the pixel class; all others are head.
    The same source, header and key give the same bytes; never seal other content under a pair that was used.
    Raises `SourceChanged` unless the source has `header.plain_length` bytes, `ValueError` for bad runs.
    """
    if pixel_chunks and not header.has_class_map:
        raise ValueError("pixel chunks were given, but the header has no class map")
    class_map = ClassMap.from_runs(pixel_chunks, header.chunk_count)
    keys = {False: head_key(dek, header.object_id), True: pixel_key(dek, header.object_id)}
    aad = header.aad
    sink.write(header.pack())
    for first in range(0, header.chunk_count, BATCH):
        indexes = range(first, min(first + BATCH, header.chunk_count))
        plain = {index: _read_exactly(source, header, index) for index in indexes}
        sealed: dict[int, bytes] = {}
        for is_pixel, key in keys.items():
            group = [index for index in indexes if class_map.is_pixel(index) == is_pixel]
            if group:
                nonces = [header.nonce(index) for index in group]
                chunks = provider.seal_many(key, nonces, aad, [plain[index] for index in group])
                sealed.update(zip(group, chunks, strict=True))
        sink.write(b"".join(sealed[index] for index in indexes))
    if source.read(1):
        raise SourceChanged(
            f"object {header.object_id.hex()}: the content goes on after {header.plain_length} bytes; "
            "discard what was sealed and seal it again under a new key"
        )
    if header.has_class_map:
        sink.write(provider.seal(keys[False], header.nonce(CLASS_MAP_INDEX), aad, class_map.pack()))


def unseal(source_read_range: ReadRange, sink: BinaryIO, dek: bytes, provider: Provider) -> None:
    """Write the whole content to `sink`. Raises `SealBroken`; what was written by then is genuine."""
    header = SealedHeader.parse(source_read_range(0, HEADER_SIZE))
    reader = SealedReader(source_read_range, class_keys(dek, header.object_id), provider)
    for piece in reader.stream_all():
        sink.write(piece)


def _read_exactly(source: BinaryIO, header: SealedHeader, index: int) -> bytes:
    wanted = header.plain_size(index)
    pieces: list[bytes] = []
    while wanted:
        piece = source.read(wanted)
        if not piece:
            raise SourceChanged(
                f"object {header.object_id.hex()}: the content ended in chunk {index}, before "
                f"{header.plain_length} bytes; discard what was sealed and seal it again under a new key"
            )
        pieces.append(piece)
        wanted -= len(piece)
    return b"".join(pieces)
