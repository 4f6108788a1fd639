"""A file on disk as `kinds` looks at it."""

import os
from pathlib import Path

from crypto.errors import FileRefused
from crypto.files.kinds import Content, extension
from crypto.files.placing import open_regular


def path_content(path: Path, descriptor: int) -> Content:
    """Reads of the open file `descriptor`; siblings are looked for in its directory, their names in any case."""

    def read(start: int, end: int) -> bytes:
        return os.pread(descriptor, max(0, end - start), start)

    def sibling(suffix: str, limit: int) -> Content | None:
        return _sibling(path, suffix, limit)

    return Content(path.name, os.fstat(descriptor).st_size, read, sibling)


def _sibling(path: Path, suffix: str, limit: int) -> Content | None:
    """The first `limit` bytes of the regular file beside `path` that differs in its suffix alone."""
    stem = path.name[: len(path.name) - len(extension(path.name))]
    for name in (stem + suffix, stem + suffix.upper()):
        try:
            with open_regular(path.with_name(name)) as descriptor:
                head = os.pread(descriptor, limit, 0)
                size = os.fstat(descriptor).st_size
        except (FileRefused, ValueError):
            continue
        return _first_bytes(name, size, head)
    return None


def _first_bytes(name: str, size: int, head: bytes) -> Content:
    return Content(name, size, lambda start, end: head[start:end], lambda suffix, limit: None)
