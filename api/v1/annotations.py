"""Annotations of an exam: read by whoever may open its film, kept by doctors (K1, P5▲, E15–E17)."""

from typing import Any

from apiflask import APIBlueprint

from api import body_limit, guards
from api.request_scope import address
from api.v1.annotation_schemas import AnnotationsIn, AnnotationsOut
from workflow import annotate_exam
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
