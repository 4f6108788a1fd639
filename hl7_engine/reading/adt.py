"""ADT: patients and their visits (v2.5.1 chapter 3.3).

| event | what follows |
|---|---|
| A01–A05, A07, A08, A10, A14, A28, A31 | registered or updated |
| A18, A30, A34, A40 | two records are one person: PID survives, MRG is retired |
| A11, A27, A29, A38 | a visit or registration is void |
| A06, A09, A12, A13, A15–A17, A20–A26, A60–A62 … | nothing: where in the house a patient lies is not our concern |
"""

from core.commands import CancelVisit, MergePatients, RegisterPatient
from hl7_engine.errors import REQUIRED_FIELD_MISSING, Unreadable
from hl7_engine.reading.patient import read_numbers, read_patient
from hl7_engine.reading.source import Source

REGISTERED = ("A01", "A02", "A03", "A04", "A05", "A06", "A07", "A08", "A10", "A13", "A14", "A28", "A31")
MERGED = ("A18", "A30", "A34", "A40")
VOID = ("A11", "A27", "A29", "A38")
OF_NO_CONCERN = (
    *(
        "A09",
        "A12",
        "A15",
        "A16",
        "A20",
        "A21",
        "A22",
        "A25",
        "A26",
        "A32",
        "A33",
        "A52",
        "A53",
        "A54",
        "A55",
    ),
    *("A60", "A61", "A62"),
)


def read(source: Source) -> list[object]:
    """A registration or update. Raises `Unreadable` when the message names nobody."""
    patient = read_patient(source)
    if not patient.identifiers and not patient.id_number:
        raise Unreadable("PID-3 has no patient number", REQUIRED_FIELD_MISSING)
    return [RegisterPatient(patient=patient, said_at=source.said_at)]


def read_merge(source: Source) -> list[object]:
    """One `MergePatients`. Raises `Unreadable` when either side has no number."""
    survivor = read_patient(source)
    if not survivor.identifiers:
        raise Unreadable("PID-3, the number that remains, is missing", REQUIRED_FIELD_MISSING)
    retired = read_numbers(source, "retired_number")
    if not retired:
        raise Unreadable("MRG-1, the number that is given up, is missing", REQUIRED_FIELD_MISSING)
    return [MergePatients(survivor=survivor, retired=retired, said_at=source.said_at)]


def read_void(source: Source) -> list[object]:
    """One `CancelVisit`. Raises `Unreadable` when the message names nobody."""
    patient = read_patient(source)
    if not patient.identifiers and not patient.id_number:
        raise Unreadable("PID-3 has no patient number", REQUIRED_FIELD_MISSING)
    return [CancelVisit(patient=patient, visit_number=source.key("visit_number"), said_at=source.said_at)]


def read_nothing(source: Source) -> list[object]:
    """Understood, and no concern of ours."""
    read_patient(source)
    return []
