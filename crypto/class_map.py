"""Which chunks of a pack are head (names, dates, ids) and which are pixel: one bit a chunk, 1 = pixel.

Chunk 0 is the highest bit of byte 0; bits behind the last chunk are zero. Not a list of runs, so that the
length of a sealed object follows from its header and does not tell the number of instances.
"""

from collections.abc import Iterator, Sequence


class ClassMap:
    """The classes of `chunk_count` chunks."""

    def __init__(self, bits: bytes, chunk_count: int) -> None:
        if len(bits) != (chunk_count + 7) // 8:
            raise ValueError(
                f"a class map of {chunk_count} chunks has {(chunk_count + 7) // 8} bytes, not {len(bits)}"
            )
        self._bits = bits
        self._chunk_count = chunk_count

    @classmethod
    def from_runs(cls, pixel_chunks: Sequence[tuple[int, int]], chunk_count: int) -> "ClassMap":
        """From half-open, ascending, disjoint runs of pixel chunks. Raises `ValueError` for others."""
        bits = bytearray((chunk_count + 7) // 8)
        previous = 0
        for first, stop in pixel_chunks:
            if not previous <= first < stop <= chunk_count:
                raise ValueError(
                    f"pixel chunks [{first}, {stop}) are empty, out of order or beyond chunk {chunk_count}"
                )
            for index in range(first, stop):
                bits[index >> 3] |= 0x80 >> (index & 7)
            previous = stop
        return cls(bytes(bits), chunk_count)

    def pack(self) -> bytes:
        """The bytes that are sealed behind the last chunk."""
        return self._bits

    def is_pixel(self, index: int) -> bool:
        """Whether chunk `index` is of the pixel class."""
        return bool(self._bits[index >> 3] & (0x80 >> (index & 7)))

    def pixel_runs(self) -> list[tuple[int, int]]:
        """The pixel chunks as the longest half-open runs, ascending."""
        return list(self._runs())

    def _runs(self) -> Iterator[tuple[int, int]]:
        start: int | None = None
        for index in range(self._chunk_count):
            if self.is_pixel(index):
                start = index if start is None else start
            elif start is not None:
                yield start, index
                start = None
        if start is not None:
            yield start, self._chunk_count
