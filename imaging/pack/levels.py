"""low.bin: the coarse levels of a whole series in one place, so that one read shows all of it small (K2)."""

from typing import Any

from imaging.pack.source import Prepared
from imaging.pack.zip_writer import AlignedZip


class Levels:
    """Collects every frame's codestream prefix up to 32², and what it needs beyond that up to 64²."""

    def __init__(self) -> None:
        self._small, self._more = bytearray(), bytearray()
        self._table: list[tuple[int, int, int, int]] = []

    def add(self, instance: Prepared) -> None:
        """Take the prefixes of an instance's frames."""
        for (offset, _), (low, mid) in zip(instance.frames, instance.prefixes, strict=False):
            self._table.append((len(self._small), low, len(self._more), mid - low))
            self._small += instance.entry[offset : offset + low]
            self._more += instance.entry[offset + low : offset + mid]

    def write(self, archive: AlignedZip) -> dict[str, Any] | None:
        """Add the entry; return its offset and length in the ZIP and per frame [offset, length] of both parts in it."""
        if not self._table:
            return None
        content = bytes(self._small + self._more)
        at = archive.add("low.bin", content, (0, len(content)))
        frames = [[first, low, len(self._small) + second, rest] for first, low, second, rest in self._table]
        return {"offset": at, "length": len(content), "frames": frames}
