"""The film page (K1, K2): preview and manifest lie in the page, so that it shows before any script runs."""

from apiflask import APIBlueprint
from flask import render_template

from api import guards
from api.request_scope import address, platform
from workflow import open_film

blueprint = APIBlueprint("film", __name__, enable_openapi=False)


@blueprint.get("/exams/<int:exam_id>/film")
@guards.patient_or_staff
def show(exam_id: int) -> str:
    """The film of one exam, for its patient and for doctors."""
    film = open_film.open_film(platform(), guards.visitor(), exam_id, address())
    return render_template("film.html", film=film)
