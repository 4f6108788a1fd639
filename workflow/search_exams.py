"""When a doctor searches by name, identity number, phone or accession number, then matching exams appear (P5▲, F9)."""

from access.rights import exams_visible_to
from access.sessions import Visitor
from core import audit
from core.db import transaction
from core.errors import NotAllowed
from core.idcard import normalise_id_number
from core.models import Exam, Patient
from core.personal_data import blind_index
from workflow.context import Platform
from workflow.exam_card import ExamCard, card_of

LIMIT = 50


def search_exams(platform: Platform, visitor: Visitor, text: str, address: str) -> list[ExamCard]:
    """Up to 50 newest exams whose patient or number is exactly `text`; an empty text gives the newest exams."""
    if not visitor.is_staff:
        raise NotAllowed("only staff may search")
    text = text.strip()
    with transaction():
        exams = exams_visible_to(visitor).order_by(Exam.id.desc()).limit(LIMIT)
        if text:
            persons = Patient.select(Patient.id).where(
                (Patient.name_index == blind_index("name", text))
                | (Patient.id_number_index == blind_index("id_number", normalise_id_number(text)))
                | (Patient.phone_index == blind_index("phone", text))
            )
            exams = exams.where(
                Exam.patient.in_(persons)
                | (Exam.accession_number == text)
                | (Exam.placer_order_number == text)
            )
        found = [card_of(exam, platform.settings.hospital_name) for exam in exams]
        audit.append(visitor.actor, "search_exams", "exams", address=address, detail={"found": len(found)})
    return found
