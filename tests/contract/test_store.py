"""One suite for every adapter of the object store; OSS is the simulator on a real socket with Aliyun's own client."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.sm3 import sm3
from imaging.errors import ObjectMissing, StoreCorrupt, StoreUnavailable
from imaging.store import Store, StoredObject
from imaging.stores.local import LocalStore
from imaging.stores.memory import MemoryStore
from imaging.stores.oss import RESUMABLE_BYTES, OssStore
from imaging.upload import READ_BACK_BYTES, upload_and_verify
from simulators.oss import OssSimulator

pytestmark = pytest.mark.requirement("F1", "C1")

KEY = "packs/ab/ab12cd34.cfs"
CONTENT = random.Random(20261124).randbytes(100_003)
META = {"object-id": "ab12cd34", "kind": "pack"}
KEY_ID, SECRET = "LTAI-test", "secret-of-test"


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[OssSimulator]:
    with OssSimulator(tmp_path / "oss", {KEY_ID: SECRET}, buckets=["films"]) as running:
        yield running


def oss_store(url: str, tmp_path: Path, bucket: str = "films", secret: str = SECRET) -> OssStore:
    return OssStore(
        endpoint=url,
        region="cn-hangzhou",
        bucket=bucket,
        key_id=KEY_ID,
        key_secret=secret,
        checkpoint_dir=tmp_path / "checkpoints",
    )


@pytest.fixture(params=["memory", "local", "oss"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "memory":
        return MemoryStore()
    if request.param == "local":
        return LocalStore(tmp_path / "objects")
    return oss_store(request.getfixturevalue("simulator").url, tmp_path)


def file_of(tmp_path: Path, content: bytes = CONTENT, name: str = "pack.cfs") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_what_was_put_comes_back(store: Store, tmp_path: Path) -> None:
    store.put_file(KEY, file_of(tmp_path), META)
    assert store.get_range(KEY, 0, len(CONTENT)) == CONTENT
    assert store.head(KEY) == StoredObject(len(CONTENT), META)


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 1), (0, 4096), (4095, 8193), (len(CONTENT) - 1, len(CONTENT)), (77, 77), (90_000, 200_000)],
)
def test_ranges_are_half_open_and_end_with_the_object(
    store: Store, tmp_path: Path, start: int, end: int
) -> None:
    store.put_file(KEY, file_of(tmp_path), META)
    assert store.get_range(KEY, start, end) == CONTENT[start:end]


def test_the_same_key_again_replaces(store: Store, tmp_path: Path) -> None:
    store.put_file(KEY, file_of(tmp_path), META)
    store.put_file(KEY, file_of(tmp_path, b"shorter"), {"kind": "other"})
    assert store.get_range(KEY, 0, 100) == b"shorter"
    assert store.head(KEY) == StoredObject(7, {"kind": "other"})


def test_an_empty_object(store: Store, tmp_path: Path) -> None:
    store.put_file(KEY, file_of(tmp_path, b""), {})
    assert store.head(KEY) == StoredObject(0, {})
    assert store.get_range(KEY, 0, 0) == b""


def test_missing_objects(store: Store) -> None:
    with pytest.raises(ObjectMissing, match=KEY):
        store.head(KEY)
    with pytest.raises(ObjectMissing, match=KEY):
        store.get_range(KEY, 0, 10)


def test_delete_twice(store: Store, tmp_path: Path) -> None:
    store.put_file(KEY, file_of(tmp_path), META)
    store.delete(KEY)
    store.delete(KEY)
    with pytest.raises(ObjectMissing):
        store.head(KEY)


def test_a_large_object_in_parts(store: Store, tmp_path: Path) -> None:
    content = random.Random(1).randbytes(RESUMABLE_BYTES + 12_345)
    upload_and_verify(store, KEY, file_of(tmp_path, content), sm3(content).hex(), META)
    assert store.head(KEY) == StoredObject(len(content), META)
    assert store.get_range(KEY, len(content) - 5, len(content)) == content[-5:]


def test_upload_again_sends_nothing(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, digest = file_of(tmp_path), sm3(CONTENT).hex()
    upload_and_verify(store, KEY, path, digest, META)
    sent: list[str] = []
    monkeypatch.setattr(store, "put_file", lambda key, *_: sent.append(key))
    upload_and_verify(store, KEY, path, digest, META)
    assert sent == []


def test_other_bytes_under_the_key_are_found_deleted_and_sent_again(store: Store, tmp_path: Path) -> None:
    """A half-trusted store: right length, right metadata, one bit turned."""
    turned = bytes([CONTENT[0] ^ 1]) + CONTENT[1:]
    store.put_file(KEY, file_of(tmp_path, turned, "turned"), META)
    path, digest = file_of(tmp_path), sm3(CONTENT).hex()
    with pytest.raises(StoreCorrupt, match=KEY):
        upload_and_verify(store, KEY, path, digest, META)
    with pytest.raises(ObjectMissing):
        store.head(KEY)
    upload_and_verify(store, KEY, path, digest, META)
    assert store.get_range(KEY, 0, READ_BACK_BYTES) == CONTENT


def test_oss_away_is_unavailable_for_every_call(simulator: OssSimulator, tmp_path: Path) -> None:
    url = simulator.url
    simulator.stop()
    store = oss_store(url, tmp_path)
    for call in (
        lambda: store.put_file(KEY, file_of(tmp_path), META),
        lambda: store.get_range(KEY, 0, 1),
        lambda: store.head(KEY),
        lambda: store.delete(KEY),
    ):
        with pytest.raises(StoreUnavailable, match=KEY):
            call()


def test_oss_with_a_wrong_secret_is_no_missing_object(simulator: OssSimulator, tmp_path: Path) -> None:
    store = oss_store(simulator.url, tmp_path, secret="another-secret")
    with pytest.raises(StoreUnavailable, match="403") as caught:
        store.get_range(KEY, 0, 1)
    assert "another-secret" not in str(caught.value)


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../x", "packs/../../x", "packs//x", "Packs/x", ".hidden"]
)
def test_local_keys_stay_below_the_root(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="store key"):
        LocalStore(tmp_path / "objects").put_file(key, file_of(tmp_path), META)


def test_local_disk_that_fails_is_unavailable_and_no_missing_object(tmp_path: Path) -> None:
    (tmp_path / "objects").write_bytes(b"a file where the directory should be")
    store = LocalStore(tmp_path / "objects")
    for call in (
        lambda: store.put_file(KEY, file_of(tmp_path), META),
        lambda: store.get_range(KEY, 0, 1),
        lambda: store.head(KEY),
    ):
        with pytest.raises(StoreUnavailable, match=KEY):
            call()
