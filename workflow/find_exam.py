"""When any system speaks of an exam, then we find its row, or begin a placeholder that the others join later."""

from core import db
from core.commands import PatientFacts
from core.errors import Refused
from core.models import Exam
from workflow.find_patient import find_or_create_patient


def find_or_create_exam(
    accession_number: str, placer_order_number: str, facts: PatientFacts | None = None
) -> Exam:
    """The locked row of the exam. An order that has no accession number yet is known by its placer number until then."""
    if not accession_number and not placer_order_number:
        raise Refused("the message has neither accession number nor order number: nothing to join it to")
    exam = _find(accession_number, placer_order_number)
    if exam is None:
        number = accession_number or placer_order_number
        Exam.insert(
            accession_number=number, placer_order_number=placer_order_number
        ).on_conflict_ignore().execute()
        exam = Exam.get(Exam.accession_number == number)
    db.lock(exam)
    exam = Exam.get_by_id(exam.id)
    if accession_number:
        exam.accession_number = accession_number
    if placer_order_number:
        exam.placer_order_number = placer_order_number
    if facts is not None:
        exam.patient = find_or_create_patient(facts) or exam.patient
    exam.save()
    return exam


def _find(accession_number: str, placer_order_number: str) -> Exam | None:
    if accession_number:
        exam = Exam.get_or_none(Exam.accession_number == accession_number)
        if exam is None and placer_order_number:
            exam = Exam.get_or_none(Exam.accession_number == placer_order_number)
        return exam
    return Exam.get_or_none(Exam.placer_order_number == placer_order_number)
