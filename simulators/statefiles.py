"""What a simulator remembers over a SIGKILL: a JSON document replaced atomically, or a journal of lines."""

import json
import os
import threading
from pathlib import Path
from typing import Any


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content`: readers and crashes see the old bytes or the new ones, never a mixture."""
    draft = path.with_name(f"{path.name}.{threading.get_ident()}.draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


class Document:
    """A JSON object on disk. The owner holds `lock` while it changes `values` and calls `save`."""

    def __init__(self, path: Path, initial: dict[str, Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self.lock = threading.RLock()
        self.values: dict[str, Any] = initial
        if path.exists():
            self.values = initial | json.loads(path.read_text(encoding="utf-8"))

    def save(self) -> None:
        """Write the values."""
        write_atomically(self._path, json.dumps(self.values, ensure_ascii=False, indent=1).encode())


class Journal:
    """An append-only list of JSON objects, one per line. A last line torn by a crash is cut off at start."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = threading.Lock()
        kept = path.read_bytes() if path.exists() else b""
        whole = kept[: kept.rfind(b"\n") + 1]
        if len(whole) != len(kept):
            write_atomically(path, whole)
        self._entries: list[dict[str, Any]] = [json.loads(line) for line in whole.splitlines()]

    def append(self, entry: dict[str, Any]) -> None:
        """Add one entry; it is on disk when this returns."""
        line = json.dumps(entry, ensure_ascii=False).encode() + b"\n"
        with self._lock:
            with self._path.open("ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            self._entries.append(entry)

    def entries(self) -> list[dict[str, Any]]:
        """All entries, oldest first."""
        with self._lock:
            return list(self._entries)
