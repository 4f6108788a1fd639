"""Patients: PRPA messages of WS/T 500 parts 2 and 6, and the patient inside every other message.

| action | what follows |
|---|---|
| PatientInfoRegister, PatientInfoUpdate, EncounterCardInfoAdd, …Update | registered or updated |
| OutPatientInfoAdd, InPatientInfoAdd, …Update | the same: a visit tells who comes |
| PatientInfoMerge | two records are one person: `subject1` survives, `replacementOf` is retired |
"""

from core.commands import MergePatients, PatientFacts, RegisterPatient
from hl7_engine.errors import REQUIRED_FIELD_MISSING, Unreadable
from hl7_engine.reading.values import best_phone
from hl7_engine.v3 import oids
from hl7_engine.v3.facts import Letter, coded, key, named, number, numbers
from hl7_engine.v3.tree import Node

_NAME_LENGTH = 128
_PHONE_LENGTH = 32
_SEXES = frozenset("MFOU")
_NOBODY = PatientFacts(identifiers=())


def register(letter: Letter) -> list[object]:
    """A registration or update. Raises `Unreadable` when the message names nobody."""
    patient = of(letter, letter.subject)
    if not patient.identifiers and not patient.id_number:
        raise Unreadable("patient/id, the number of the patient, is missing", REQUIRED_FIELD_MISSING)
    return [RegisterPatient(patient=patient, said_at=letter.said_at)]


def merge(letter: Letter) -> list[object]:
    """One `MergePatients`. Raises `Unreadable` when either side has no number."""
    survivor = of(letter, letter.subject)
    domain = _domain(letter.subject.first("patient"))
    if not survivor.identifiers:
        text = "subject1/patient/id, the number that remains, is missing"
        raise Unreadable(text, REQUIRED_FIELD_MISSING)
    retired = [
        told
        for role in letter.subject.inside("priorRegisteredRole")
        for told in _identifiers(letter, role, "priorRegisteredRole/id", domain)
    ]
    if not retired:
        text = "replacementOf/…/priorRegisteredRole/id, the number that is given up, is missing"
        raise Unreadable(text, REQUIRED_FIELD_MISSING)
    return [MergePatients(survivor=survivor, retired=tuple(retired), said_at=letter.said_at)]


def of(letter: Letter, act: Node) -> PatientFacts:
    """The first patient inside an element; nobody's facts when there is none."""
    return _facts(letter, act.first("patient"), ("patientPerson", "patient"))


def of_document(letter: Letter, document: Node) -> PatientFacts:
    """The patient of a CDA document: `recordTarget/patientRole`."""
    return _facts(letter, document.at("recordTarget/patientRole"), ("patient",))


def _facts(letter: Letter, role: Node, person_names: tuple[str, ...]) -> PatientFacts:
    if not role:
        return _NOBODY
    person = next(filter(None, map(role.at, person_names)), Node(None))
    gender = letter.meaning("v3_sex", coded(person.at("administrativeGenderCode")))
    return PatientFacts(
        identifiers=tuple(dict.fromkeys(_identifiers(letter, role, "patient/id"))),
        name=named(person, _NAME_LENGTH),
        id_number=number((person, role), oids.IDENTITY_CARD, "patientPerson/id"),
        phone=_phone(person) or _phone(role),
        sex=gender if gender in _SEXES else "U",
        birth_date=letter.day(person.at("birthTime")),
    )


def _identifiers(letter: Letter, role: Node, place: str, usual_domain: str = "") -> list[tuple[str, str]]:
    """(assigner, value) of the hospital's own patient numbers, each in the domain (域ID) that is told beside it.

    The numbers of visits and cards are left out: forms put the same ones for many people.
    """
    assigners, domains = letter.profile.codes["v3_assigner"], letter.profile.codes["v3_domain"]
    domain = _domain(role) or usual_domain
    found = []
    for root, value in numbers(role):
        if root in assigners:
            assigner = domains.get(domain, f"{assigners[root]}/{domain}") if domain else assigners[root]
            found.append((key(assigner, place), key(value, place)))
    return found


def _domain(role: Node) -> str:
    return number((role,), oids.DOMAIN, "patient/id (域ID)")


def _phone(person: Node) -> str:
    """Of the person alone: contacts and employers have their own elements."""
    told = []
    for telecom in person.all("telecom"):
        told += [entry.get("value").removeprefix("tel:") for entry in telecom.all("item") or [telecom]]
    return best_phone(told)[:_PHONE_LENGTH]
