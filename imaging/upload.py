"""Bring a file into the store and prove that it is there: read every byte back and compare (C1, decision 2)."""

from collections.abc import Mapping
from pathlib import Path

from crypto.sm3 import Sm3
from imaging.errors import ObjectMissing, StoreCorrupt
from imaging.store import Store

READ_BACK_BYTES = 4 * 2**20


def upload_and_verify(store: Store, key: str, path: Path, sm3_hex: str, metadata: Mapping[str, str]) -> None:
    """Put `path` under `key` unless it is there already, then read it back. Raises `StoreCorrupt` when it differs."""
    length = path.stat().st_size
    if not _is_there(store, key, length, metadata):
        store.put_file(key, path, metadata)
    digest = Sm3()
    for start in range(0, length, READ_BACK_BYTES):
        digest.update(store.get_range(key, start, min(start + READ_BACK_BYTES, length)))
    if digest.hexdigest() != sm3_hex or store.head(key).length != length:
        store.delete(key)
        raise StoreCorrupt(f"{store.name} gives back other bytes for {key}; it was deleted and is sent again")


def _is_there(store: Store, key: str, length: int, metadata: Mapping[str, str]) -> bool:
    try:
        found = store.head(key)
    except ObjectMissing:
        return False
    return found.length == length and dict(found.metadata) == dict(metadata)
