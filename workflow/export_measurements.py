"""When someone wants the measurements in a PACS, then they get them as a DICOM SR of this study (E16, F6)."""

from collections.abc import Sequence
from typing import Any

from access.sessions import Visitor
from core import audit
from core.db import transaction
from core.errors import Refused
from core.models import Exam, Instance, Series, Staff, Study
from imaging.measurement_report import Observer, measurement_report
from workflow.annotate_exam import open_exam_of, require_images_of
from workflow.context import Platform
from workflow.rebuild_file import read_headers


def export_measurements(
    platform: Platform, visitor: Visitor, exam_id: int, annotations: Sequence[dict[str, Any]], address: str
) -> bytes:
    """The report as a Part-10 file. Nothing is kept; whoever may open the exam may take their own measurements along.

    Raises NotFound, NotAllowed before publication, `Refused` for what is not of this exam or cannot be written.
    """
    with transaction():
        exam = open_exam_of(visitor, exam_id)
        require_images_of(exam, annotations)
        images = _instances(exam, annotations)
        volumes = _one_of_each_series(exam, annotations)
        audit.append(
            visitor.actor,
            "export_measurements",
            f"exam:{exam.id}",
            address=address,
            detail={"annotations": len(annotations)},
        )
        person = Staff.get_by_id(visitor.staff_id).display_name if visitor.staff_id is not None else ""
    headers = read_headers(platform, [*images, *volumes.values()])
    return measurement_report(
        annotations,
        {row.sop_uid: headers[row.sop_uid] for row in images},
        {series: headers[row.sop_uid] for series, row in volumes.items()},
        Observer(person, platform.settings.hospital_name),
    )


def _instances(exam: Exam, annotations: Sequence[dict[str, Any]]) -> list[Instance]:
    wanted = {told["instance"] for told in annotations if told["instance"] is not None}
    rows = list(_archived(exam).where(Instance.sop_uid.in_(list(wanted)))) if wanted else []
    if len(rows) < len(wanted):
        raise Refused("some of these images are not archived yet: try again in a few minutes")
    return rows


def _one_of_each_series(exam: Exam, annotations: Sequence[dict[str, Any]]) -> dict[str, Instance]:
    """For what lies in space: an image that tells patient, study and frame of reference."""
    found = {}
    for uid in sorted({told["series"] for told in annotations if told["instance"] is None}):
        row = _archived(exam).where(Series.series_uid == uid).order_by(Instance.number, Instance.id).first()
        if row is None:
            raise Refused("some of these images are not archived yet: try again in a few minutes")
        found[uid] = row
    return found


def _archived(exam: Exam) -> Any:
    return (
        Instance.select()
        .join(Series)
        .join(Study)
        .where(Study.exam == exam, Instance.pack.is_null(False))
        .order_by(Instance.id)
    )
