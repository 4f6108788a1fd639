"""Buckets and objects on disk: `buckets/<bucket>/<digest of the key>.json` names the file with the bytes.

The JSON file is replaced atomically after the bytes are on disk: a crash leaves the old object or the new.
"""

import hashlib
import json
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import crcmod

from simulators.oss.errors import OssError, invalid_argument, no_such_bucket, no_such_key
from simulators.statefiles import write_atomically

# CRC-64 of ECMA-182, reflected, as in x-oss-hash-crc64ecma.
new_crc64: Callable[..., int] = crcmod.mkCrcFun(
    0x142F0E1EBA9EA3693, initCrc=0, rev=True, xorOut=0xFFFFFFFFFFFFFFFF
)

_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Spooled:
    """Bytes that lie in a file of their own and belong to nobody yet."""

    path: Path
    size: int
    md5: bytes
    crc64: int


@dataclass(frozen=True)
class Description:
    """What the writer says about an object: type, headers to give back, user metadata, storage class."""

    content_type: str
    headers: dict[str, str]
    metadata: dict[str, str]
    storage_class: str


@dataclass(frozen=True)
class StoredObject:
    """One object. `etag` without quotes, `crc64` of all bytes, `modified_at` in seconds since 1970."""

    key: str
    file: str
    size: int
    etag: str
    crc64: int
    kind: str
    modified_at: float
    description: Description


def spool(blocks: Iterable[bytes], directory: Path) -> Spooled:
    """Write `blocks` to a new file in `directory`, flushed to the disk."""
    path = directory / f"{secrets.token_hex(16)}.bytes"
    md5, crc, size = hashlib.md5(usedforsecurity=False), 0, 0
    try:
        with path.open("wb") as file:
            for block in blocks:
                file.write(block)
                md5.update(block)
                crc = new_crc64(block, crc)
                size += len(block)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()
        raise
    return Spooled(path, size, md5.digest(), crc)


def read_blocks(file: IO[bytes], size: int) -> Iterable[bytes]:
    """The next `size` bytes of an open file, in blocks."""
    while size > 0:
        block = file.read(min(size, _BLOCK))
        if not block:
            return
        size -= len(block)
        yield block


class ObjectShelf:
    """All buckets of one state directory, with an index in memory."""

    def __init__(self, root: Path, clock: Callable[[], float] = time.time) -> None:
        self._root = root / "buckets"
        self._clock = clock
        self._lock = threading.RLock()
        self._index: dict[str, dict[str, StoredObject]] = {}
        self._root.mkdir(parents=True, exist_ok=True)
        for directory in sorted(self._root.iterdir()):
            self._index[directory.name] = _load(directory)

    @property
    def buckets(self) -> list[str]:
        """The names of all buckets."""
        with self._lock:
            return sorted(self._index)

    def create_bucket(self, bucket: str) -> None:
        """Make a bucket; making it twice is fine. Raises `OssError` 400 for a name that OSS refuses."""
        if not _BUCKET_NAME.fullmatch(bucket):
            raise OssError(400, "InvalidBucketName", "The specified bucket is not valid.", BucketName=bucket)
        with self._lock:
            (self._root / bucket).mkdir(exist_ok=True)
            self._index.setdefault(bucket, {})

    def directory(self, bucket: str) -> Path:
        """Where the bytes of a bucket are spooled. Raises `OssError` 404."""
        self._objects(bucket)
        return self._root / bucket

    def put(
        self, bucket: str, key: str, spooled: Spooled, etag: str, kind: str, description: Description
    ) -> StoredObject:
        """Let `key` be the spooled bytes from now on; what it was before is gone."""
        stored = StoredObject(
            key, spooled.path.name, spooled.size, etag, spooled.crc64, kind, self._clock(), description
        )
        with self._lock:
            objects = self._objects(bucket)
            before = objects.get(key)
            record = json.dumps(asdict(stored), ensure_ascii=False).encode()
            write_atomically(self._record_path(bucket, key), record)
            objects[key] = stored
            if before is not None:
                (self._root / bucket / before.file).unlink()
        return stored

    def find(self, bucket: str, key: str) -> StoredObject:
        """The object. Raises `OssError` 404."""
        with self._lock:
            try:
                return self._objects(bucket)[key]
            except KeyError:
                raise no_such_key(key) from None

    def has(self, bucket: str, key: str) -> bool:
        """Whether the object is there. Raises `OssError` 404 for an unknown bucket."""
        with self._lock:
            return key in self._objects(bucket)

    def open(self, bucket: str, key: str) -> tuple[StoredObject, IO[bytes]]:
        """The object and its bytes, readable even if it is replaced meanwhile. Raises `OssError` 404."""
        with self._lock:
            stored = self.find(bucket, key)
            return stored, (self._root / bucket / stored.file).open("rb")

    def delete(self, bucket: str, key: str) -> None:
        """Forget the object; deleting what is not there is fine."""
        with self._lock:
            stored = self._objects(bucket).pop(key, None)
            if stored is not None:
                self._record_path(bucket, key).unlink()
                (self._root / bucket / stored.file).unlink()

    def objects(self, bucket: str) -> list[StoredObject]:
        """All objects, in the byte order of their keys. Raises `OssError` 404."""
        with self._lock:
            return sorted(self._objects(bucket).values(), key=lambda stored: stored.key.encode())

    def _objects(self, bucket: str) -> dict[str, StoredObject]:
        try:
            return self._index[bucket]
        except KeyError:
            raise no_such_bucket(bucket) from None

    def _record_path(self, bucket: str, key: str) -> Path:
        return self._root / bucket / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


def check_key(key: str) -> None:
    """Raises `OssError` 400 for an object name that OSS refuses."""
    if not 1 <= len(key.encode()) <= 1023 or key[0] in "/\\":
        raise OssError(400, "InvalidObjectName", "The specified object is not valid.", ObjectName=key)
    if "\ufffd" in key:
        raise invalid_argument("The object name is not UTF-8.")


def _load(directory: Path) -> dict[str, StoredObject]:
    objects = {}
    for path in directory.glob("*.json"):
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        description = Description(**record.pop("description"))
        objects[record["key"]] = StoredObject(**record, description=description)
    named = {stored.file for stored in objects.values()}
    for path in directory.iterdir():
        # Bytes that were being received when the process died.
        if path.suffix in {".bytes", ".draft"} and path.name not in named:
            path.unlink()
    return objects
