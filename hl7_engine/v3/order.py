"""Applications for exams 检查申请: POOR_IN200901UV and …902UV (WS/T 500 part 9), one `observationRequest` with its items.

| statusCode or controlActProcess/code | what follows |
|---|---|
| none, or one that [codes.v3_order_status] calls placed | the order with its film fee |
| one that it calls cancelled | the order is cancelled |

An application is one exam, whatever number of items it lists: they are examined together and reported together.

The standard has no service for fees. The film fee is read where a sample of the field has money, in the `bill` of an
item (component2/observationRequest/bill: id, code, price in yuan), when the item's or the bill's code is the film item
code. Whether it is paid cannot be told here: that comes by DFT^P03, by JSON or from the till.
"""

from dataclasses import dataclass

from core.commands import CancelOrder, FeeLine, PlaceOrder
from hl7_engine.errors import REQUIRED_FIELD_MISSING, Unreadable
from hl7_engine.reading.values import fen
from hl7_engine.v3 import oids, patient
from hl7_engine.v3.facts import Letter, coded, key, named, number, numbers
from hl7_engine.v3.tree import Node

_CANCELLED = "cancelled"
_ITEM_NAME_LENGTH = 128
_MODALITY_LENGTH = 16


def read(letter: Letter) -> list[object]:
    """One `PlaceOrder` or `CancelOrder`. Raises `Unreadable` or `Unsupported`."""
    request = letter.subject
    order_number = application_number(request)
    accession_number = number((request,), oids.ACCESSION, "accession_number")
    if _is_cancelled(letter, request):
        return [CancelOrder(accession_number, order_number, letter.said_at)]
    items = _items(request)
    exams = [item for item in items if item.code != letter.film_item_code]
    encounter = request.at("componentOf1/encounter")
    author = request.at("author")
    return [
        PlaceOrder(
            accession_number=accession_number,
            placer_order_number=order_number,
            patient=patient.of(letter, request),
            item_code=key(exams[0].code, "observationRequest/code") if exams else "",
            item_name=_names(exams),
            modality=_modality(letter, exams),
            department=named(author.at("assignedEntity/representedOrganization")),
            visit_number=number((encounter, encounter.first("patient")), oids.VISIT, "encounter/id"),
            patient_class=letter.meaning("v3_patient_class", coded(encounter.at("code"))),
            ordered_at=letter.moment(author.at("time"), "author/time")
            or letter.moment(request.at("effectiveTime"), "observationRequest/effectiveTime")
            or letter.said_at,
            fee_lines=tuple(line for item in items for line in _film_lines(letter, item, order_number)),
        )
    ]


@dataclass(frozen=True)
class _Item:
    """One item of an application: its element, its code in the hospital's price list and its name."""

    node: Node
    code: str
    name: str


def application_number(request: Node) -> str:
    """电子申请单编号. Raises `Unreadable` without one: nothing could join it."""
    found = number((request,), oids.APPLICATION, "id (2.16.156.10011.1.24)")
    if not found:
        text = "the application has no id of 2.16.156.10011.1.24 (电子申请单编号)"
        raise Unreadable(text, REQUIRED_FIELD_MISSING)
    return found


def _is_cancelled(letter: Letter, request: Node) -> bool:
    """By statusCode; or by `controlActProcess/code`, the trigger event, where some hospitals write new, update, delete."""
    event = letter.meaning("v3_order_status", coded(letter.root.at("controlActProcess/code")))
    status = coded(request.at("statusCode"))
    told = letter.require_meaning("v3_order_status", status, "statusCode") if any(status) else ""
    return _CANCELLED in (event, told)


def _items(request: Node) -> list[_Item]:
    nodes = [item for part in request.all("component2") for item in part.all("observationRequest")]
    return [_Item(node, *coded(node.at("code"))) for node in nodes]


def _names(exams: list[_Item]) -> str:
    names = dict.fromkeys(exam.name for exam in exams if exam.name)
    return "；".join(names)[:_ITEM_NAME_LENGTH]


def _modality(letter: Letter, exams: list[_Item]) -> str:
    """检查类型, the `methodCode` that is not of the national table of methods."""
    for exam in exams:
        method = exam.node.at("methodCode")
        for entry in method.all("item") or [method]:
            told = coded(entry)
            if any(told) and entry.get("codeSystem") != oids.EXAM_METHOD:
                return (letter.meaning("v3_modality", told) or told.code.upper())[:_MODALITY_LENGTH]
    return ""


def _film_lines(letter: Letter, item: _Item, order_number: str) -> list[FeeLine]:
    """The film fee among the bills of an item."""
    bills = item.node.all("bill")
    is_film = item.code == letter.film_item_code
    if is_film and not bills:
        raise Unreadable("the film item has no bill: nothing says what it costs", REQUIRED_FIELD_MISSING)
    return [
        _film_line(letter, item, bill, order_number)
        for bill in bills
        if is_film or _value(bill.at("code")) == letter.film_item_code
    ]


def _film_line(letter: Letter, item: _Item, bill: Node, order_number: str) -> FeeLine:
    """Its id is the bill's number; a film that is an item of its own may be named by its 医嘱ID."""
    line_id = key(next((entry.value for entry in numbers(bill)), ""), "bill/id")
    if not line_id and item.code == letter.film_item_code:
        line_id = number((item.node,), oids.ORDER_ITEM, "observationRequest/id")
    if not line_id:
        text = "bill/id of the film line is missing: it is the key of the payment"
        raise Unreadable(text, REQUIRED_FIELD_MISSING)
    price = _value(bill.at("price"))
    if not price:
        raise Unreadable("bill/price of the film line is missing", REQUIRED_FIELD_MISSING)
    amount_fen = fen(price, "bill/price")
    if amount_fen < 0:
        raise Unreadable("bill/price of the film line is negative: an application is no refund")
    return FeeLine(
        fee_line_id=line_id,
        placer_order_number=order_number,
        item_code=letter.film_item_code,
        amount_fen=amount_fen,
        collect_on_behalf=True,
        # A film line without a price is part of the exam's own price.
        choice="charge" if amount_fen else "included",
    )


def _value(node: Node) -> str:
    """Bills write their facts as @value; code lists as @code; some as text."""
    return node.get("code") or node.get("value") or node.text
