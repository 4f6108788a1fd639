"""One suite for every object store: memory, local disk, and Aliyun OSS by its own client against the loopback OSS."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import Unavailable
from crypto.sm3 import sm3
from imaging.errors import ObjectMissing, StoreUnavailable
from imaging.store import Store
from imaging.stores import oss as oss_module
from imaging.stores.local import LocalStore
from imaging.stores.memory import MemoryStore
from imaging.stores.oss import OssStore
from imaging.upload import upload_and_verify
from simulators.oss import OssSimulator

KEY = "packs/ab/ab12cd"
METADATA = {"object-id": "ab12cd", "wrapped-key": "00" * 60, "kek-version": "1"}
CONTENT = bytes(range(256)) * 1000

pytestmark = pytest.mark.requirement("F1", "C1", "D1")


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[OssSimulator]:
    with OssSimulator(tmp_path / "oss", {"id-of-test": "secret"}, buckets=["films"]) as running:
        yield running


def oss_store(
    simulator: OssSimulator, checkpoints: Path, bucket: str = "films", secret: str = "secret"
) -> OssStore:
    return OssStore(
        endpoint=simulator.url, region="cn-hangzhou", bucket=bucket, key_id="id-of-test", key_secret=secret,
        checkpoint_dir=checkpoints,
    )  # fmt: skip


@pytest.fixture(params=["memory", "local", "oss"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "memory":
        return MemoryStore()
    if request.param == "local":
        return LocalStore(tmp_path / "store")
    return oss_store(request.getfixturevalue("simulator"), tmp_path / "uploads")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "pack.cfs"
    path.write_bytes(CONTENT)
    return path


def test_an_object_comes_back_with_its_metadata(store: Store, path: Path) -> None:
    store.put_file(KEY, path, METADATA)
    found = store.head(KEY)
    assert (found.length, dict(found.metadata)) == (len(CONTENT), METADATA)
    assert store.get_range(KEY, 0, len(CONTENT)) == CONTENT


@pytest.mark.parametrize(
    ("start", "end"), [(0, 1), (5, 4101), (len(CONTENT) - 1, len(CONTENT)), (len(CONTENT) - 9, len(CONTENT) + 50),
                       (len(CONTENT), len(CONTENT) + 9), (len(CONTENT) + 7, len(CONTENT) + 9), (70, 70), (9, 3)]
)  # fmt: skip
def test_a_range_is_half_open_and_shorter_at_the_end(store: Store, path: Path, start: int, end: int) -> None:
    store.put_file(KEY, path, METADATA)
    assert store.get_range(KEY, start, end) == CONTENT[start : max(start, end)]


def test_put_again_replaces(store: Store, path: Path) -> None:
    store.put_file(KEY, path, METADATA)
    path.write_bytes(b"other")
    store.put_file(KEY, path, {"kek-version": "2"})
    assert store.get_range(KEY, 0, 100) == b"other"
    assert dict(store.head(KEY).metadata) == {"kek-version": "2"}


def test_an_empty_file_is_an_object(store: Store, path: Path) -> None:
    path.write_bytes(b"")
    store.put_file(KEY, path, {})
    assert (store.head(KEY).length, store.get_range(KEY, 0, 10)) == (0, b"")


def test_what_is_not_there_is_missing(store: Store) -> None:
    with pytest.raises(ObjectMissing):
        store.head(KEY)
    with pytest.raises(ObjectMissing):
        store.get_range(KEY, 0, 10)


def test_deleting_twice_is_deleting(store: Store, path: Path) -> None:
    store.put_file(KEY, path, METADATA)
    store.delete(KEY)
    store.delete(KEY)
    with pytest.raises(ObjectMissing):
        store.head(KEY)


def test_keys_do_not_meet(store: Store, path: Path) -> None:
    store.put_file(KEY, path, METADATA)
    path.write_bytes(b"beside")
    for other in (KEY + ".json", KEY + ".part", KEY[:-1]):
        store.put_file(other, path, {})
    assert store.get_range(KEY, 0, len(CONTENT)) == CONTENT
    assert dict(store.head(KEY).metadata) == METADATA


def test_upload_is_verified_through_it(store: Store, path: Path) -> None:
    upload_and_verify(store, KEY, path, sm3(CONTENT).hex(), METADATA)
    assert store.head(KEY).length == len(CONTENT)


@pytest.mark.parametrize(
    "key", ["../outside", "/etc/passwd", "packs/../../x", "", "packs//x", ".hidden", "a\0b"]
)
def test_no_key_leads_out_of_a_local_store(tmp_path: Path, path: Path, key: str) -> None:
    local = LocalStore(tmp_path / "store")
    with pytest.raises(ValueError, match="not a store key"):
        local.put_file(key, path, {})
    with pytest.raises(ValueError, match="not a store key"):
        local.get_range(key, 0, 1)


def test_a_local_disk_that_is_away_may_come_back(tmp_path: Path, path: Path) -> None:
    (tmp_path / "store").write_bytes(b"not a folder: nothing is mounted here")
    with pytest.raises(Unavailable, match="disk"):
        LocalStore(tmp_path / "store").put_file(KEY, path, METADATA)


def test_a_put_that_fails_leaves_the_object_before_it(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = LocalStore(tmp_path / "store")
    local.put_file(KEY, path, METADATA)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(StoreUnavailable, match="No space left"):
        local.put_file(KEY, path, {})
    assert (local.get_range(KEY, 0, len(CONTENT)), dict(local.head(KEY).metadata)) == (CONTENT, METADATA)
    assert len(list((tmp_path / "store").rglob("*.part"))) == 0


def test_oss_away_wrong_key_or_no_bucket_is_unavailable(
    simulator: OssSimulator, tmp_path: Path, path: Path
) -> None:
    with pytest.raises(StoreUnavailable, match="SignatureDoesNotMatch"):
        oss_store(simulator, tmp_path / "uploads", secret="wrong").put_file(KEY, path, METADATA)
    with pytest.raises(StoreUnavailable, match="no bucket nowhere"):
        oss_store(simulator, tmp_path / "uploads", bucket="nowhere").get_range(KEY, 0, 1)
    good = oss_store(simulator, tmp_path / "uploads")
    simulator.outage.down()
    for ask in (
        lambda: good.put_file(KEY, path, METADATA),
        lambda: good.head(KEY),
        lambda: good.get_range(KEY, 0, 1),
    ):
        with pytest.raises(StoreUnavailable, match="503"):
            ask()
    simulator.outage.up()
    good.put_file(KEY, path, METADATA)
    assert good.head(KEY).length == len(CONTENT)


def test_a_large_upload_that_broke_off_goes_on_where_it_was(
    simulator: OssSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oss_module, "RESUMABLE_BYTES", 100_000)
    monkeypatch.setattr(oss_module, "PART_BYTES", 100 * 1024)
    path = tmp_path / "large.cfs"
    path.write_bytes(CONTENT * 2)
    sent: list[int] = []
    upload_part = oss_module.oss2.Bucket.upload_part

    def breaks_at_the_third(
        self: object, key: str, upload_id: str, part_number: int, *rest: object, **more: object
    ) -> object:
        if part_number == 3 and 3 not in sent:
            sent.append(3)
            raise oss_module.oss2.exceptions.RequestError(ConnectionError("cut"))
        sent.append(part_number)
        return upload_part(self, key, upload_id, part_number, *rest, **more)

    monkeypatch.setattr(oss_module.oss2.Bucket, "upload_part", breaks_at_the_third)
    with pytest.raises(StoreUnavailable):
        oss_store(simulator, tmp_path / "uploads").put_file(KEY, path, METADATA)
    oss_store(simulator, tmp_path / "uploads").put_file(KEY, path, METADATA)
    assert sent == [1, 2, 3, 3, 4, 5]
    again = oss_store(simulator, tmp_path / "uploads")
    assert again.get_range(KEY, 0, len(CONTENT) * 2) == CONTENT * 2
    assert dict(again.head(KEY).metadata) == METADATA
