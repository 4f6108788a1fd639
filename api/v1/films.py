"""Sealed packs by byte ranges: ciphertext only, opened in the browser's worker (K2, P5▲; decisions 5 and 11).

The object of an id never changes, so its bytes may be kept for ever by the browser that was granted them;
without the pixel key of a manifest they are noise.
"""

from collections.abc import Iterator
from itertools import chain

from apiflask import APIBlueprint
from flask import Response, make_response, request

from api import guards
from api.ranges import ByteRange, RangeNotSatisfiable, parse_range
from api.request_scope import platform
from workflow import open_film
from workflow.open_film import FilmObject

blueprint = APIBlueprint("v1_films", __name__, url_prefix="/api/v1/film", tag="Films")

BLOCK_BYTES = 1 << 20
CACHE_CONTROL = "private, max-age=31536000, immutable"


@blueprint.get("/packs/<object_id>")
@guards.patient_or_staff
@blueprint.output({}, content_type="application/octet-stream")
@blueprint.doc(responses={206: "The range asked for", 304: "The caller has it already", 416: "No such range"})
def read_pack(object_id: str) -> Response:
    """Bytes of a sealed pack

    `Range: bytes=first-last`, one range; `If-None-Match` and `If-Range` with the object's ETag.
    """
    film_object = open_film.open_object(platform(), guards.visitor(), object_id)
    etag = f'"{object_id.lower()}"'
    if request.headers.get("Range") is None and request.if_none_match.contains(object_id.lower()):
        return _with_headers(make_response("", 304), etag)
    asked = request.headers.get("Range") if request.headers.get("If-Range", etag) == etag else None
    try:
        part = parse_range(asked, film_object.length)
    except RangeNotSatisfiable:
        refusal = make_response("", 416)
        refusal.headers["Content-Range"] = f"bytes */{film_object.length}"
        return refusal
    span = part or ByteRange(0, film_object.length, film_object.length)
    response = Response(_body(film_object, span), 206 if part else 200, mimetype="application/octet-stream")
    response.content_length = span.size
    if part:
        response.headers["Content-Range"] = part.content_range
    return _with_headers(response, etag)


def _body(film_object: FilmObject, span: ByteRange) -> Iterator[bytes]:
    """Blocks of the range; the first one is read now, so that a store that is away is still an honest 503."""
    if request.method == "HEAD":
        return iter(())
    starts = range(span.start, span.stop, BLOCK_BYTES)
    blocks = (film_object.read(start, min(start + BLOCK_BYTES, span.stop)) for start in starts)
    return chain([next(blocks, b"")], blocks)


def _with_headers(response: Response, etag: str) -> Response:
    response.headers["ETag"] = etag
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = CACHE_CONTROL
    return response
