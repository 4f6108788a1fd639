"""An aligned ZIP: stored entries whose chosen byte lies on a chunk boundary, head and pixels never in one chunk.

Alignment is by the ZIP extra field (APPNOTE §4.5), like zipalign; it is left out of the central directory.
"""

import io
import os
import shutil
import struct
import zipfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from imaging.pack.entry_writer import CHUNK

LOCAL_HEADER_BYTES = 30
# "Data follows that only aligns", the id that Android's zipalign uses too.
ALIGNMENT_ID = 0xD935
FIXED_DATE = (1980, 1, 1, 0, 0, 0)


class AlignedZip:
    """Writes entries in order and notes which chunks are pixels (half-open runs of chunk numbers)."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED)
        self._infos: list[zipfile.ZipInfo] = []
        self.pixel_chunks: list[tuple[int, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for info in self._infos:
            info.extra = b""
        self._zip.close()
        self._file.close()

    def add(self, name: str, content: bytes, pixel_span: tuple[int, int] | None = None) -> int:
        """Append an entry; return the offset of its content. `pixel_span`: the part of it that is pixels."""
        return self.add_file(name, io.BytesIO(content), len(content), pixel_span)

    def add_file(
        self, name: str, content: BinaryIO, length: int, pixel_span: tuple[int, int] | None = None
    ) -> int:
        """`add` for the `length` bytes of a file from its beginning, which is not taken into memory."""
        info = zipfile.ZipInfo(name, FIXED_DATE)
        info.external_attr, info.file_size = 0o644 << 16, length
        start = self._file.tell() + LOCAL_HEADER_BYTES + len(name) + _zip64_bytes(length)
        info.extra = self._padding(start, pixel_span)
        at = start + len(info.extra)
        content.seek(0)
        with self._zip.open(info, "w") as entry:
            shutil.copyfileobj(content, entry, 1 << 20)
        self._infos.append(info)
        if pixel_span is not None:
            self._note_pixels(at + pixel_span[0], at + pixel_span[1])
        return at

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the ZIP as far as it is written."""
        self._file.flush()
        return os.pread(self._file.fileno(), length, offset)

    def _padding(self, start: int, pixel_span: tuple[int, int] | None) -> bytes:
        # The content begins in a chunk of its own when the chunk before holds pixels: no name beside an image.
        last = self.pixel_chunks[-1][1] * CHUNK if self.pixel_chunks else 0
        needed = max(0, last - start)
        if pixel_span is not None:
            needed += -(start + needed + pixel_span[0]) % CHUNK
        while 0 < needed < 4:
            needed += CHUNK
        return struct.pack("<HH", ALIGNMENT_ID, needed - 4) + b"\0" * (needed - 4) if needed else b""

    def _note_pixels(self, start: int, end: int) -> None:
        self.pixel_chunks.append((start // CHUNK, -(-end // CHUNK)))


def _zip64_bytes(length: int) -> int:
    """What zipfile adds to the local header of an entry that may need 64-bit lengths (APPNOTE §4.5.3)."""
    return 20 if length * 1.05 > zipfile.ZIP64_LIMIT else 0
