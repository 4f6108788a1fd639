"""Appointments: SIU^S12 S13 S14 S15 S26 (v2.5.1 chapter 10.3). SCH names the order, SCH-11 or AIS-4 the time."""

from core.commands import ScheduleExam
from hl7_engine.errors import REQUIRED_FIELD_MISSING, Unreadable
from hl7_engine.reading.groups import groups_of
from hl7_engine.reading.patient import read_patient
from hl7_engine.reading.source import Source

# Trigger event → what became of the appointment.
STATUS = {
    "S12": "booked",
    "S13": "moved",
    "S14": "moved",
    "S15": "cancelled",
    "S17": "cancelled",
    "S26": "no_show",
}
_NEEDS_TIME = frozenset({"booked", "moved"})


def read(source: Source) -> list[object]:
    """One `ScheduleExam`. Raises `Unreadable` when order or time are missing."""
    status = STATUS[source.message.get("MSH-9.2")]
    accession, order = _numbers(source)
    if not accession and not order:
        raise Unreadable("SCH-26 (order number) is missing: whose appointment is it", REQUIRED_FIELD_MISSING)
    at = source.moment("appointment_at")
    if at is None and status in _NEEDS_TIME:
        raise Unreadable("neither SCH-11 nor AIS-4 tells the time of the appointment", REQUIRED_FIELD_MISSING)
    return [
        ScheduleExam(
            accession_number=accession,
            placer_order_number=order,
            patient=read_patient(source),
            status=status,
            scheduled_at=at if status in _NEEDS_TIME else None,
            said_at=source.said_at,
        )
    ]


def _numbers(source: Source) -> tuple[str, str]:
    accession = source.key("appointment_accession_number")
    order = source.key("appointment_order_number")
    for group in groups_of(source):
        accession, order = accession or group.accession_number, order or group.placer_order_number
    return accession, order
