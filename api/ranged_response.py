"""Bytes that are read piece by piece, answered whole or by one range (RFC 9110 §14)."""

from collections.abc import Callable, Iterator
from itertools import chain

from flask import Response, make_response, request

from api.ranges import ByteRange, RangeNotSatisfiable, parse_range

BLOCK_BYTES = 1 << 20


def ranged_response(
    length: int, read: Callable[[int, int], bytes], name: str, media_type: str, cache_control: str
) -> Response:
    """Answer with `length` bytes that `read` (start, end) gives. `name` of the content never changes: it is the ETag."""
    etag = f'"{name}"'
    if request.headers.get("Range") is None and request.if_none_match.contains(name):
        return _with_headers(make_response("", 304), etag, cache_control)
    asked = request.headers.get("Range") if request.headers.get("If-Range", etag) == etag else None
    try:
        part = parse_range(asked, length)
    except RangeNotSatisfiable:
        refusal = make_response("", 416)
        refusal.headers["Content-Range"] = f"bytes */{length}"
        return refusal
    span = part or ByteRange(0, length, length)
    response = Response(_body(read, span), 206 if part else 200, mimetype=media_type)
    response.content_length = span.size
    if part:
        response.headers["Content-Range"] = part.content_range
    return _with_headers(response, etag, cache_control)


def _body(read: Callable[[int, int], bytes], span: ByteRange) -> Iterator[bytes]:
    """Blocks of the range; the first one is read now, so that a store that is away is still an honest 503."""
    if request.method == "HEAD":
        return iter(())
    starts = range(span.start, span.stop, BLOCK_BYTES)
    blocks = (read(start, min(start + BLOCK_BYTES, span.stop)) for start in starts)
    return chain([next(blocks, b"")], blocks)


def _with_headers(response: Response, etag: str, cache_control: str) -> Response:
    response.headers["ETag"] = etag
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = cache_control
    return response
