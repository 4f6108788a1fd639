"""Nothing counts as stored before every byte was read back."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from crypto.sm3 import sm3
from imaging import upload
from imaging.errors import ObjectMissing, StoreCorrupt, StoreUnavailable
from imaging.stores.memory import MemoryStore
from imaging.upload import upload_and_verify

pytestmark = pytest.mark.requirement("C1", "H1")

CONTENT = bytes(range(256)) * 40
KEY, METADATA = "packs/ab/ab12", {"kek-version": "1"}


class CountingStore(MemoryStore):
    """Counts uploads; may lose or change what it is given."""

    def __init__(self, damage: str = "") -> None:
        super().__init__()
        self.puts, self.damage = 0, damage

    def put_file(self, key: str, path: Path, metadata: Mapping[str, str]) -> None:
        self.puts += 1
        if self.damage == "away":
            raise StoreUnavailable("away")
        super().put_file(key, path, metadata)
        if self.damage:
            content = self.objects[key][0]
            damaged = {"flip": content[:-1] + b"~", "cut": content[:-1], "more": content + b"!"}[self.damage]
            self.objects[key] = (damaged, dict(metadata))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "pack.cfs"
    path.write_bytes(CONTENT)
    return path


def up(store: CountingStore, path: Path, metadata: Mapping[str, str] = METADATA) -> None:
    upload_and_verify(store, KEY, path, sm3(CONTENT).hex(), metadata)


@pytest.mark.parametrize("piece", [1 << 22, 1000, len(CONTENT)])
def test_it_is_there_and_is_read_back_in_pieces(
    path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(upload, "READ_BACK_BYTES", piece)
    store = CountingStore()
    up(store, path)
    assert store.objects == {KEY: (CONTENT, METADATA)}


def test_what_is_there_is_not_sent_again_but_is_read_again(path: Path) -> None:
    store = CountingStore()
    up(store, path)
    up(store, path)
    assert store.puts == 1
    store.objects[KEY] = (CONTENT[:-1] + b"~", METADATA)
    with pytest.raises(StoreCorrupt):
        up(store, path)


def test_other_metadata_is_sent_again(path: Path) -> None:
    store = CountingStore()
    up(store, path, {"kek-version": "0"})
    up(store, path)
    assert (store.puts, store.objects[KEY][1]) == (2, METADATA)


@pytest.mark.parametrize("damage", ["flip", "cut", "more"])
def test_a_store_that_lies_is_found_and_its_object_deleted(path: Path, damage: str) -> None:
    store = CountingStore(damage)
    with pytest.raises(StoreCorrupt, match="sent again"):
        up(store, path)
    with pytest.raises(ObjectMissing):
        store.head(KEY)
    store.damage = ""
    up(store, path)
    assert store.objects[KEY][0] == CONTENT


def test_a_store_that_is_away_says_so(path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        up(CountingStore("away"), path)
