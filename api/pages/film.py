"""The film page (K1, K2): preview and manifest lie in the page, so that it shows before any script runs."""

from pathlib import Path
from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app, make_response, render_template, request

from api import guards, static_files
from api.compressed import gzipped
from api.data_address import jpeg_address, webp_address
from api.request_scope import address, platform
from workflow import open_film
from workflow.open_film import Film

blueprint = APIBlueprint("film", __name__, enable_openapi=False)


@blueprint.get("/exams/<int:exam_id>/film")
@guards.patient_or_staff
def show(exam_id: int) -> Response:
    """The film of one exam, for its patient and for doctors."""
    film = open_film.open_film(platform(), guards.visitor(), exam_id, address())
    page = render_template("film.html", film=film, preview=_preview(film), preload=_preload(film))
    response = make_response(page)
    response.vary.add("Accept")
    return gzipped(response)


def _preview(film: Film) -> str | None:
    """The picture of the first paint: WebP where the browser says that it knows it, else JPEG, which all do."""
    if film.preview is None:
        return None
    if request.accept_mimetypes["image/webp"] and "image/webp" in request.headers.get("Accept", ""):
        return webp_address(film.preview)
    jpeg = open_film.jpeg_preview(film)
    return jpeg_address(jpeg) if jpeg else None


def _preload(film: Film) -> dict[str, list[str]]:
    """Files that the first frame needs: the worker, and the decoder of our own packs when it is one of those."""
    files = static_files.first_files(Path(current_app.static_folder or "") / "dist")
    fetched = list(files["worker"]) if film.manifest["series"] else []
    if any(_is_htj2k(series) for series in film.manifest["series"]):
        fetched += files["htj2k"]
    return {"modules": files["modules"], "fetched": fetched}


def _is_htj2k(series: dict[str, Any]) -> bool:
    return bool(series.get("common", {}).get("codec") == "htj2k")
