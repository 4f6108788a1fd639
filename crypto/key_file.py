"""A key file: JSON, readable by its owner only, whole or not there, flushed to the disk, never overwritten.

`system.key` holds the system key in clear: whoever has it and the vault holds everything. Keep the two apart where you can.
"""

import json
import os
import secrets
import stat
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
