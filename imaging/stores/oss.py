"""Aliyun OSS by oss2 (F1, C1): V4 signatures, CRC64 by the library, resumable upload of large packs."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import oss2
import requests

from imaging.errors import ObjectMissing, StoreUnavailable
from imaging.store import StoredObject

T = TypeVar("T")

CONNECT_SECONDS = 10
# Above this, an upload that breaks goes on where it stopped (20 Mbit/s: 8 MB take over three seconds).
RESUMABLE_BYTES = 8 * 2**20
PART_BYTES = 4 * 2**20
META = "x-oss-meta-"
RANGE_NOT_SATISFIABLE = 416


class OssStore:
    """One bucket."""

    name = "oss"

    def __init__(
        self, *, endpoint: str, region: str, bucket: str, key_id: str, key_secret: str, checkpoint_dir: Path
    ) -> None:
        credentials = oss2.credentials.StaticCredentialsProvider(key_id, key_secret)
        self._bucket = oss2.Bucket(
            oss2.ProviderAuthV4(credentials),
            endpoint,
            bucket,
            region=region,
            connect_timeout=CONNECT_SECONDS,
        )
        self._checkpoints = oss2.ResumableStore(root=str(checkpoint_dir))

    def put_file(self, key: str, path: Path, metadata: Mapping[str, str]) -> None:
        """Upload in one part, or resumably when large; oss2 compares the CRC64."""
        headers = {META + name: value for name, value in metadata.items()}
        self._ask(
            key,
            lambda: oss2.resumable_upload(
                self._bucket,
                key,
                str(path),
                store=self._checkpoints,
                headers=headers,
                multipart_threshold=RESUMABLE_BYTES,
                part_size=PART_BYTES,
                num_threads=1,
            ),
        )

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """GET with Range; `standard` because OSS answers the whole object to a range beyond its end."""
        if end <= start:
            return b""
        headers = {"x-oss-range-behavior": "standard"}

        def read() -> bytes:
            try:
                return bytes(
                    self._bucket.get_object(key, byte_range=(start, end - 1), headers=headers).read()
                )
            except oss2.exceptions.ServerError as error:
                if error.status == RANGE_NOT_SATISFIABLE:
                    return b""
                raise

        return self._ask(key, read)

    def head(self, key: str) -> StoredObject:
        """HEAD."""
        found = self._ask(key, lambda: self._bucket.head_object(key))
        metadata = {
            name.lower().removeprefix(META): value
            for name, value in found.headers.items()
            if name.lower().startswith(META)
        }
        return StoredObject(int(found.content_length), metadata)

    def delete(self, key: str) -> None:
        """DELETE; OSS answers 204 for a missing object too."""
        self._ask(key, lambda: self._bucket.delete_object(key))

    def _ask(self, key: str, request: Callable[[], T]) -> T:
        try:
            return request()
        except oss2.exceptions.NoSuchBucket as error:
            raise StoreUnavailable(
                f"OSS has no bucket {self._bucket.bucket_name}: make it, or set CLOUDFILM_OSS_BUCKET"
            ) from error
        except oss2.exceptions.NotFound as error:
            raise ObjectMissing(f"OSS has no object {key}") from error
        # A body that breaks off comes as an error of requests itself.
        except (oss2.exceptions.OssError, requests.RequestException) as error:
            status = getattr(error, "status", "?")
            code = getattr(error, "code", "") or type(error).__name__
            raise StoreUnavailable(f"OSS did not serve {key}: {status} {code}") from error
