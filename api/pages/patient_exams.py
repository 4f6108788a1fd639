"""A patient's exams: the list over the years, one exam with its report, the document (E3, E7–E11)."""

from itertools import groupby

from apiflask import APIBlueprint
from flask import Response, render_template

from api import guards
from api.documents import document_response
from api.pages.presentation import local_year
from api.request_scope import address, platform
from workflow import list_history, open_exam

blueprint = APIBlueprint("patient_exams", __name__, enable_openapi=False)


@blueprint.get("/exams")
@guards.patient
def list_exams() -> str:
    """All exams, newest first, under their years."""
    cards = list_history.list_history(platform(), guards.visitor(), address())
    years = [(year, list(group)) for year, group in groupby(cards, key=lambda card: local_year(card.exam_at))]
    return render_template("patient/exams.html", years=years)


@blueprint.get("/exams/<int:exam_id>")
@guards.patient_or_staff
def show_exam(exam_id: int) -> str:
    """One exam: its facts, what it waits for, its report, the way to its film."""
    visitor = guards.visitor()
    view = open_exam.open_exam(platform(), visitor, exam_id, address())
    return render_template(
        f"{'staff' if visitor.is_staff else 'patient'}/exam.html", view=view, card=view.card
    )


@blueprint.get("/exams/<int:exam_id>/report.pdf")
@guards.patient_or_staff
def read_document(exam_id: int) -> Response:
    """The signed document as it came from RIS."""
    media_type, content = open_exam.read_document(platform(), guards.visitor(), exam_id, address())
    return document_response(media_type, content, f"report-{exam_id}")
