"""Appointments 检查预约 and states 检查状态 (WS/T 500 parts 10 and 11).

| message | the state | what follows |
|---|---|---|
| PRSC_IN010101UV01, PRSC_IN010201UV01 | actAppointment/statusCode | booked, moved, or what the code says |
| POOR_IN200902UV | placerGroup/component2/…/processStep/code | arrived, in progress, completed, cancelled, nothing |

Hospitals number the states as they like. Their names are alike, so [codes.v3_exam_status] and
[codes.v3_appointment_status] of the profile are looked up by `displayName` first; a state with neither name nor code in
the table is parked with that reason.
"""

from collections.abc import Iterable
from datetime import datetime

from core.commands import CancelOrder, CompleteExam, NoteProgress, PatientFacts, ScheduleExam
from hl7_engine.errors import REQUIRED_FIELD_MISSING, Unreadable
from hl7_engine.reading.uids import study_uid
from hl7_engine.v3 import oids, patient
from hl7_engine.v3.facts import Coded, Letter, Number, coded, number, numbers
from hl7_engine.v3.order import application_number
from hl7_engine.v3.tree import Node

_NEEDS_TIME = frozenset({"booked", "moved"})
_REQUESTS = ("observationRequest", "procedureRequest")


def booked(letter: Letter) -> list[object]:
    """CheckAppointStatusInfoAdd."""
    return _schedule(letter, "booked")


def moved(letter: Letter) -> list[object]:
    """CheckAppointStatusInfoUpdate."""
    return _schedule(letter, "moved")


def states(letter: Letter) -> list[object]:
    """What became of each exam of the message. Raises `Unreadable` or `Unsupported` for any of them."""
    requests = [
        request
        for part in letter.subject.all("component2")
        for request in part.children
        if request.name in _REQUESTS
    ]
    if not requests:
        text = "placerGroup/component2/observationRequest, the exam, is missing"
        raise Unreadable(text, REQUIRED_FIELD_MISSING)
    facts = patient.of(letter, letter.subject)
    found = (_state(letter, request, facts) for request in requests)
    return [command for command in found if command is not None]


def study_uids(told: Iterable[Number]) -> tuple[str, ...]:
    """Study Instance UIDs, where RIS tells them: ids with the root `study_instance_uid`. Raises `Unreadable`."""
    named = (value for root, value in told if root.lower() in oids.STUDY)
    return tuple(dict.fromkeys(study_uid(value, "id (study_instance_uid)") for value in named))


def _schedule(letter: Letter, usual: str) -> list[object]:
    appointment = letter.subject
    told = coded(appointment.at("statusCode"))
    meaning = letter.require_meaning("v3_appointment_status", told, "statusCode") if any(told) else ""
    # "In force" says nothing new: the action does.
    status = usual if meaning in ("", "active") else meaning
    at = letter.moment(appointment.at("effectiveTime"), "actAppointment/effectiveTime")
    if at is None and status in _NEEDS_TIME:
        raise Unreadable(
            "actAppointment/effectiveTime, the time of the appointment, is missing", REQUIRED_FIELD_MISSING
        )
    return [
        ScheduleExam(
            accession_number=number((appointment,), oids.ACCESSION, "accession_number"),
            placer_order_number=application_number(_ordered(appointment)),
            patient=patient.of(letter, appointment),
            status=status,
            scheduled_at=at if status in _NEEDS_TIME else None,
            said_at=letter.said_at,
        )
    ]


def _ordered(appointment: Node) -> Node:
    """The order that it is for: `referencedOrder/actOrder`; else the appointment itself carries the number."""
    return next(iter(appointment.at("referencedOrder").children), appointment)


def _state(letter: Letter, request: Node, facts: PatientFacts) -> object | None:
    told = coded(request.at("component1/processStep/code"))
    if not any(told):
        told = _status(request)
    order_number = application_number(request)
    accession = number((request,), oids.ACCESSION, "accession_number")
    at = _happened_at(letter, request)
    status = letter.require_meaning("v3_exam_status", told, "processStep/code")
    if status == "cancelled":
        return CancelOrder(accession, order_number, at)
    if status == "completed":
        return CompleteExam(accession, order_number, facts, study_uids(numbers(request)), at)
    if status in ("arrived", "in_progress"):
        return NoteProgress(accession, order_number, facts, status, at)
    return None


def _status(request: Node) -> Coded:
    told = coded(request.at("statusCode"))
    if not any(told):
        raise Unreadable("processStep/code, the state of the exam, is missing", REQUIRED_FIELD_MISSING)
    return told


def _happened_at(letter: Letter, request: Node) -> datetime:
    told = letter.moment(request.at("performer/time"), "performer/time")
    return told or letter.said_at
