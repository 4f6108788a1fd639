"""A store on a local disk or NAS mount (H1): atomic, fsynced, metadata in a JSON file beside the object."""

import io
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from imaging.errors import ObjectMissing, StoreUnavailable
from imaging.spool import fsync_directory
from imaging.store import StoredObject

_KEY = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")


class LocalStore:
    """Objects as files under `root`."""

    name = "local"

    def __init__(self, root: Path) -> None:
        self._root = root

    def put_file(self, key: str, path: Path, metadata: Mapping[str, str]) -> None:
        """Copy, fsync, rename; the metadata first, so that an object never lacks it."""
        target = self._path(key)
        with _as_store_error(f"write {key}"):
            target.parent.mkdir(parents=True, exist_ok=True)
            described = json.dumps(dict(metadata), sort_keys=True).encode()
            _write_whole(_description(target), io.BytesIO(described))
            with path.open("rb") as source:
                _write_whole(target, source)
            fsync_directory(target.parent)

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Read the range."""
        with _as_store_error(f"read {key}"), self._path(key).open("rb") as file:
            file.seek(start)
            return file.read(max(0, end - start))

    def head(self, key: str) -> StoredObject:
        """Length and metadata."""
        path = self._path(key)
        with _as_store_error(f"read {key}"):
            metadata = json.loads(_description(path).read_bytes())
            return StoredObject(path.stat().st_size, metadata)

    def delete(self, key: str) -> None:
        """Remove the object and its description."""
        path = self._path(key)
        with _as_store_error(f"delete {key}"):
            path.unlink(missing_ok=True)
            _description(path).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is not a store key")
        return self._root / key


def _description(path: Path) -> Path:
    """Where an object's metadata lies; no key begins with a dot."""
    return path.with_name(f".{path.name}.json")


def _write_whole(target: Path, source: IO[bytes]) -> None:
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
            sink.flush()
            os.fsync(sink.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _as_store_error(doing: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectMissing(f"cannot {doing}: the store has no such object") from error
    except OSError as error:
        raise StoreUnavailable(
            f"cannot {doing}: {error.strerror}; see that the disk is there and has room"
        ) from error
