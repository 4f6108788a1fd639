"""Who may see what (K5, F9, E3). The whole policy of today:

| visitor | exams in the list              | report and images     |
|---------|--------------------------------|-----------------------|
| patient | those of the phone, not others | when published        |
| doctor  | all                            | as soon as they exist |
| others  | none                           | none                  |

Operators look after messages and alarms, and see in them what the hospital's systems said.

What a visitor may not see does not exist for them: NotFound, the same as for a wrong number.
"""

import peewee

from access.sessions import Visitor
from core.errors import NotAllowed, NotFound
from core.models import Exam, Pack, Patient

READING_ROLES = frozenset({"doctor"})
OPERATOR = "operator"
# Databases count rows in 63 bits and raise beyond.
LAST_ID = 2**63 - 1


def exams_visible_to(visitor: Visitor) -> "peewee.ModelSelect[Exam]":
    """A query of the exams that this visitor may know of."""
    if visitor.is_staff:
        return Exam.select() if visitor.role in READING_ROLES else Exam.select().where(Exam.id.is_null())
    if not visitor.phone_index:
        return Exam.select().where(Exam.id.is_null())
    persons = Patient.select(Patient.id).where(Patient.phone_index == visitor.phone_index)
    return Exam.select().where(Exam.patient.in_(persons))


def require_exam(visitor: Visitor, exam_id: int) -> Exam:
    """The exam. Raises `NotFound` for one that is not this visitor's."""
    exam = Exam.get_or_none(Exam.id == exam_id) if 0 < exam_id <= LAST_ID else None
    if exam is None or not may_know_of(visitor, exam):
        raise NotFound("没有找到这次检查")
    return exam


def may_know_of(visitor: Visitor, exam: Exam) -> bool:
    """Whether this exam is among `exams_visible_to`: the same rule of one row, for a film asks it 300 times."""
    if visitor.is_staff:
        return visitor.role in READING_ROLES
    person = exam.patient
    return person is not None and bool(visitor.phone_index) and person.phone_index == visitor.phone_index


def require_operator(visitor: Visitor) -> None:
    """Raise `NotAllowed` unless this visitor looks after messages."""
    if not visitor.is_staff or visitor.role != OPERATOR:
        raise NotAllowed("only operators look after messages")


def require_published(visitor: Visitor, exam: Exam) -> None:
    """Raise `NotAllowed` unless report and images may be seen."""
    if not visitor.is_staff and exam.published_at is None:
        raise NotAllowed("这次检查还没有发布，请稍后再看")


def require_object(visitor: Visitor, object_id: str) -> Pack:
    """The pack. Raises `NotFound` unless it belongs to an exam whose images this visitor may see."""
    pack: Pack | None = Pack.get_or_none(Pack.object_id == object_id)
    if pack is None:
        raise NotFound("没有找到影像")
    exam = pack.series.study.exam
    if exam is None:
        raise NotFound("没有找到影像")
    require_published(visitor, require_exam(visitor, exam.id))
    return pack
