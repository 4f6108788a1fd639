"""When a received file is wanted again, then it is rebuilt byte by byte from its pack (S1, S4, E21)."""

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pydicom.dataset import Dataset

from core.models import Instance, Pack
from crypto.sm3 import sm3
from imaging.errors import NotIdentical
from imaging.instance_reader import read_header
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
    with _opened(platform, instance.pack) as (archive, rows):
        content = rebuild(archive, rows[instance.sop_uid])
    if sm3(content).hex() != instance.file_sm3:
        raise NotIdentical(f"instance {instance.sop_uid}: the rebuilt file differs from what was received")
    return content


def read_headers(platform: Platform, instances: Sequence[Instance]) -> dict[str, Dataset]:
    """The data sets before their pixels, by SOP Instance UID. An entry is a DICOM file too: nothing is decoded.

    Raises `NotDicom` for one that was kept though it cannot be read.
    """
    packs = {instance.pack_id: instance.pack for instance in instances}
    headers = {}
    for pack_id, pack in packs.items():
        with _opened(platform, pack) as (archive, rows):
            for instance in instances:
                if instance.pack_id == pack_id:
                    # Of a cine run of a gigabyte only the first kilobytes are opened.
                    with archive.open(rows[instance.sop_uid]["name"]) as entry:
                        headers[instance.sop_uid] = read_header(entry)
    return headers


@contextmanager
def _opened(platform: Platform, pack: Pack) -> Iterator[tuple[zipfile.ZipFile, dict[str, dict[str, Any]]]]:
    """The pack as a ZIP, and the rows of its manifest by SOP Instance UID."""
    reader = open_pack(range_reader(platform, pack), pack, platform.keyring, platform.provider, KIND)
    with zipfile.ZipFile(_PackFile(reader, pack.plain_length)) as archive:
        rows = json.loads(archive.read("MANIFEST.json"))["instances"]
        yield archive, {row["sop_uid"]: row for row in rows}
