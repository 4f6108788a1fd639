"""When a message tells of a person, then we find the one master record, or begin it (E7).

First by a number that the same assigner gave before, then by the identity number. What is not told never erases. A record
that was merged into another one has neither numbers nor indexes left: it is not found (merge_patients.py).

Two persons in one record would show the film of one to the other. So a placeholder in the place of an identity number is
none (`无`, zeros), an identity number joins only when name and birth date do not speak against it, and a known number that
is told with another name and another identity number is a person's question, not an update.
"""

from dataclasses import replace

from core import problems
from core.commands import PatientFacts
from core.errors import Refused
from core.idcard import is_identifying, normalise_id_number
from core.models import Patient, PatientIdentifier
from core.personal_data import blind_index


def find_or_create_patient(facts: PatientFacts) -> Patient | None:
    """The patient's row, with the told facts taken over; None when the message names nobody.

    Raises `Refused` when a known number is told with another name and another identity number.
    """
    facts = without_placeholder(facts)
    if not facts.identifiers and not facts.id_number:
        return None
    patient = _by_number(facts)
    if patient is not None:
        _require_no_other(patient, facts)
    else:
        patient = _by_identity(facts)
        if patient is not None and _is_other_person(patient, facts):
            _note_shared_identity(patient, facts)
            patient, facts = None, replace(facts, id_number="")
        patient = patient or Patient()
    _take_over(patient, facts)
    patient.save()
    add_numbers(patient, facts)
    return patient


def find_patient(facts: PatientFacts) -> Patient | None:
    """The row as it is, or None."""
    facts = without_placeholder(facts)
    return _by_number(facts) or _by_identity(facts)


def add_numbers(patient: Patient, facts: PatientFacts) -> None:
    """Let the told numbers find this record; one that is another record's stays with that."""
    for assigner, value in facts.identifiers:
        PatientIdentifier.add_if_new(patient=patient, assigner=assigner, value=value)


def fill_in(patient: Patient, facts: PatientFacts) -> None:
    """Take over what is not known yet, from a system that is not the master of this person's data."""
    known = {
        name: ("U" if name == "sex" else "")
        if getattr(patient, name) not in ("", "U")
        else getattr(facts, name)
        for name in ("name", "id_number", "phone", "sex", "birth_date")
    }
    _take_over(patient, replace(without_placeholder(facts), **known))
    patient.save()


def speaks_against(patient: Patient, facts: PatientFacts) -> bool:
    """Whether what is told can hardly be of this person: identity number, birth date or name differ.

    A name in Chinese and one in Latin letters say nothing about each other.
    """
    told_number = normalise_id_number(facts.id_number)
    if told_number and patient.id_number:
        return told_number != patient.id_number
    return _is_other_person(patient, facts)


def without_placeholder(facts: PatientFacts) -> PatientFacts:
    """The facts without an identity number that identifies nobody."""
    if facts.id_number and not is_identifying(facts.id_number):
        return replace(facts, id_number="")
    return facts


def _is_other_person(patient: Patient, facts: PatientFacts) -> bool:
    """By birth date or name: parents lend their identity number to a child."""
    if facts.birth_date and patient.birth_date and facts.birth_date != patient.birth_date:
        return True
    return _is_other_name(patient, facts)


def _is_other_name(patient: Patient, facts: PatientFacts) -> bool:
    told, known = facts.name.strip(), patient.name.strip()
    return bool(told) and bool(known) and told.isascii() == known.isascii() and told != known


def _require_no_other(patient: Patient, facts: PatientFacts) -> None:
    """One of the two may be a correction; both together are another person under a number given out twice."""
    told = normalise_id_number(facts.id_number)
    if told and patient.id_number and told != patient.id_number and _is_other_name(patient, facts):
        raise Refused(
            f"patient {patient.id}: a known number was told with another name and another identity number; "
            "nothing was changed: have the HIS compare the persons, then replay the message"
        )


def _note_shared_identity(patient: Patient, facts: PatientFacts) -> None:
    number = "/".join(facts.identifiers[0]) if facts.identifiers else "no number"
    text = f"patient {number}: the identity number is that of patient {patient.id}, but name or birth date differ"
    problems.note(
        "patient", f"identity:{patient.id}:{number}", f"{text}: they were kept apart, have the HIS compare"
    )


def _by_number(facts: PatientFacts) -> Patient | None:
    for assigner, value in facts.identifiers:
        known = PatientIdentifier.get_or_none(
            PatientIdentifier.assigner == assigner, PatientIdentifier.value == value
        )
        if known:
            return known.patient
    return None


def _by_identity(facts: PatientFacts) -> Patient | None:
    if not facts.id_number:
        return None
    index = blind_index("id_number", normalise_id_number(facts.id_number))
    return Patient.get_or_none(Patient.id_number_index == index)


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
