"""When a received file is wanted again, then it is rebuilt byte by byte from its pack (S1, S4, E21)."""

import io
import json
import zipfile

from core.models import Instance
from crypto.sm3 import sm3
from imaging.errors import NotIdentical
from imaging.pack.build import rebuild
from imaging.sealing import open_pack
from workflow.archive_study import KIND
from workflow.context import Platform
from workflow.read_pack import range_reader


class _PackFile(io.RawIOBase):
    """The opened pack as a seekable file, so that zipfile reads only the chunks it needs."""

    def __init__(self, reader: object, length: int) -> None:
        self._reader, self._length, self._at = reader, length, 0

    def seekable(self) -> bool:
        """Yes."""
        return True

    def readable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; returns the new position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """The position."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Up to `size` opened bytes."""
        end = self._length if size < 0 else min(self._length, self._at + size)
        data: bytes = self._reader.read(self._at, end) if end > self._at else b""  # type: ignore[attr-defined]
        self._at += len(data)
        return data


def rebuild_file(platform: Platform, instance: Instance) -> bytes:
    """The file as received; raises `NotIdentical` should its SM3 differ."""
    pack = instance.pack
    reader = open_pack(range_reader(platform, pack), pack, platform.keyring, platform.provider, KIND)
    with zipfile.ZipFile(_PackFile(reader, pack.plain_length)) as archive:
        rows = json.loads(archive.read("MANIFEST.json"))["instances"]
        row = next(row for row in rows if row["sop_uid"] == instance.sop_uid)
        content = rebuild(archive, row)
    if sm3(content).hex() != instance.file_sm3:
        raise NotIdentical(f"instance {instance.sop_uid}: the rebuilt file differs from what was received")
    return content
