"""Documents of a film as pages: PDF in place, structured reports, waveforms, videos (E11, E13)."""

from apiflask import APIBlueprint
from flask import Response, make_response, render_template

from api import guards
from api.documents import document_response
from api.ranged_response import ranged_response
from api.request_scope import address, platform
from workflow import film_documents

blueprint = APIBlueprint("documents", __name__, enable_openapi=False)

PAGES = {"sr": "documents/report.html", "ecg": "documents/waveform.html", "video": "documents/video.html"}


@blueprint.get("/exams/<int:exam_id>/documents/<sop_uid>")
@guards.patient_or_staff
def show(exam_id: int, sop_uid: str) -> Response:
    """One document, readable in the browser."""
    document = film_documents.read_document(platform(), guards.visitor(), exam_id, sop_uid, address())
    if document.kind == "pdf":
        return document_response("application/pdf", document.pdf, f"exam-{exam_id}-document")
    return make_response(
        render_template(PAGES[document.kind], document=document, exam_id=exam_id, sop_uid=sop_uid)
    )


@blueprint.get("/exams/<int:exam_id>/documents/<sop_uid>/video")
@guards.patient_or_staff
def play(exam_id: int, sop_uid: str) -> Response:
    """The bytes of a video, by ranges. They are plain, so nothing but the player keeps them."""
    video = film_documents.open_video(platform(), guards.visitor(), exam_id, sop_uid)
    return ranged_response(video.length, video.read, sop_uid, "video/mp4", "private, no-store")
