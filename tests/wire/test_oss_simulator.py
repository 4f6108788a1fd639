"""The OSS simulator against Aliyun's own client library, oss2, over real sockets."""

import json
import random
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import oss2
import pytest
from oss2.credentials import StaticCredentialsProvider

from simulators.oss import OssSimulator

REGION = "cn-hangzhou"
KEYS = {"LTAI-test": "secret-of-test"}
PAYLOAD = random.Random(20190601).randbytes(700_000)

pytestmark = pytest.mark.requirement("F1")


@pytest.fixture
def oss(tmp_path: Path) -> Iterator[OssSimulator]:
    with OssSimulator(tmp_path / "oss", KEYS, buckets=["films"], region=REGION) as simulator:
        yield simulator


def auth(version: str, secret: str = KEYS["LTAI-test"], key_id: str = "LTAI-test") -> object:
    if version == "v1":
        return oss2.Auth(key_id, secret)
    return oss2.ProviderAuthV4(StaticCredentialsProvider(key_id, secret))


def bucket_of(simulator: OssSimulator, version: str = "v4", **other: str) -> oss2.Bucket:
    region = other.pop("region", REGION)
    return oss2.Bucket(auth(version, **other), simulator.url, "films", region=region)


@pytest.fixture(params=["v1", "v4"])
def bucket(request: pytest.FixtureRequest, oss: OssSimulator) -> oss2.Bucket:
    return bucket_of(oss, request.param)


def test_object_comes_back_with_its_sums_and_metadata(bucket: oss2.Bucket) -> None:
    headers = {"x-oss-meta-sealed_by": "sm4", "Content-Type": "application/zip", "Cache-Control": "private"}
    put = bucket.put_object("2024/珅東/片 1+2.zip", PAYLOAD, headers=headers)
    got = bucket.get_object("2024/珅東/片 1+2.zip")
    assert got.read() == PAYLOAD
    assert got.server_crc == got.client_crc == put.crc
    head = bucket.head_object("2024/珅東/片 1+2.zip")
    assert (head.content_length, head.etag, head.content_type) == (len(PAYLOAD), put.etag, "application/zip")
    assert head.headers["x-oss-meta-sealed_by"] == "sm4"
    assert head.headers["Cache-Control"] == "private"


@pytest.mark.parametrize(
    ("byte_range", "expected"),
    [((0, 99), PAYLOAD[:100]), ((699_990, None), PAYLOAD[-10:]), ((None, 7), PAYLOAD[-7:])],
)
def test_range(bucket: oss2.Bucket, byte_range: tuple[int | None, int | None], expected: bytes) -> None:
    bucket.put_object("pack", PAYLOAD)
    got = bucket.get_object("pack", byte_range=byte_range)
    assert (got.status, got.read()) == (206, expected)
    assert got.headers["Content-Range"].endswith("/700000")


def test_range_over_the_end_is_the_whole_object_unless_standard(bucket: oss2.Bucket) -> None:
    bucket.put_object("pack", b"0123456789")
    over = bucket.get_object("pack", byte_range=(5, 20))
    assert (over.status, over.read()) == (200, b"0123456789")
    standard = {"x-oss-range-behavior": "standard"}
    cut = bucket.get_object("pack", byte_range=(5, 20), headers=standard)
    assert (cut.status, cut.read()) == (206, b"56789")
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        bucket.get_object("pack", byte_range=(10, 20), headers=standard)
    assert (refused.value.status, refused.value.code) == (416, "InvalidRange")


def test_missing_object_is_told_apart(bucket: oss2.Bucket) -> None:
    with pytest.raises(oss2.exceptions.NoSuchKey):
        bucket.get_object("nothing")
    with pytest.raises(oss2.exceptions.NotFound):
        bucket.head_object("nothing")
    assert not bucket.object_exists("nothing")
    assert bucket.delete_object("nothing").status == 204


def test_delete_and_overwrite(bucket: oss2.Bucket) -> None:
    bucket.put_object("pack", b"first")
    bucket.put_object("pack", b"second")
    assert bucket.get_object("pack").read() == b"second"
    with pytest.raises(oss2.exceptions.ServerError, match="FileAlreadyExists"):
        bucket.put_object("pack", b"third", headers={"x-oss-forbid-overwrite": "true"})
    bucket.delete_object("pack")
    assert not bucket.object_exists("pack")


def test_chunked_upload_of_unknown_length(bucket: oss2.Bucket) -> None:
    bucket.put_object("stream", iter([PAYLOAD[:1000], PAYLOAD[1000:]]))
    assert bucket.get_object("stream").read() == PAYLOAD


