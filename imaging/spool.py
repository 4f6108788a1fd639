"""Received files until they are archived: durable before the sender hears success (decision 2).

Names are digests, never UIDs from outside. Other bytes under the same UID get another name, so both are kept.
"""

import errno
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from crypto.sm3 import Sm3, sm3
from imaging.errors import SpoolFull

_NAME = re.compile(r"[0-9a-f]{48}\.dcm")
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True)
class Spooled:
    """A durable file: name in the spool, size in bytes, SM3 of the data set alone and of the whole file (hex)."""

    name: str
    byte_size: int
    dataset_sm3: str
    file_sm3: str


class Spool:
    """One directory of received Part-10 files."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._quarantine = root / "quarantine"
        self._quarantine.mkdir(parents=True, exist_ok=True)

    def store(self, sop_uid: str, meta: bytes, dataset: bytes) -> Spooled:
        """Write preamble and file meta (`meta`), then the data set; fdatasync, rename, fsync of the directory."""
        dataset_sm3 = sm3(dataset).hex()
        whole = Sm3()
        whole.update(meta)
        whole.update(dataset)
        file_sm3 = whole.hexdigest()
        name = f"{sm3(sop_uid.encode()).hex()[:32]}{file_sm3[:16]}.dcm"
        self._write(self._root / name, (meta, dataset))
        return Spooled(name, len(meta) + len(dataset), dataset_sm3, file_sm3)

    def quarantine(self, content: bytes) -> str:
        """Keep bytes that could not be used; return where, relative to the spool."""
        name = f"{sm3(content).hex()[:48]}.dcm"
        self._write(self._quarantine / name, (content,))
        return f"quarantine/{name}"

    def set_aside(self, name: str) -> str:
        """Move a spooled file to quarantine; return where, relative to the spool."""
        self.path(name).replace(self._quarantine / name)
        return f"quarantine/{name}"

    def path(self, name: str) -> Path:
        """Where a spooled file lies. Raises ValueError for a name that the spool did not give."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a spool name")
        return self._root / name

    def remove(self, name: str) -> None:
        """Delete a file; one that is gone already is no error."""
        self.path(name).unlink(missing_ok=True)

    def sweep(self, known: set[str], before: float) -> int:
        """Delete files older than `before` (seconds since the epoch) that no row knows; return how many."""
        swept = 0
        for path in self._root.iterdir():
            if path.is_file() and path.name not in known and path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
                swept += 1
        return swept

    def _write(self, target: Path, parts: Iterable[bytes]) -> None:
        temporary = target.with_name(f".{target.name}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            with temporary.open("wb") as file:
                for part in parts:
                    file.write(part)
                file.flush()
                os.fdatasync(file.fileno())
            temporary.replace(target)
            fsync_directory(target.parent)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            if error.errno in _NO_SPACE:
                raise SpoolFull(f"no space in {target.parent}: free some, senders will try again") from error
            raise


def fsync_directory(path: Path) -> None:
    """Make a rename in `path` durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
