"""Any range of a sealed object, wherever it lies: fetch whole chunks, verify each, release what was asked."""

from collections.abc import Callable, Iterator
from functools import cached_property

from crypto.class_keys import ClassKeys
from crypto.class_map import ClassMap
from crypto.errors import KeyRefused, SealBroken
from crypto.provider import BATCH, TAG_SIZE, Provider
from crypto.sealed_header import CLASS_MAP_INDEX, HEADER_SIZE, SealedHeader

ReadRange = Callable[[int, int], bytes]


class SealedReader:
    """Opens ranges with both class keys, or with the pixel key alone: then all that is head stays dark.

    `read_range(start, end)` returns the bytes [start, end) of the object; its own errors pass through.
    """

    def __init__(self, read_range: ReadRange, keys: ClassKeys, provider: Provider) -> None:
        self._read_range = read_range
        self._keys = keys
        self._provider = provider

    @cached_property
    def header(self) -> SealedHeader:
        """Fetched once. Raises `SealBroken`."""
        return SealedHeader.parse(self._fetch(0, HEADER_SIZE))

    def read(self, start: int, end: int) -> bytes:
        """The plain bytes [start, end). Raises `SealBroken`, `KeyRefused`, `ValueError` (outside)."""
        return b"".join(self.stream(start, end))

    def stream(self, start: int, end: int) -> Iterator[bytes]:
        """The same in pieces of up to 16 chunks; every piece was verified when it is handed out."""
        size = self.header.chunk_size
        first, stop = self.header.chunk_span(start, end)
        for batch_first, plain in self._batches(first, stop):
            offset = batch_first * size
            yield plain[max(0, start - offset) : end - offset]

    def stream_all(self) -> Iterator[bytes]:
        """The whole content in pieces of up to 16 chunks; an empty object is verified as well."""
        for _, plain in self._batches(0, self.header.chunk_count):
            yield plain

    def pixel_runs(self) -> list[tuple[int, int]]:
        """Half-open runs of pixel chunks. Raises `KeyRefused` without the head key."""
        return self._class_map.pixel_runs() if self.header.has_class_map else []

    @cached_property
    def _class_map(self) -> ClassMap:
        sealed = self._fetch(*self.header.class_map_span)
        key = self._key(is_pixel=False)
        try:
            bits = self._provider.open(key, self.header.nonce(CLASS_MAP_INDEX), self._aad, sealed)
        except SealBroken:
            raise self._broken("the class map", "head") from None
        return ClassMap(bits, self.header.chunk_count)

    @cached_property
    def _aad(self) -> bytes:
        return self.header.aad

    def _batches(self, first: int, stop: int) -> Iterator[tuple[int, bytes]]:
        for batch_first in range(first, stop, BATCH):
            yield batch_first, self._open_batch(batch_first, min(batch_first + BATCH, stop))

    def _open_batch(self, first: int, stop: int) -> bytes:
        start, end = self.header.chunks_at(first, stop)
        sealed = self._fetch(start, end)
        stride = self.header.chunk_size + TAG_SIZE
        plain: dict[int, bytes] = {}
        for is_pixel, indexes in self._by_class(first, stop):
            key = self._key(is_pixel)
            nonces = [self.header.nonce(index) for index in indexes]
            chunks = [sealed[(index - first) * stride : (index - first + 1) * stride] for index in indexes]
            try:
                opened = self._provider.open_many(key, nonces, self._aad, chunks)
            except SealBroken:
                where = f"a chunk between {indexes[0]} and {indexes[-1]}"
                raise self._broken(where, "pixel" if is_pixel else "head") from None
            plain.update(zip(indexes, opened, strict=True))
        return b"".join(plain[index] for index in range(first, stop))

    def _by_class(self, first: int, stop: int) -> Iterator[tuple[bool, list[int]]]:
        """The chunks of a batch, a group per class. Without the head key all are taken for pixel chunks."""
        indexes = list(range(first, stop))
        if not self.header.has_class_map:
            yield False, indexes
        elif self._keys.head is None:
            yield True, indexes
        else:
            for is_pixel in (False, True):
                group = [index for index in indexes if self._class_map.is_pixel(index) == is_pixel]
                if group:
                    yield is_pixel, group

    def _key(self, is_pixel: bool) -> bytes:
        if is_pixel:
            return self._keys.pixel
        if self._keys.head is None:
            raise KeyRefused(
                f"sealed object {self.header.object_id.hex()}: this needs the head key, not given here"
            )
        return self._keys.head

    def _fetch(self, start: int, end: int) -> bytes:
        data = self._read_range(start, end)
        if len(data) != end - start:
            raise SealBroken(
                f"a sealed object was cut: bytes {start} to {end} were asked for, {len(data)} came"
            )
        return data

    def _broken(self, what: str, name: str) -> SealBroken:
        return SealBroken(
            f"sealed object {self.header.object_id.hex()}: {what} does not open with the {name} key; "
            "it was altered, moved, or is of the other class; fetch the object again or restore it"
        )
