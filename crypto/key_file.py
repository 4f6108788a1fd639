"""The key file: JSON, readable by its owner only, replaced atomically and flushed to the disk.

It holds the system key in the clear, so whoever reads it holds everything: it belongs on the front machine,
in the backup safe, and nowhere else.
"""

import contextlib
import fcntl
import json
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crypto.errors import KeyRefused

_FORMAT = "cloudfilm-keys-1"
_MODE = 0o600


def read_key_file(path: Path) -> dict[str, Any]:
    """The content. Raises `KeyRefused` when it is missing, damaged, of another format, or open to others."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise KeyRefused(
            f"key file {path}: {error.strerror}; restore it from the backup, or create new keys"
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if mode & 0o077:
            raise KeyRefused(
                f"key file {path}: others may read or write it (mode {mode:04o}); run chmod 600 on it"
            )
        try:
            content = json.loads(file.read())
        except ValueError:
            raise KeyRefused(f"key file {path}: it is damaged; restore it from the backup") from None
    if not isinstance(content, dict) or content.pop("format", None) != _FORMAT:
        raise KeyRefused(f"key file {path}: it is not a CloudFilm key file ({_FORMAT})")
    return content


def create_key_file(path: Path, content: dict[str, Any]) -> None:
    """Write a new key file. Raises `KeyRefused` when there is one: keys are never overwritten."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = _write_temporary(path, content)
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise KeyRefused(
            f"key file {path} exists; it is not overwritten, because its keys open what is stored"
        ) from None
    finally:
        temporary.unlink()
    _flush_directory(path.parent)


def replace_key_file(path: Path, content: dict[str, Any]) -> None:
    """Put `content` in the place of the old one: after a crash there is the one or the other, whole."""
    temporary = _write_temporary(path, content)
    temporary.replace(path)
    _flush_directory(path.parent)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Alone among processes: read, change and replace the key file inside."""
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_temporary(path: Path, content: dict[str, Any]) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"format": _FORMAT, **content}, file, indent=1)
        file.flush()
        os.fsync(descriptor)
    return temporary


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