def test_list_in_pages_and_folders(bucket: oss2.Bucket) -> None:
    for name in ("a/1", "a/2", "b/x/1", "b/y", "中 c"):
        bucket.put_object(name, name.encode())
    assert [o.key for o in oss2.ObjectIterator(bucket, max_keys=2)] == ["a/1", "a/2", "b/x/1", "b/y", "中 c"]
    assert [o.key for o in oss2.ObjectIteratorV2(bucket, prefix="b/", max_keys=1)] == ["b/x/1", "b/y"]
    top = bucket.list_objects(delimiter="/")
    assert top.prefix_list == ["a/", "b/"]
    assert [o.key for o in top.object_list] == ["中 c"]


def test_resumable_upload_continues_where_it_broke(bucket: oss2.Bucket, tmp_path: Path) -> None:
    source = tmp_path / "pack.zip"
    source.write_bytes(PAYLOAD)
    sent: list[int] = []

    class LineBrokeError(Exception):
        pass

    def progress(consumed: int, _total: int) -> None:
        sent.append(consumed)
        if len(sent) == 4:
            raise LineBrokeError

    def upload(callback: object = None) -> object:
        store = oss2.ResumableStore(root=str(tmp_path / "resume"))
        return oss2.resumable_upload(
            bucket,
            "big",
            str(source),
            store=store,
            multipart_threshold=1,
            part_size=102_400,
            num_threads=1,
            progress_callback=callback,
            headers={"x-oss-storage-class": "IA"},
        )

    with pytest.raises(LineBrokeError):
        upload(progress)
    upload_id = next(iter(oss2.MultipartUploadIterator(bucket))).upload_id
    assert len(bucket.list_parts("big", upload_id).parts) == 3
    upload()
    head = bucket.head_object("big")
    assert head.headers["x-oss-storage-class"] == "IA"
    assert head.etag.endswith("-7")
    assert bucket.get_object("big").read() == PAYLOAD


def test_complete_checks_the_parts(bucket: oss2.Bucket) -> None:
    upload_id = bucket.init_multipart_upload("big").upload_id
    etags = [bucket.upload_part("big", upload_id, n, b"x" * 10).etag for n in (1, 2)]
    parts = [oss2.models.PartInfo(n, etag) for n, etag in enumerate(etags, start=1)]
    for wrong, code in (
        (parts, "EntityTooSmall"),
        ([oss2.models.PartInfo(1, "0" * 32)], "InvalidPart"),
        (parts[::-1], "InvalidPartOrder"),
    ):
        # oss2 sorts the parts, so the request is written here.
        body = "".join(
            f"<Part><PartNumber>{p.part_number}</PartNumber><ETag>{p.etag}</ETag></Part>" for p in wrong
        )
        with pytest.raises(oss2.exceptions.ServerError) as refused:
            bucket._Bucket__do_object(
                "POST",
                "big",
                params={"uploadId": upload_id},
                data=f"<CompleteMultipartUpload>{body}</CompleteMultipartUpload>",
            )
        assert (refused.value.status, refused.value.code) == (400, code)
    bucket.abort_multipart_upload("big", upload_id)
    with pytest.raises(oss2.exceptions.NoSuchUpload):
        bucket.list_parts("big", upload_id)


def test_entity_bomb_in_a_body_is_refused(bucket: oss2.Bucket) -> None:
    upload_id = bucket.init_multipart_upload("big").upload_id
    bomb = (
        '<!DOCTYPE x [<!ENTITY a "aaaa">]><CompleteMultipartUpload><Part>&a;</Part></CompleteMultipartUpload>'
    )
    with pytest.raises(oss2.exceptions.ServerError, match="MalformedXML"):
        bucket._Bucket__do_object("POST", "big", params={"uploadId": upload_id}, data=bomb)


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_wrong_secret_and_unknown_key_are_refused(oss: OssSimulator, version: str) -> None:
    with pytest.raises(oss2.exceptions.SignatureDoesNotMatch) as refused:
        bucket_of(oss, version, secret="wrong").put_object("pack", b"x")
    assert refused.value.status == 403
    assert "StringToSign" in refused.value.details
    with pytest.raises(oss2.exceptions.ServerError, match="InvalidAccessKeyId"):
        bucket_of(oss, version, key_id="nobody").put_object("pack", b"x")
    assert get(oss.url + "/films/pack").status == 403


