"""When a registration or visit did not take place, then a person looks at its open exams; none is cancelled unasked."""

from core import problems
from core.commands import CancelVisit
from core.db import transaction
from core.models import Exam
from workflow.find_patient import find_patient


def cancel_visit(command: CancelVisit) -> None:
    """Note the exams of the visit (without its number: of the patient) that are neither cancelled nor published."""
    with transaction():
        patient = find_patient(command.patient)
        if patient is None:
            return
        numbers = [
            exam.accession_number
            for exam in Exam.all_with(Exam.patient == patient)
            if _is_open(exam) and _is_of_visit(exam, command.visit_number)
        ]
        if numbers:
            text = f"the visit was cancelled, but its exams are open: {', '.join(numbers)}; cancel them in the HIS"
            problems.note("his", f"visit:{patient.id}:{command.visit_number}", text)


def _is_open(exam: Exam) -> bool:
    return exam.cancelled_at is None and exam.published_at is None


def _is_of_visit(exam: Exam, visit_number: str) -> bool:
    """An exam whose visit nobody told may be of this one."""
    return not visit_number or exam.visit_number in ("", visit_number)
