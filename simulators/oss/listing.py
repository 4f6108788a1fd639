"""The XML that OSS answers with (lists of buckets, objects and parts), and the one that it reads."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote
from xml.etree.ElementTree import ParseError
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException, ElementTree

from simulators.oss.errors import OssError, invalid_argument
from simulators.oss.objects import StoredObject
from simulators.oss.uploads import MOST_PARTS, Part, Upload

_MOST_KEYS = 1000


def element(name: str, value: object) -> str:
    """One XML element with escaped text."""
    return f"<{name}>{escape(str(value))}</{name}>"


def document(root: str, *parts: str) -> bytes:
    """A whole XML document."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>{"".join(parts)}</{root}>'.encode()


def list_objects(bucket: str, objects: Iterable[StoredObject], query: Mapping[str, str]) -> bytes:
    """The answer of ListObjects, or of ListObjectsV2 when the query has `list-type=2`.

    Knows prefix, delimiter, marker / start-after / continuation-token, max-keys and encoding-type=url.
    """
    is_v2 = query.get("list-type") == "2"
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    if is_v2:
        after = query.get("continuation-token") or query.get("start-after", "")
    else:
        after = query.get("marker", "")
    limit = _limit(query.get("max-keys") or "100", _MOST_KEYS)
    is_encoded = query.get("encoding-type") == "url"

    def name(text: str) -> str:
        return quote(text, safe="~") if is_encoded else text

    rows: list[str] = []
    last, is_truncated = "", False
    groups: set[str] = set()
    for stored in objects:
        if not stored.key.startswith(prefix):
            continue
        cut = stored.key.find(delimiter, len(prefix)) if delimiter else -1
        entry = stored.key if cut < 0 else stored.key[: cut + len(delimiter)]
        if entry in groups or entry.encode() <= after.encode():
            continue
        if len(rows) == limit:
            is_truncated = True
            break
        if cut < 0:
            rows.append(_contents(stored, name(stored.key)))
        else:
            groups.add(entry)
            rows.append(f"<CommonPrefixes>{element('Prefix', name(entry))}</CommonPrefixes>")
        last = entry

    head = [
        element("Name", bucket),
        element("Prefix", name(prefix)),
        element("MaxKeys", limit),
        element("Delimiter", name(delimiter)),
        element("IsTruncated", str(is_truncated).lower()),
    ]
    if is_encoded:
        head.append(element("EncodingType", "url"))
    if is_v2:
        head.append(element("KeyCount", len(rows)))
    if is_truncated:
        head.append(element("NextContinuationToken" if is_v2 else "NextMarker", name(last)))
    return document("ListBucketResult", *head, *rows)


def list_buckets(buckets: Iterable[str], region: str, endpoint: str) -> bytes:
    """The answer of ListBuckets (GetService)."""
    rows = "".join(
        f"<Bucket>{element('Name', name)}{element('Location', f'oss-{region}')}"
        f"{element('CreationDate', iso(0))}{element('StorageClass', 'Standard')}"
        f"{element('ExtranetEndpoint', endpoint)}{element('IntranetEndpoint', endpoint)}</Bucket>"
        for name in buckets
    )
    return document("ListAllMyBucketsResult", f"<Buckets>{rows}</Buckets>")


def list_uploads(bucket: str, uploads: Iterable[Upload], query: Mapping[str, str]) -> bytes:
    """The answer of ListMultipartUploads, always in one page; with prefix and encoding-type=url."""
    is_encoded = query.get("encoding-type") == "url"
    rows = "".join(
        f"<Upload>{element('Key', quote(upload.key, safe='~') if is_encoded else upload.key)}"
        f"{element('UploadId', upload.upload_id)}{element('Initiated', iso(upload.begun_at))}</Upload>"
        for upload in uploads
        if upload.key.startswith(query.get("prefix", ""))
    )
    return document(
        "ListMultipartUploadsResult",
        element("Bucket", bucket),
        element("EncodingType", "url") if is_encoded else "",
        element("NextKeyMarker", ""),
        element("NextUploadIdMarker", ""),
        element("IsTruncated", "false"),
        rows,
    )


def list_parts(bucket: str, key: str, upload_id: str, parts: list[Part], query: Mapping[str, str]) -> bytes:
    """The answer of ListParts, with part-number-marker, max-parts and encoding-type=url."""
    after = _limit(query.get("part-number-marker") or "0", MOST_PARTS, least=0)
    limit = _limit(query.get("max-parts") or str(_MOST_KEYS), _MOST_KEYS)
    rest = [part for part in parts if part.number > after]
    page = rest[:limit]
    rows = "".join(
        f"<Part>{element('PartNumber', part.number)}{element('LastModified', iso(part.path.stat().st_mtime))}"
        f"{_etag(part.etag)}{element('Size', part.size)}</Part>"
        for part in page
    )
    return document(
        "ListPartsResult",
        element("Bucket", bucket),
        element("Key", quote(key, safe="~") if query.get("encoding-type") == "url" else key),
        element("UploadId", upload_id),
        element("NextPartNumberMarker", page[-1].number if page else after),
        element("MaxParts", limit),
        element("IsTruncated", str(len(page) < len(rest)).lower()),
        rows,
    )


def read_part_list(body: bytes) -> list[tuple[int, str]]:
    """The (number, etag) pairs of a CompleteMultipartUpload body. Raises `OssError` 400 for anything else."""
    try:
        root = ElementTree.fromstring(body, forbid_dtd=True)
        return [
            (int(node.findtext("PartNumber", "")), node.findtext("ETag", "").strip())
            for node in root.iter("Part")
        ]
    except (ParseError, DefusedXmlException, ValueError):
        raise OssError(400, "MalformedXML", "The XML you provided was not well-formed.") from None


def iso(moment: float) -> str:
    """Seconds since 1970 in the form of OSS lists."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _contents(stored: StoredObject, name: str) -> str:
    return (
        f"<Contents>{element('Key', name)}{element('LastModified', iso(stored.modified_at))}"
        f"{_etag(stored.etag)}{element('Type', stored.kind)}{element('Size', stored.size)}"
        f"{element('StorageClass', stored.description.storage_class)}</Contents>"
    )


def _etag(etag: str) -> str:
    return element("ETag", f'"{etag}"')


def _limit(text: str, most: int, least: int = 1) -> int:
    if not text.isdigit() or not least <= int(text) <= most:
        raise invalid_argument(f"The limit must be between {least} and {most}.")
    return int(text)
