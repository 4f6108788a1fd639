"""When any system speaks of an exam, then we find its row, or begin a placeholder that the others join later."""

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
        Exam.add_if_new(accession_number=number, placer_order_number=placer_order_number)
        exam = Exam.get(Exam.accession_number == number)
    exam = exam.locked()
    if accession_number and exam.accession_number != accession_number:
        exam.accession_number = accession_number
    if placer_order_number and exam.placer_order_number != placer_order_number:
        exam.placer_order_number = placer_order_number
    patient = find_or_create_patient(facts) if facts is not None else None
    if patient is not None and exam.patient_id != patient.id:
        exam.patient = patient
    exam.save()
    return exam


def _find(accession_number: str, placer_order_number: str) -> Exam | None:
    if accession_number:
        exam = Exam.get_or_none(Exam.accession_number == accession_number)
        if exam is None and placer_order_number:
            exam = Exam.get_or_none(Exam.accession_number == placer_order_number)
        return exam
    return Exam.get_or_none(Exam.placer_order_number == placer_order_number)