def test_wrong_region_is_refused(oss: OssSimulator) -> None:
    with pytest.raises(oss2.exceptions.ServerError, match="InvalidArgument"):
        bucket_of(oss, "v4", region="cn-beijing").put_object("pack", b"x")


def test_signed_header_cannot_be_changed_on_the_way(oss: OssSimulator, bucket: oss2.Bucket) -> None:
    headers = {"x-oss-meta-tier": "hot", "Content-Type": "application/zip"}
    url = bucket.sign_url("PUT", "pack", 60, headers=headers)
    assert get(url, method="PUT", data=b"x", headers=headers | {"x-oss-meta-tier": "cold"}).status == 403
    assert get(url, method="PUT", data=b"x", headers=headers).status == 200


def test_signed_url_serves_a_range_until_it_expires(tmp_path: Path) -> None:
    moment = SimpleNamespace(late=0.0)

    for version in ("v1", "v4"):
        with OssSimulator(
            tmp_path / version, KEYS, buckets=["films"], clock=lambda: time.time() + moment.late
        ) as oss:
            moment.late = 0.0
            bucket = bucket_of(oss, version)
            bucket.put_object("片/pack 1", PAYLOAD)
            url = bucket.sign_url("GET", "片/pack 1", 60, slash_safe=True)
            headers = {"Range": "bytes=10-19", "Origin": "http://127.0.0.1:1"}
            answer = get(url, headers=headers)
            assert (answer.status, answer.body) == (206, PAYLOAD[10:20])
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert get(url.replace("pack%201", "pack%202")).status == 403
            assert get(url, method="HEAD").status == 403
            moment.late = 61.0
            expired = get(url)
            assert expired.status == 403
            assert b"Request has expired." in expired.body
            moment.late = 901.0
            with pytest.raises(oss2.exceptions.ServerError, match="RequestTimeTooSkewed"):
                bucket.put_object("pack", b"x")


def test_down_for_a_while_and_healed(oss: OssSimulator, bucket: oss2.Bucket) -> None:
    bucket.put_object("pack", b"kept")
    assert get(oss.url + "/_sim/down?on", method="POST").status == 200
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        bucket.get_object("pack")
    assert (refused.value.status, refused.value.code) == (503, "ServiceUnavailable")
    get(oss.url + "/_sim/down?off", method="POST")
    assert bucket.get_object("pack").read() == b"kept"


def test_restart_keeps_objects_and_uploads(tmp_path: Path) -> None:
    state = tmp_path / "oss"
    with OssSimulator(state, KEYS, buckets=["films"]) as first:
        bucket = bucket_of(first)
        bucket.put_object("pack", PAYLOAD, headers={"x-oss-meta-sm3": "ab"})
        upload_id = bucket.init_multipart_upload("big").upload_id
        part = bucket.upload_part("big", upload_id, 1, PAYLOAD)
    torn = state / "buckets" / "films" / "half.bytes"
    torn.write_bytes(b"received when the power went")
    with OssSimulator(state, KEYS) as second:
        bucket = bucket_of(second)
        assert bucket.get_object("pack").read() == PAYLOAD
        bucket.complete_multipart_upload("big", upload_id, [oss2.models.PartInfo(1, part.etag)])
        rows = json.loads(get(second.url + "/_sim/objects").body)["objects"]
        assert [(row["key"], row["size"]) for row in rows] == [("big", 700_000), ("pack", 700_000)]
        assert rows[1]["metadata"] == {"sm3": "ab"}
    assert not torn.exists()


def test_create_and_list_buckets(oss: OssSimulator) -> None:
    bucket = oss2.Bucket(auth("v4"), oss.url, "teaching", region=REGION)
    with pytest.raises(oss2.exceptions.NoSuchBucket):
        bucket.put_object("pack", b"x")
    bucket.create_bucket()
    bucket.put_object("pack", b"x")
    service = oss2.Service(auth("v4"), oss.url, region=REGION)
    assert [b.name for b in service.list_buckets().buckets] == ["films", "teaching"]


def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="loopback only"):
        OssSimulator(tmp_path, KEYS, host="0.0.0.0")


def get(
    url: str, method: str = "GET", data: bytes | None = None, headers: dict[str, str] | None = None
) -> SimpleNamespace:
    request = urllib.request.Request(url, method=method, data=data, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return SimpleNamespace(status=answer.status, body=answer.read(), headers=answer.headers)
    except urllib.error.HTTPError as error:
        return SimpleNamespace(status=error.code, body=error.read(), headers=error.headers)
