"""The film for browsers without modules and WebAssembly (IE11): pictures drawn by the server, ES5 in the page (E1).

The film page sends such browsers here by api/static/legacy/go.js. No pixel key leaves the server on this way.
"""

import base64
import math
from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app, render_template, request

from api import guards
from api.data_address import jpeg_address
from api.request_scope import address, platform
from core.errors import Refused
from imaging.pack.pictures import as_jpeg
from imaging.render import MOST_SIDE, Window
from workflow import open_film, render_frame
from workflow.render_frame import Asked, Renderer

blueprint = APIBlueprint("legacy_film", __name__, enable_openapi=False)

# What the page needs to know of frames.
FACTS = (
    *("instance", "frame", "rows", "columns", "samples", "photometric", "center", "width", "unit"),
    *("spacing", "spacing_kind", "pixel_aspect", "regions"),
)
LEAST_SIDE = 64
FARTHEST = 1e7
_WEBP = "data:image/webp;base64,"


@blueprint.get("/exams/<int:exam_id>/film/legacy")
@guards.patient_or_staff
def show(exam_id: int) -> str:
    """The page: series, thumbnails, and what the script must know of each frame."""
    film = open_film.open_film(platform(), guards.visitor(), exam_id, address())
    series = [_series(entry) for entry in film.manifest["series"]]
    data = {"exam": exam_id, "series": series, "first": film.manifest["first"]}
    return render_template("legacy_film.html", film=film, data=data, exam_id=exam_id)


@blueprint.get("/exams/<int:exam_id>/film/render")
@guards.patient_or_staff
def picture(exam_id: int) -> Response:
    """One frame as a JPEG: `series`, `instance`, `frame`, and as wished `center`, `width`, `size` (longer side)."""
    asked = Asked(
        series=request.args.get("series", "")[:64],
        instance=request.args.get("instance", "")[:64],
        frame=_whole("frame", 1, 1, 100_000),
        window=_window(),
        side=_whole("size", 512, LEAST_SIDE, MOST_SIDE),
    )
    content = render_frame.render_frame(platform(), _renderer(), guards.visitor(), exam_id, asked)
    return Response(content, content_type="image/jpeg")


def _renderer() -> Renderer:
    """The one of this application, begun with the first picture."""
    found: Renderer = current_app.extensions.setdefault("cloudfilm_renderer", Renderer())
    return found


def _whole(name: str, usual: int, least: int, most: int) -> int:
    text = request.args.get(name, "")
    if not text:
        return usual
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise Refused(f"{name} is a whole number")
    return max(least, min(most, int(text)))


def _window() -> Window | None:
    if "width" not in request.args:
        return None
    center, width = _number("center"), _number("width")
    if width <= 0:
        raise Refused("width is a number above 0")
    return Window(center, width)


def _number(name: str) -> float:
    try:
        number = float(request.args.get(name, "")[:24])
    except ValueError:
        raise Refused(f"{name} is a number") from None
    if not math.isfinite(number) or abs(number) > FARTHEST:
        raise Refused(f"{name} is a number")
    return number


def _series(entry: dict[str, Any]) -> dict[str, Any]:
    """A series of the film manifest without keys, without what this page does not use, its thumbnail as a JPEG."""
    return {
        "uid": entry["uid"],
        "number": entry["number"],
        "description": entry["description"],
        "modality": entry["modality"],
        "count": entry["count"],
        "prefix": entry["instance_prefix"],
        "common": {name: entry["common"][name] for name in FACTS if name in entry["common"]},
        "columns": {name: entry["columns"][name] for name in FACTS if name in entry["columns"]},
        "thumbnail": _jpeg_of(entry["thumbnail"]),
    }


def _jpeg_of(webp_address: str | None) -> str | None:
    if webp_address is None or not webp_address.startswith(_WEBP):
        return None
    jpeg = as_jpeg(base64.b64decode(webp_address[len(_WEBP) :]))
    return jpeg_address(jpeg) if jpeg else None
