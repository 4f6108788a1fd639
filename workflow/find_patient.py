"""When a message tells of a person, then we find the one master record, or begin it (E7).

First by a number that the same assigner gave before, then by the identity number. What is not told never erases. A record
that was merged into another one has neither numbers nor indexes left: it is not found (merge_patients.py).
"""

from core.commands import PatientFacts
from core.idcard import normalise_id_number
from core.models import Patient, PatientIdentifier
from core.personal_data import blind_index


def find_or_create_patient(facts: PatientFacts) -> Patient | None:
    """The patient's row, with the told facts taken over; None when the message names nobody."""
    if not facts.identifiers and not facts.id_number:
        return None
    patient = find_patient(facts) or Patient()
    _take_over(patient, facts)
    patient.save()
    for assigner, value in facts.identifiers:
        PatientIdentifier.add_if_new(patient=patient, assigner=assigner, value=value)
    return patient


def find_patient(facts: PatientFacts) -> Patient | None:
    """The row as it is, or None."""
    for assigner, value in facts.identifiers:
        known = PatientIdentifier.get_or_none(
            PatientIdentifier.assigner == assigner, PatientIdentifier.value == value
        )
        if known:
            return known.patient
    if facts.id_number:
        index = blind_index("id_number", normalise_id_number(facts.id_number))
        return Patient.get_or_none(Patient.id_number_index == index)
    return None


def _take_over(patient: Patient, facts: PatientFacts) -> None:
    if facts.name and facts.name != patient.name:
        patient.name = facts.name
        patient.name_index = blind_index("name", facts.name)
    if facts.id_number and normalise_id_number(facts.id_number) != patient.id_number:
        patient.id_number = normalise_id_number(facts.id_number)
        patient.id_number_index = blind_index("id_number", patient.id_number)
    if facts.phone and facts.phone != patient.phone:
        patient.phone = facts.phone
        patient.phone_index = blind_index("phone", facts.phone)
    if facts.sex not in ("U", patient.sex):
        patient.sex = facts.sex
    if facts.birth_date and facts.birth_date != patient.birth_date:
        patient.birth_date = facts.birth_date
