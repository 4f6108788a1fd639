"""A store on a local disk or NAS mount (H1): atomic, fsynced, metadata in a JSON file beside the object."""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

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
        described = target.with_name(target.name + ".json")
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            described.write_text(json.dumps(dict(metadata), sort_keys=True), encoding="utf-8")
            with path.open("rb") as source, temporary.open("wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
                sink.flush()
                os.fsync(sink.fileno())
            temporary.replace(target)
            fsync_directory(target.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise StoreUnavailable(f"cannot write {key} to {self._root}: {error.strerror}") from error

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Read the range."""
        try:
            with self._path(key).open("rb") as file:
                file.seek(start)
                return file.read(end - start)
        except FileNotFoundError:
            raise ObjectMissing(f"no object {key}") from None
        except OSError as error:
            raise StoreUnavailable(f"cannot read {key} from {self._root}: {error.strerror}") from error

    def head(self, key: str) -> StoredObject:
        """Length and metadata."""
        path = self._path(key)
        try:
            metadata = json.loads(path.with_name(path.name + ".json").read_text(encoding="utf-8"))
            return StoredObject(path.stat().st_size, metadata)
        except FileNotFoundError:
            raise ObjectMissing(f"no object {key}") from None
        except OSError as error:
            raise StoreUnavailable(f"cannot read {key} from {self._root}: {error.strerror}") from error

    def delete(self, key: str) -> None:
        """Remove the object and its description."""
        path = self._path(key)
        path.unlink(missing_ok=True)
        path.with_name(path.name + ".json").unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is not a store key")
        return self._root / key
