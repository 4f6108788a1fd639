"""The operations of OSS: one signed path-style request in, one answer out, `OssError` for a refusal."""

import base64
import time
from collections.abc import Callable, Iterable, Mapping
from email.utils import formatdate
from pathlib import Path
from urllib.parse import quote

from flask import Response, request

from simulators.oss import listing
from simulators.oss.conditions import is_unchanged, span
from simulators.oss.errors import OssError, invalid_argument
from simulators.oss.objects import (
    Description,
    ObjectShelf,
    Spooled,
    check_key,
    read_blocks,
    spool,
)
from simulators.oss.signature import SignedRequest, Verifier
from simulators.oss.uploads import MOST_PARTS, Uploads, etag_of, joined

_LARGEST_XML = 4 << 20
_BLOCK = 1 << 20
_GIVEN_BACK = ("cache-control", "content-disposition", "content-encoding", "content-language", "expires")
_CLASSES = ("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive")
# Query names that ask for something else than the object or the bucket itself, and are not played here.
_SUBRESOURCES = {
    "acl",
    "append",
    "bucketInfo",
    "cors",
    "delete",
    "lifecycle",
    "restore",
    "stat",
    "symlink",
    "tagging",
    "x-oss-process",
}


class OssService:
    """The operations of OSS on one shelf of buckets."""

    def __init__(
        self, state_dir: Path, verifier: Verifier, region: str, clock: Callable[[], float] = time.time
    ) -> None:
        self.shelf = ObjectShelf(state_dir, clock)
        self._uploads = Uploads(state_dir)
        self._verifier = verifier
        self._region = region

    def answer(self) -> Response:
        """Answer the current Flask request."""
        bucket, _, key = request.path[1:].partition("/")
        query = {name: values[-1] for name, values in request.args.lists()}
        signed = SignedRequest(request.method, bucket, key, _raw_headers(), query)
        self._verifier.verify(signed)
        for name in query.keys() & _SUBRESOURCES:
            raise OssError(501, "NotImplemented", f"This simulator of OSS does not serve ?{name}.")
        if not bucket:
            return _xml(listing.list_buckets(self.shelf.buckets, self._region, request.host))
        if not key:
            return self._answer_bucket(bucket, query)
        check_key(key)
        if "uploads" in query or "uploadId" in query:
            return self._answer_multipart(bucket, key, query)
        return self._answer_object(bucket, key, signed)

    def _answer_bucket(self, bucket: str, query: Mapping[str, str]) -> Response:
        if request.method == "PUT":
            self.shelf.create_bucket(bucket)
            return Response(status=200)
        if request.method == "GET" and "uploads" in query:
            self.shelf.directory(bucket)
            return _xml(listing.list_uploads(bucket, self._uploads.under_way(bucket), query))
        if request.method == "GET":
            return _xml(listing.list_objects(bucket, self.shelf.objects(bucket), query))
        raise _method_not_allowed()

    def _answer_object(self, bucket: str, key: str, signed: SignedRequest) -> Response:
        if request.method == "PUT":
            return self._put(bucket, key)
        if request.method in {"GET", "HEAD"}:
            return self._get(bucket, key, signed.query)
        if request.method == "DELETE":
            self.shelf.delete(bucket, key)
            return Response(status=204)
        raise _method_not_allowed()

    def _put(self, bucket: str, key: str) -> Response:
        description = _describe()
        self._refuse_overwrite(bucket, key)
        spooled = _receive(self.shelf.directory(bucket))
        stored = self.shelf.put(bucket, key, spooled, spooled.md5.hex().upper(), "Normal", description)
        return Response(status=200, headers=_sums(stored.etag, stored.crc64))

    def _refuse_overwrite(self, bucket: str, key: str) -> None:
        if request.headers.get("x-oss-forbid-overwrite") == "true" and self.shelf.has(bucket, key):
            raise OssError(
                409,
                "FileAlreadyExists",
                "The object you specified already exists and can not be overwritten.",
            )

    def _get(self, bucket: str, key: str, query: Mapping[str, str]) -> Response:
        stored, file = self.shelf.open(bucket, key)
        headers = {
            **_sums(stored.etag, stored.crc64),
            "Last-Modified": formatdate(stored.modified_at, usegmt=True),
            "Content-Type": stored.description.content_type,
            "Accept-Ranges": "bytes",
            "x-oss-object-type": stored.kind,
            "x-oss-storage-class": stored.description.storage_class,
            **stored.description.headers,
            **{f"x-oss-meta-{name}": value for name, value in stored.description.metadata.items()},
        }
        for name, value in query.items():
            if name.startswith("response-"):
                headers[name.removeprefix("response-").title()] = value
        asked = request.headers
        status, start, size = 200, 0, stored.size
        try:
            if is_unchanged(stored.etag, asked.get("If-Match"), asked.get("If-None-Match")):
                file.close()
                return Response(status=304, headers=headers)
            is_standard = asked.get("x-oss-range-behavior") == "standard"
            part = span(asked.get("Range"), stored.size, is_standard) if request.method == "GET" else None
        except OssError:
            file.close()
            raise
        if part is not None:
            status, (start, size) = 206, part
            headers["Content-Range"] = f"bytes {start}-{start + size - 1}/{stored.size}"
        headers["Content-Length"] = str(size)
        if request.method == "HEAD":
            file.close()
            return Response(status=200, headers=headers)
        file.seek(start)
        answer = Response(read_blocks(file, size), status=status, headers=headers, direct_passthrough=True)
        answer.call_on_close(file.close)
        return answer

    def _answer_multipart(self, bucket: str, key: str, query: Mapping[str, str]) -> Response:
        if request.method == "POST" and "uploads" in query:
            self.shelf.directory(bucket)
            upload_id = self._uploads.begin(bucket, key, _describe())
            shown = quote(key, safe="~") if query.get("encoding-type") == "url" else key
            parts = [("Bucket", bucket), ("Key", shown), ("UploadId", upload_id)]
            return _xml(
                listing.document("InitiateMultipartUploadResult", *(listing.element(*p) for p in parts))
            )
        upload_id = query.get("uploadId", "")
        if request.method == "PUT":
            number = query.get("partNumber", "")
            if not number.isdigit() or not 1 <= int(number) <= MOST_PARTS:
                raise invalid_argument(f"PartNumber must be between 1 and {MOST_PARTS}.")
            spooled = _receive(self._uploads.directory(upload_id, bucket, key))
            part = self._uploads.keep_part(upload_id, int(number), spooled)
            return Response(status=200, headers=_sums(part.etag, spooled.crc64))
        if request.method == "GET":
            self._uploads.description(upload_id, bucket, key)
            return _xml(listing.list_parts(bucket, key, upload_id, self._uploads.parts(upload_id), query))
        if request.method == "POST":
            return self._complete(bucket, key, upload_id)
        if request.method == "DELETE":
            self._uploads.description(upload_id, bucket, key)
            self._uploads.close(upload_id)
            return Response(status=204)
        raise _method_not_allowed()

    def _complete(self, bucket: str, key: str, upload_id: str) -> Response:
        description = self._uploads.description(upload_id, bucket, key)
        self._refuse_overwrite(bucket, key)
        body = b"".join(_body_blocks(_LARGEST_XML))
        chosen = self._uploads.choose(upload_id, listing.read_part_list(body))
        spooled = spool(joined(chosen), self.shelf.directory(bucket))
        stored = self.shelf.put(bucket, key, spooled, etag_of(chosen), "Multipart", description)
        self._uploads.close(upload_id)
        answer = _xml(
            listing.document(
                "CompleteMultipartUploadResult",
                listing.element("Location", f"{request.host_url}{bucket}/{quote(key)}"),
                listing.element("Bucket", bucket),
                listing.element("Key", key),
                listing.element("ETag", f'"{stored.etag}"'),
            )
        )
        answer.headers.update(_sums(stored.etag, stored.crc64))
        return answer


