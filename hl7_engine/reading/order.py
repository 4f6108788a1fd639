"""Orders and their status: OMG^O19, ORM^O01, OMI^O23 (v2.5.1 chapters 4.4), ZDS of IHE RAD TF-2 4.4, IPC.

| ORC-1 | ORC-5 | what follows |
|---|---|---|
| NW, XO | | the order with its film fee |
| CA, DC, OC, CR | | the order is cancelled |
| SC | CM | the exam was performed; ZDS or IPC names its studies |
| SC | CA, DC, OC, CR | the order is cancelled |
| SC | IP | the exam has begun |
| SC | A, AR, RP | the patient has arrived |
| SC, SN, NA, OK, UA … | other | nothing: scheduled, numbered, answered |
"""

from datetime import datetime
from functools import partial

from core.commands import CancelOrder, CompleteExam, NoteProgress, PlaceOrder
from hl7_engine.errors import REQUIRED_FIELD_MISSING, Unreadable, Unsupported, quoted
from hl7_engine.reading import fees
from hl7_engine.reading.groups import Group, groups_of
from hl7_engine.reading.patient import read_patient
from hl7_engine.reading.source import Source
from hl7_engine.reading.uids import study_uid

_PLACED = frozenset({"NW", "XO", "RO", "XX", "RU"})
_CANCELLED = frozenset({"CA", "DC", "OC", "CR", "OD", "DE"})
_STATUS_CHANGED = frozenset({"SC", "SR", "SS"})
# HL7 table 0119: numbers, answers and notices between placer and filler.
_OF_NO_CONCERN = frozenset({"SN", "NA", "OK", "UA", "CN", "RE", "PR", "HD", "HR", "RL", "OH", "OR"})
_COMPLETED = "CM"
_PROGRESS = {"IP": "in_progress", "A": "arrived", "AR": "arrived", "RP": "arrived"}
_ITEM_NAME_LENGTH = 128
_MODALITY_LENGTH = 16
_CLASS_LENGTH = 4


def read(source: Source) -> list[object]:
    """The commands of every order in the message. Raises `Unreadable` or `Unsupported` for any of them."""
    groups = groups_of(source)
    if not groups:
        raise Unreadable("the message has no ORC and no OBR segment", REQUIRED_FIELD_MISSING)
    commands: list[object] = []
    for group, film_fees in zip(groups, fees.of_groups(source, groups), strict=True):
        group.require_number()
        command = _command_of(source, group, film_fees)
        if command is not None:
            commands.append(command)
    return commands


def _command_of(source: Source, group: Group, film_fees: list[fees.FilmFee]) -> object | None:
    control = source.code("order_control", group.scope)
    status = source.code("order_status", group.scope)
    if control in _PLACED:
        return _place(source, group, film_fees)
    if control in _CANCELLED or (control in _STATUS_CHANGED and status in _CANCELLED):
        return _cancel(source, group)
    if control in _STATUS_CHANGED and status == _COMPLETED:
        return _complete(source, group)
    if control in _STATUS_CHANGED and status in _PROGRESS:
        return _progress(source, group, _PROGRESS[status])
    if control not in _STATUS_CHANGED and control not in _OF_NO_CONCERN:
        raise Unsupported(
            f"ORC-1 is {quoted(control)}: NW, XO, CA, DC, OC, CR and SC are acted upon; "
            "add the peer's code to [codes.order_control]"
        )
    return None


def _place(source: Source, group: Group, film_fees: list[fees.FilmFee]) -> object:
    scope = group.scope
    return PlaceOrder(
        accession_number=group.accession_number,
        placer_order_number=group.placer_order_number,
        patient=read_patient(source),
        item_code=source.key("item_code", scope),
        item_name=source.words("item_name", _ITEM_NAME_LENGTH, scope),
        modality=source.code("modality", scope)[:_MODALITY_LENGTH],
        department=source.words("department", scope=scope),
        visit_number=source.key("visit_number"),
        patient_class=source.code("patient_class")[:_CLASS_LENGTH],
        ordered_at=_happened_at(source, group),
        fee_lines=tuple(map(partial(fees.line_of, group.placer_order_number), film_fees)),
    )


def _cancel(source: Source, group: Group) -> object:
    return CancelOrder(
        accession_number=group.accession_number,
        placer_order_number=group.placer_order_number,
        said_at=_happened_at(source, group),
    )


def _progress(source: Source, group: Group, status: str) -> object:
    return NoteProgress(
        accession_number=group.accession_number,
        placer_order_number=group.placer_order_number,
        patient=read_patient(source),
        status=status,
        said_at=_happened_at(source, group),
    )


def _complete(source: Source, group: Group) -> object:
    return CompleteExam(
        accession_number=group.accession_number,
        placer_order_number=group.placer_order_number,
        patient=read_patient(source),
        study_uids=_study_uids(group),
        performed_at=_happened_at(source, group),
    )


def _study_uids(group: Group) -> tuple[str, ...]:
    """ZDS-1 (HL7 v2.3.1 profile of IHE), IPC-3 (v2.5.1 chapter 4.5.6)."""
    told: list[str] = []
    for name, field in (("ZDS", 1), ("IPC", 3)):
        for segment in group.named(name):
            for place in range(1, segment.count(field) + 1):
                told.append(study_uid(segment.get(f"{field}[{place}].1"), f"{name}-{field}"))
    return tuple(dict.fromkeys(told))


def _happened_at(source: Source, group: Group) -> datetime:
    return source.moment("happened_at", group.scope) or source.said_at
