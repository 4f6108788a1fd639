"""Exams as data: the list in time order, one exam with report, film manifest and files (E3, E7–E12, F6)."""

from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from flask import Response, jsonify, url_for

from api import guards
from api.compressed import gzipped
from api.data_address import webp_address
from api.documents import document_response
from api.request_scope import address, platform
from api.v1.schemas import ExamDetailOut, ExamsOut, FilmOut
from workflow import list_history, open_exam, open_film, search_exams
from workflow.exam_card import ExamCard

blueprint = APIBlueprint("v1_exams", __name__, url_prefix="/api/v1/exams", tag="Exams")


@blueprint.get("")
@guards.patient_or_staff
@blueprint.output(ExamsOut)
def list_exams() -> dict[str, Any]:
    """The exams that the caller may see

    Of a patient all, newest first; of a member of staff the 50 newest.
    """
    visitor = guards.visitor()
    if visitor.is_staff:
        cards = search_exams.search_exams(platform(), visitor, "", address())
    else:
        cards = list_history.list_history(platform(), visitor, address())
    return {"exams": [_card(card) for card in cards]}


@blueprint.get("/<int:exam_id>")
@guards.patient_or_staff
@blueprint.output(ExamDetailOut)
def read_exam(exam_id: int) -> dict[str, Any]:
    """One exam with its report"""
    view = open_exam.open_exam(platform(), guards.visitor(), exam_id, address())
    report = None
    if view.report is not None:
        url = url_for("patient_exams.read_document", exam_id=exam_id) if view.report.has_document else None
        report = {**asdict(view.report), "document_url": url}
    return {
        **_card(view.card),
        "department": view.department,
        "report": report,
        "has_film": view.has_film,
        "image_count": view.image_count,
    }


@blueprint.get("/<int:exam_id>/film")
@guards.patient_or_staff
@blueprint.output(FilmOut)
def read_film(exam_id: int) -> Response:
    """The film manifest

    What the film page holds: for laying exams side by side.
    """
    film = open_film.open_film(platform(), guards.visitor(), exam_id, address())
    return gzipped(jsonify({"title": film.title, "manifest": film.manifest}))


@blueprint.get("/<int:exam_id>/files/<sop_uid>")
@guards.patient_or_staff
@blueprint.output({}, content_type="application/octet-stream")
def read_file(exam_id: int, sop_uid: str) -> Response:
    """A file of the exam that is not a picture"""
    media_type, content = open_film.read_file(platform(), guards.visitor(), exam_id, sop_uid, address())
    return document_response(media_type, content, f"exam-{exam_id}-file")


def _card(card: ExamCard) -> dict[str, Any]:
    return {
        **asdict(card),
        "patient": card.patient_line,
        "thumbnail": webp_address(card.thumbnail) if card.thumbnail else None,
    }
