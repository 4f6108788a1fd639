"""When a doctor draws or measures on a film, then it is kept with the exam for whoever may open it (K1, E16).

Of two versions of one annotation the higher revision counts. The author is who sent it, never who it says it is of.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from access.rights import require_exam, require_published
from access.sessions import Visitor
from core import audit
from core.clock import now
from core.db import transaction
from core.errors import Conflict, NotAllowed, Refused
from core.models import Annotation, Exam, Instance, Series, Staff, Study

MOST = 500
# Of each annotation, what the server itself says.
_OURS = ("uid", "revision", "author", "created_at")


@dataclass(frozen=True)
class Change:
    """What one request asks for: annotations in the shape of api/v1/annotation_schemas.py, and uids to remove."""

    annotations: Sequence[dict[str, Any]]
    removed: Sequence[str]


def list_annotations(visitor: Visitor, exam_id: int, address: str) -> list[dict[str, Any]]:
    """All annotations of an exam, oldest first. Raises NotFound, or NotAllowed before publication (patients)."""
    with transaction():
        exam = open_exam_of(visitor, exam_id)
        audit.append(visitor.actor, "read_annotations", f"exam:{exam.id}", address=address)
        return _stored(exam)


def save_annotations(visitor: Visitor, exam_id: int, change: Change, address: str) -> list[dict[str, Any]]:
    """Apply all of `change` or nothing; return what is stored then.

    Raises `Conflict` naming the uid when another version has the same revision, `Refused` beyond 500 or for an image
    that is not of this exam.
    """
    if visitor.staff_id is None:
        raise NotAllowed("only doctors keep annotations with an exam")
    with transaction():
        exam = open_exam_of(visitor, exam_id).locked()
        require_images_of(exam, change.annotations)
        known = {row.uid: row for row in Annotation.all_with(Annotation.exam == exam)}
        for told in change.annotations:
            known[told["uid"]] = _put(exam, known.get(told["uid"]), told, visitor.staff_id)
        for uid in change.removed:
            _remove(known.get(uid))
        stored = _stored(exam)
        if len(stored) > MOST:
            raise Refused(f"an exam keeps {MOST} annotations, these would be {len(stored)}: remove some")
        detail = {"saved": len(change.annotations), "removed": len(change.removed)}
        audit.append(visitor.actor, "save_annotations", f"exam:{exam.id}", address=address, detail=detail)
        return stored


def open_exam_of(visitor: Visitor, exam_id: int) -> Exam:
    """The exam whose images this visitor may see."""
    exam = require_exam(visitor, exam_id)
    require_published(visitor, exam)
    return exam


def require_images_of(exam: Exam, annotations: Sequence[dict[str, Any]]) -> None:
    """Raise `Refused` unless every annotation lies on a series, and on an instance of that series, of this exam."""
    series = {
        row.series_uid: row.id
        for row in Series.select(Series.id, Series.series_uid).join(Study).where(Study.exam == exam)
    }
    instances = {told["instance"] for told in annotations if told["instance"] is not None}
    rows = Instance.select(Instance.sop_uid, Instance.series).where(Instance.sop_uid.in_(list(instances)))
    series_of = {row.sop_uid: row.series_id for row in rows} if instances else {}
    for told in annotations:
        if told["series"] not in series:
            raise Refused(f"annotation {told['uid']}: its series is not of exam {exam.id}")
        if told["instance"] is not None and series_of.get(told["instance"]) != series[told["series"]]:
            raise Refused(f"annotation {told['uid']}: its instance is not of its series")


def _put(exam: Exam, row: Annotation | None, told: dict[str, Any], staff_id: int) -> Annotation:
    body = json.dumps(
        {key: value for key, value in told.items() if key not in _OURS}, ensure_ascii=False, sort_keys=True
    )
    values = {"revision": told["revision"], "body": body, "author": staff_id, "changed_at": now()}
    if row is None:
        return Annotation.create(exam=exam, uid=told["uid"], **values)
    if told["revision"] == row.revision and (row.removed_at is not None or row.body != body):
        raise Conflict(
            f"annotation {told['uid']}: revision {row.revision} is another one, load the film again"
        )
    if told["revision"] > row.revision:
        for name, value in values.items():
            setattr(row, name, value)
        row.removed_at = None
        row.save()
    return row


def _remove(row: Annotation | None) -> None:
    if row is not None and row.removed_at is None:
        row.body, row.removed_at = "{}", now()
        row.save()


def _stored(exam: Exam) -> list[dict[str, Any]]:
    rows = (
        Annotation.select(Annotation, Staff)
        .join(Staff)
        .where(Annotation.exam == exam, Annotation.removed_at.is_null())
        .order_by(Annotation.id)
    )
    return [
        {
            "uid": row.uid,
            **json.loads(row.body),
            "author": row.author.display_name,
            "revision": row.revision,
            "created_at": row.created_at.isoformat(),
        }
        for row in rows
    ]
