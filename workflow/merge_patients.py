"""When the hospital finds that two records are one person, then the survivor has the numbers, exams and facts of both (E7).

The retired row stays, as evidence, and is found no more. Two records with different identity numbers are never merged
unasked: a wrong merge shows one person's images to another.
"""

from core import audit, db
from core.commands import MergePatients
from core.db import transaction
from core.errors import Refused
from core.idcard import normalise_id_number
from core.models import Exam, Patient, PatientIdentifier
from workflow.find_patient import find_or_create_patient, find_patient
from workflow.join_study import join_studies_of
from workflow.publish_exam import publish_if_complete

# Who says so; the message itself is in the inbox.
ACTOR = "his"
# What the survivor takes over where it knows nothing, with the index by which it is then found.
_SEALED = ("name", "id_number", "phone")


def merge_patients(command: MergePatients) -> None:
    """Give the survivor what the retired numbers had; a number that nobody had becomes the survivor's.

    Raises `Refused` when the identity numbers of the two differ.
    """
    with transaction():
        retired = _owners(command.retired)
        known = find_patient(command.survivor)
        _require_one_person(command, [*retired, known] if known else retired)
        survivor = find_or_create_patient(command.survivor)
        if survivor is None:
            raise Refused("the merge names no survivor: tell a number of the record that remains")
        for patient in retired:
            if patient.id != survivor.id:
                _merge(patient, survivor)
        for assigner, value in command.retired:
            PatientIdentifier.add_if_new(patient=survivor, assigner=assigner, value=value)


def _owners(numbers: tuple[tuple[str, str], ...]) -> list[Patient]:
    """The records that have these numbers now, each once."""
    found: dict[int, Patient] = {}
    for assigner, value in numbers:
        known = PatientIdentifier.get_or_none(
            PatientIdentifier.assigner == assigner, PatientIdentifier.value == value
        )
        if known is not None:
            found[known.patient_id] = known.patient
    return list(found.values())


def _require_one_person(command: MergePatients, records: list[Patient]) -> None:
    told = normalise_id_number(command.survivor.id_number)
    numbers = {told, *(patient.id_number for patient in records)} - {""}
    if len(numbers) > 1:
        subjects = ", ".join(str(patient.id) for patient in records)
        raise Refused(
            f"merge of the patients {subjects}: their identity numbers differ, nothing was merged: have the HIS compare "
            "the persons and correct the wrong number, then replay the message"
        )


def _merge(retired: Patient, survivor: Patient) -> None:
    for row in sorted((retired, survivor), key=lambda patient: patient.id):
        db.lock(row)
    _take_over(survivor, retired)
    PatientIdentifier.update(patient=survivor).where(PatientIdentifier.patient == retired).execute()
    moved = [exam.id for exam in Exam.all_with(Exam.patient == retired)]
    Exam.update(patient=survivor).where(Exam.patient == retired).execute()
    retired.merged_into = survivor
    for name in _SEALED:
        setattr(retired, f"{name}_index", "")
    retired.save()
    detail = {"retired": f"patient:{retired.id}", "exams": moved}
    audit.append(ACTOR, "merge_patients", f"patient:{survivor.id}", detail=detail)
    # Images under a number that was the other record's are now beyond doubt.
    for exam in Exam.all_with(Exam.patient == survivor):
        if exam.published_at is None:
            join_studies_of(exam)
            publish_if_complete(exam)


def _take_over(survivor: Patient, retired: Patient) -> None:
    for name in _SEALED:
        if not getattr(survivor, name) and getattr(retired, name):
            setattr(survivor, name, getattr(retired, name))
            setattr(survivor, f"{name}_index", getattr(retired, f"{name}_index"))
    if survivor.sex == "U":
        survivor.sex = retired.sex
    survivor.birth_date = survivor.birth_date or retired.birth_date
    survivor.save()
