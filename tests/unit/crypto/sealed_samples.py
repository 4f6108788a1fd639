"""Sealed packs for the tests of this folder, over content that repeats nowhere."""

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass

from crypto.providers.portable import PortableProvider
from crypto.sealed_object import ClassKeys, SealedHeader, SealedReader, class_keys, seal

CHUNK = 4096
STRIDE = CHUNK + 16
PROVIDER = PortableProvider()


@dataclass(frozen=True)
class SealedSample:
    """One sealed object with everything that was used to make it."""

    plain: bytes
    dek: bytes
    header: SealedHeader
    sealed: bytes

    def reader(self, keys: ClassKeys | None = None, sealed: bytes | None = None) -> SealedReader:
        body = self.sealed if sealed is None else sealed
        return SealedReader(
            lambda start, end: body[start:end], keys or class_keys(self.dek, self.header.object_id), PROVIDER
        )


def content(length: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(length)


def make(
    plain: bytes,
    pixel_chunks: Sequence[tuple[int, int]] | None = None,
    *,
    chunk_log2: int = 12,
    dek: bytes = bytes(range(16)),
    header: SealedHeader | None = None,
) -> SealedSample:
    """Seal `plain`; with `pixel_chunks` (even an empty list) the object has a class map."""
    header = header or SealedHeader.new(len(plain), chunk_log2, has_class_map=pixel_chunks is not None)
    sink = io.BytesIO()
    seal(io.BytesIO(plain), sink, header, dek, PROVIDER, pixel_chunks or ())
    return SealedSample(plain, dek, header, sink.getvalue())


def chunk_bytes(sample: SealedSample, index: int) -> slice:
    """Where sealed chunk `index` lies in the object."""
    return slice(*sample.header.chunks_at(index, index + 1))
