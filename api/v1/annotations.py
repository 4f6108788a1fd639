"""Annotations of an exam: read by whoever may open its film, kept by doctors (P5▲, E16)."""

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from api import body_limit, guards
from api.documents import document_response
from api.request_scope import address, platform
from api.v1.annotation_schemas import AnnotationsIn, AnnotationsOut, MeasurementsIn
from workflow import annotate_exam, export_measurements
from workflow.annotate_exam import Change

blueprint = APIBlueprint("v1_annotations", __name__, url_prefix="/api/v1/exams", tag="Annotations")

BODY_BYTES = 1 << 20


@blueprint.get("/<int:exam_id>/annotations")
@guards.patient_or_staff
@blueprint.output(AnnotationsOut)
def read_annotations(exam_id: int) -> dict[str, Any]:
    """The annotations of an exam"""
    return {"annotations": annotate_exam.list_annotations(guards.visitor(), exam_id, address())}


@blueprint.post("/<int:exam_id>/annotations")
@guards.staff("doctor")
@body_limit.up_to(BODY_BYTES)
@blueprint.input(AnnotationsIn)
@blueprint.output(AnnotationsOut)
def save_annotations(exam_id: int, json_data: dict[str, Any]) -> dict[str, Any]:
    """Keep, change and remove annotations

    All or nothing; answers the list as it is stored then. Of one uid the higher revision counts; 409 names the uid of
    which another version has the same revision.
    """
    change = Change(json_data["annotations"], json_data["removed"])
    return {"annotations": annotate_exam.save_annotations(guards.visitor(), exam_id, change, address())}


@blueprint.post("/<int:exam_id>/annotations/sr")
@guards.patient_or_staff
@body_limit.up_to(BODY_BYTES)
@blueprint.input(MeasurementsIn)
@blueprint.output({}, content_type="application/dicom")
def export_report(exam_id: int, json_data: dict[str, Any]) -> Response:
    """Measurements as a DICOM SR

    TID 1500 Measurement Report of what is sent, in the study of the images; nothing is kept.
    """
    content = export_measurements.export_measurements(
        platform(), guards.visitor(), exam_id, json_data["annotations"], address()
    )
    return document_response("application/dicom", content, f"exam-{exam_id}-measurements")
