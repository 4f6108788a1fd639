"""When any system speaks of an exam, then we find its row, or begin a placeholder that the others join later.

Whose exam it is the first message says that names a person; afterwards only its order may say otherwise, and not once
images are joined to it or it is published: a film that changes its owner is shown to the wrong person. RIS and HIS may know
one person by different numbers: who is told is then compared by what else is known.
"""

from core import problems
from core.commands import PatientFacts
from core.errors import Refused
from core.models import Annotation, Charge, Exam, ExamStudy, Patient, Report, Study
from workflow import find_patient

# What a placeholder has heard before the exam itself was known.
_HEARD = (
    *("item_code", "item_name", "modality", "department", "visit_number", "patient_class", "ordered_at"),
    *("scheduled_at", "scheduled_said_at", "arrived_at", "performed_at", "cancelled_at", "reported_at"),
)


def find_or_create_exam(
    accession_number: str,
    placer_order_number: str,
    facts: PatientFacts | None = None,
    *,
    is_order: bool = False,
) -> Exam:
    """The locked row of the exam. An order that has no accession number yet is known by its placer number until then.

    Raises `Refused` when the message is about another person than the exam.
    """
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
        _absorb_placeholder(exam, placer_order_number)
        exam.placer_order_number = placer_order_number
    patient = _patient_of(exam, facts, is_order=is_order) if facts is not None else None
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


def _patient_of(exam: Exam, facts: PatientFacts, *, is_order: bool) -> Patient | None:
    """Who the exam is of, now that `facts` are told of it."""
    known = exam.patient
    if known is None:
        return find_patient.find_or_create_patient(facts)
    told = find_patient.find_patient(facts)
    if told is not None and told.id == known.id:
        return find_patient.find_or_create_patient(facts)
    if not find_patient.speaks_against(known, find_patient.without_placeholder(facts)):
        # The same person under a number of another system, whose word about the rest counts for less.
        find_patient.fill_in(known, facts)
        find_patient.add_numbers(known, facts)
        return known
    if is_order and exam.published_at is None and not Study.all_with(Study.exam == exam):
        return find_patient.find_or_create_patient(facts)
    raise Refused(
        f"exam {exam.accession_number} is of patient {known.id}, but the message is about another person: "
        "compare the two with RIS and HIS, then correct the message or replay it"
    )


def _absorb_placeholder(exam: Exam, placer_order_number: str) -> None:
    """What was heard under the order number alone belongs to the exam, now that both numbers are told together."""
    placeholder = Exam.get_or_none(Exam.accession_number == placer_order_number)
    if placeholder is None or placeholder.id == exam.id:
        return
    placeholder = placeholder.locked()
    if not _may_absorb(exam, placeholder):
        text = f"order {placer_order_number} and exam {exam.accession_number} are told to be one, but both have a report"
        problems.note(
            "exam",
            f"twice:{exam.id}:{placeholder.id}",
            f"{text}, a patient or a film of their own: compare them",
        )
        return
    for name in _HEARD:
        if not getattr(exam, name) and getattr(placeholder, name):
            setattr(exam, name, getattr(placeholder, name))
    if exam.patient_id is None and placeholder.patient_id is not None:
        exam.patient = placeholder.patient
    for model in (Charge, ExamStudy, Study, Report, Annotation):
        for row in model.all_with(model.exam == placeholder):
            row.exam = exam
            row.save()
    placeholder.delete_instance()


def _may_absorb(exam: Exam, placeholder: Exam) -> bool:
    if (
        placeholder.published_at is not None
        or placeholder.accession_number != placeholder.placer_order_number
    ):
        return False
    if Report.all_with(Report.exam == exam) and Report.all_with(Report.exam == placeholder):
        return False
    people = {exam.patient_id, placeholder.patient_id} - {None}
    return len(people) < 2