def _method_not_allowed() -> OssError:
    return OssError(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")


def _raw_headers() -> dict[str, str]:
    pairs: Iterable[tuple[str, str]] = request.environ["simulators.headers"]
    return {name.lower(): value for name, value in pairs}


def _xml(body: bytes) -> Response:
    return Response(body, content_type="application/xml")


def _sums(etag: str, crc64: int) -> dict[str, str]:
    return {"ETag": f'"{etag}"', "x-oss-hash-crc64ecma": str(crc64)}


def _describe() -> Description:
    headers = _raw_headers()
    storage_class = headers.get("x-oss-storage-class", "Standard")
    if storage_class not in _CLASSES:
        raise invalid_argument(f"x-oss-storage-class must be one of {', '.join(_CLASSES)}.")
    start = "x-oss-meta-"
    return Description(
        content_type=headers.get("content-type") or "application/octet-stream",
        headers={name.title(): headers[name] for name in _GIVEN_BACK if name in headers},
        metadata={
            name.removeprefix(start): value for name, value in headers.items() if name.startswith(start)
        },
        storage_class=storage_class,
    )


def _body_blocks(most: int | None = None) -> Iterable[bytes]:
    size = 0
    while block := request.stream.read(_BLOCK):
        size += len(block)
        if most is not None and size > most:
            raise OssError(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size.")
        yield block


def _receive(directory: Path) -> Spooled:
    spooled = spool(_body_blocks(), directory)
    wanted = request.headers.get("Content-MD5")
    if wanted is not None and wanted != base64.b64encode(spooled.md5).decode():
        spooled.path.unlink()
        raise OssError(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
    return spooled
