"""An exam as one line of a list: what it was, when, and what it waits for (E8, E9)."""

from dataclasses import dataclass
from datetime import datetime

from billing import charges
from core.clock import now
from core.masking import mask_name
from core.models import Exam, Pack, PackView, Patient, Series, Study
from workflow.publish_exam import is_archived

SEXES = {"M": "男", "F": "女"}


@dataclass(frozen=True)
class ExamCard:
    """`state`: published | awaiting_payment | awaiting_report | awaiting_images | cancelled. `amount_fen` when unpaid."""

    exam_id: int
    accession_number: str
    item_name: str
    modality: str
    hospital: str
    exam_at: datetime
    state: str
    amount_fen: int | None
    thumbnail: bytes | None
    patient_name: str
    patient_line: str


def card_of(exam: Exam, hospital: str) -> ExamCard:
    """The card of one exam; the name is masked."""
    state = _state(exam)
    return ExamCard(
        exam_id=exam.id,
        accession_number=exam.accession_number,
        item_name=exam.item_name or exam.modality or "影像检查",
        modality=exam.modality,
        hospital=hospital,
        exam_at=exam.performed_at or exam.ordered_at or exam.created_at,
        state=state,
        amount_fen=charges.amount_due(exam) if state == "awaiting_payment" else None,
        thumbnail=_thumbnail(exam) if state == "published" else None,
        patient_name=mask_name(exam.patient.name) if exam.patient else "",
        patient_line=patient_line(exam.patient),
    )


def patient_line(patient: Patient | None) -> str:
    """Masked name, sex and age: 珅* 男 41岁."""
    if patient is None:
        return ""
    parts = [mask_name(patient.name), SEXES.get(patient.sex, ""), _age(patient.birth_date)]
    return " ".join(part for part in parts if part)


def _age(birth_date: str) -> str:
    if len(birth_date) != 10:
        return ""
    today = now().date().isoformat()
    years = int(today[:4]) - int(birth_date[:4]) - (today[5:] < birth_date[5:])
    return f"{years}岁"


def _state(exam: Exam) -> str:
    if exam.cancelled_at:
        return "cancelled"
    if exam.published_at:
        return "published"
    if not charges.is_fee_settled(exam):
        return "awaiting_payment"
    if not is_archived(exam):
        return "awaiting_images"
    return "awaiting_report"


def _thumbnail(exam: Exam) -> bytes | None:
    view = (
        PackView.select()
        .join(Pack)
        .join(Series)
        .join(Study)
        .where(Study.exam == exam, PackView.thumbnail.is_null(False))
        .order_by(Series.number.desc(), Series.id, Pack.generation)
        .first()
    )
    return view.thumbnail if view else None
