"""lossy.bin: the smaller copies of all frames one behind the other, so that a series comes in few reads (K2)."""

import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from imaging.pack.source import Prepared
from imaging.pack.zip_writer import AlignedZip


class LossyCopies:
    """Collects copies in a nameless file beside `path`: those of a long series are not held in memory."""

    def __init__(self, path: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115 — closed by __exit__
        self._rows: list[tuple[dict[str, Any], list[list[int] | None]]] = []
        self._length = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, row: dict[str, Any], instance: Prepared) -> None:
        """Take the copies of an instance, whose row of the manifest gets their places when they are written."""
        if not any(instance.lossy):
            return
        places: list[list[int] | None] = []
        for stream in instance.lossy:
            places.append([self._length, len(stream)] if stream else None)
            self._file.write(stream or b"")
            self._length += len(stream or b"")
        self._rows.append((row, places))

    def write(self, archive: AlignedZip) -> None:
        """Add the entry, and to each row `lossy`: per frame [offset, length] in the ZIP, or None."""
        if not self._rows:
            return
        at = archive.add_file("lossy.bin", self._file, self._length, (0, self._length))  # type: ignore[arg-type]
        for row, places in self._rows:
            row["lossy"] = [[at + place[0], place[1]] if place else None for place in places]
