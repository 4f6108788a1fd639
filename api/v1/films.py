"""Sealed packs by byte ranges: ciphertext only, opened in the browser's worker (K2, P5▲; decisions 5 and 11).

The object of an id never changes, so its bytes may be kept for ever by the browser that was granted them;
without the pixel key of a manifest they are noise.
"""

from apiflask import APIBlueprint
from flask import Response

from api import guards
from api.ranged_response import ranged_response
from api.request_scope import platform
from workflow import open_film

blueprint = APIBlueprint("v1_films", __name__, url_prefix="/api/v1/film", tag="Films")

CACHE_CONTROL = "private, max-age=31536000, immutable"


@blueprint.get("/packs/<object_id>")
@guards.patient_or_staff
@blueprint.output({}, content_type="application/octet-stream")
@blueprint.doc(responses={206: "The range asked for", 304: "The caller has it already", 416: "No such range"})
def read_pack(object_id: str) -> Response:
    """Bytes of a sealed pack

    `Range: bytes=first-last`, one range; `If-None-Match` and `If-Range` with the object's ETag.
    """
    found = open_film.open_object(platform(), guards.visitor(), object_id)
    return ranged_response(
        found.length, found.read, object_id.lower(), "application/octet-stream", CACHE_CONTROL
    )
