"""Orders and their status: OMG^O19 and ORM^O01 (v2.5.1 chapters 4.4.1, 4.4.4), ZDS of IHE RAD TF-2 4.4.

| ORC-1 | ORC-5 | what follows |
|---|---|---|
| NW, XO | | the order with its film fee |
| CA, DC, OC, CR | | the order is cancelled |
| SC | CM | the exam was performed; ZDS names its studies |
| SC | CA | the order is cancelled |
| SC | other | nothing: scheduled or in progress |
"""

from datetime import datetime
from functools import partial

from core.commands import CancelOrder, CompleteExam, PlaceOrder
from hl7_engine.er7 import Message
from hl7_engine.errors import REQUIRED_FIELD_MISSING, Unreadable, Unsupported
from hl7_engine.reading import fees
from hl7_engine.reading.groups import Group, groups_of
from hl7_engine.reading.patient import read_patient
from hl7_engine.reading.uids import study_uid
from hl7_engine.reading.values import key, moment, said_at, words

_PLACED = frozenset({"NW", "XO"})
_CANCELLED = frozenset({"CA", "DC", "OC", "CR"})
_STATUS_CHANGED = "SC"
_COMPLETED = "CM"
_ITEM_NAME_LENGTH = 128
_MODALITY_LENGTH = 16
_CLASS_LENGTH = 4


def read(message: Message, film_item_code: str) -> list[object]:
    """The commands of every order in the message. Raises `Unreadable` or `Unsupported` for any of them."""
    groups = groups_of(message)
    if not groups:
        raise Unreadable("the message has no ORC and no OBR segment", REQUIRED_FIELD_MISSING)
    commands: list[object] = []
    for group, film_fees in zip(groups, fees.of_groups(groups, film_item_code), strict=True):
        group.require_number()
        control, status = group.orc.get("1").upper(), group.orc.get("5").upper()
        if control in _PLACED:
            commands.append(_place(message, group, film_fees))
        elif control in _CANCELLED or (control == _STATUS_CHANGED and status in _CANCELLED):
            commands.append(_cancel(message, group))
        elif control == _STATUS_CHANGED and status == _COMPLETED:
            commands.append(_complete(message, group))
        elif control != _STATUS_CHANGED:
            raise Unsupported(f"ORC-1 is {control[:8]!r}: NW, XO, CA, DC, OC, CR and SC are acted upon")
    return commands


def _place(message: Message, group: Group, film_fees: list[fees.FilmFee]) -> object:
    visit = message.first("PV1")
    return PlaceOrder(
        accession_number=group.accession_number,
        placer_order_number=group.placer_order_number,
        patient=read_patient(message),
        item_code=key(group.obr, "4.1"),
        item_name=words(group.obr, "4.2", longest=_ITEM_NAME_LENGTH),
        modality=words(group.obr, "24", longest=_MODALITY_LENGTH),
        department=words(group.orc, "17.2", "17.1", "13.9", "13.4", "13.1"),
        visit_number=key(visit, "19.1"),
        patient_class=words(visit, "2", longest=_CLASS_LENGTH),
        ordered_at=_happened_at(message, group),
        fee_lines=tuple(map(partial(fees.line_of, group.placer_order_number), film_fees)),
    )


def _cancel(message: Message, group: Group) -> object:
    return CancelOrder(
        accession_number=group.accession_number,
        placer_order_number=group.placer_order_number,
        said_at=_happened_at(message, group),
    )


def _complete(message: Message, group: Group) -> object:
    return CompleteExam(
        accession_number=group.accession_number,
        placer_order_number=group.placer_order_number,
        patient=read_patient(message),
        study_uids=tuple(
            dict.fromkeys(
                study_uid(zds.get(f"1[{place}].1"), "ZDS-1")
                for zds in group.named("ZDS")
                for place in range(1, zds.count(1) + 1)
            )
        ),
        performed_at=_happened_at(message, group),
    )


def _happened_at(message: Message, group: Group) -> datetime:
    return moment(group.orc, "9.1") or said_at(message)
