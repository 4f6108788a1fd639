"""A store in memory, for tests."""

from collections.abc import Mapping
from pathlib import Path

from imaging.errors import ObjectMissing
from imaging.store import StoredObject


class MemoryStore:
    """Keeps objects in a dict."""

    name = "memory"

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, dict[str, str]]] = {}

    def put_file(self, key: str, path: Path, metadata: Mapping[str, str]) -> None:
        """Keep the file's bytes."""
        self.objects[key] = (path.read_bytes(), dict(metadata))

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Slice."""
        return self._get(key)[0][start : max(start, end)]

    def head(self, key: str) -> StoredObject:
        """Length and metadata."""
        content, metadata = self._get(key)
        return StoredObject(len(content), metadata)

    def delete(self, key: str) -> None:
        """Forget."""
        self.objects.pop(key, None)

    def _get(self, key: str) -> tuple[bytes, dict[str, str]]:
        if key not in self.objects:
            raise ObjectMissing(f"no object {key}")
        return self.objects[key]
