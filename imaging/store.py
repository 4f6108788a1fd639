"""The port of the object store (F1): five calls that a disk, Aliyun OSS or S3 can all keep."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class StoredObject:
    """What the store says of an object; metadata keys are lower case."""

    length: int
    metadata: Mapping[str, str] = field(default_factory=dict)


class Store(Protocol):
    """Keys are ours (`packs/ab/ab12…`), ASCII. Errors: imaging.errors.StoreUnavailable, ObjectMissing."""

    name: str

    def put_file(self, key: str, path: Path, metadata: Mapping[str, str]) -> None:
        """Store the file under `key`, whole or not at all; the same key again replaces it."""

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Bytes [start, end) of the object; shorter at its end."""

    def head(self, key: str) -> StoredObject:
        """Length and metadata."""

    def delete(self, key: str) -> None:
        """Delete; one that is gone already is no error."""
