"""ADT: a patient is registered or updated (v2.5.1 chapter 3.3; A01, A04, A08, A28, A31)."""

from core.commands import RegisterPatient
from hl7_engine.er7 import Message
from hl7_engine.errors import REQUIRED_FIELD_MISSING, Unreadable
from hl7_engine.reading.patient import read_patient
from hl7_engine.reading.values import said_at


def read(message: Message) -> list[object]:
    """One `RegisterPatient`. Raises `Unreadable` when the message names nobody."""
    patient = read_patient(message)
    if not patient.identifiers and not patient.id_number:
        raise Unreadable("PID-3 has no patient number", REQUIRED_FIELD_MISSING)
    return [RegisterPatient(patient=patient, said_at=said_at(message))]
