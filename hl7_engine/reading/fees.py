"""The film fee in orders (FT1 with ZFE), payments and refunds that the HIS made (DFT^P03; v2.5.1 chapter 6).

Of all FT1 lines only those of the film item matter. FT1 alone is enough; ZFE, when it is there, says more.
The fee line id, FT1-2, is the key of money: not the message's control id, which a repetition may change.

| FT1-6, ZFE-4 | what follows |
|---|---|
| CG, 1 or none | the line is paid |
| CG, 0 | nothing: not paid yet |
| CG, 4 | the line is waived |
| CR, or a negative amount, or ZFE-4 = 3 | money went back for the line in ZFE-15, else in FT1-2 |
| ZFE-4 = 2 | nothing yet: the refund is on its way |
"""

import re
from dataclasses import dataclass
from datetime import datetime

from core.commands import FeeLine, RefundFee, SettleFee, WaiveFee
from crypto.sm3 import sm3
from hl7_engine import fee_codes
from hl7_engine.er7 import Segment
from hl7_engine.errors import REQUIRED_FIELD_MISSING, Unreadable, Unsupported, quoted
from hl7_engine.reading.groups import Group
from hl7_engine.reading.source import KEY_LENGTH, Scope, Source
from hl7_engine.reading.values import fen

# The source of payments that the HIS itself collected; its payments are named by their fee line.
HIS = "his"
_CHANNEL_LENGTH = 16
_STATES = frozenset(
    {"", fee_codes.UNPAID, fee_codes.PAID, fee_codes.REFUNDING, fee_codes.REFUNDED, fee_codes.WAIVED}
)


@dataclass(frozen=True)
class FilmFee:
    """One film line as FT1 and ZFE tell it. `state` is ZFE-4, empty without a ZFE; `channel` in our words."""

    fee_line_id: str
    order_number: str
    item_code: str
    amount_fen: int
    paid_fen: int
    state: str
    collect_on_behalf: bool
    channel: str
    happened_at: datetime | None
    external_number: str
    original_line: str
    is_refund: bool


def read(source: Source) -> list[object]:
    """DFT^P03 from the HIS: what happened to each film line; other lines are not ours."""
    found = (_command_of(source, fee) for fee in film_fees(source, source.message.all_segments))
    return [command for command in found if command is not None]


def of_groups(source: Source, groups: list[Group]) -> list[list[FilmFee]]:
    """The film lines of each order: a line goes to the order that it names (FT1-23), else where it stands."""
    places = {group.placer_order_number: place for place, group in enumerate(groups)}
    places.pop("", None)
    found: list[list[FilmFee]] = [[] for _ in groups]
    for home, group in enumerate(groups):
        for fee in film_fees(source, group.others, {"ORC": group.orc, "OBR": group.obr}):
            found[places.get(fee.order_number, home)].append(fee)
    return found


def line_of(placer_order_number: str, fee: FilmFee) -> FeeLine:
    """The fee as the order's command carries it. Raises `Unsupported` for a refund."""
    if fee.is_refund:
        raise Unsupported(f"fee line {fee.fee_line_id}: a refund comes by DFT^P03, not in an order")
    is_paid = fee.state == fee_codes.PAID
    return FeeLine(
        fee_line_id=fee.fee_line_id,
        placer_order_number=placer_order_number,
        item_code=fee.item_code,
        amount_fen=fee.amount_fen,
        collect_on_behalf=fee.collect_on_behalf,
        choice=_choice(fee),
        paid=is_paid,
        paid_at=fee.happened_at if is_paid else None,
        external_number=fee.external_number,
        channel=fee.channel,
        paid_fen=fee.paid_fen if is_paid and fee.paid_fen != fee.amount_fen else None,
    )


def film_fees(source: Source, segments: list[Segment], others: Scope | None = None) -> list[FilmFee]:
    """The film lines among the segments, each with its ZFE. `others` are the segments of the order around them."""
    lines = [line for line in segments if line.name == "FT1"]
    film_lines = [
        line for line in lines if source.code("fee_item_code", {"FT1": line}) == source.film_item_code.upper()
    ]
    details = _details(source, segments, lines, film_lines)
    nothing = source.message.missing("ZFE")
    found = []
    for line in film_lines:
        line_id = source.key("fee_line_id", {"FT1": line})
        if not line_id:
            text = "FT1-2 of the film line is missing: it is the key of the payment"
            raise Unreadable(text, REQUIRED_FIELD_MISSING)
        detail = details.get(line_id, nothing)
        found.append(_read_fee(source, line_id, {**(others or {}), "FT1": line, "ZFE": detail}))
    return found


def _details(
    source: Source, segments: list[Segment], lines: list[Segment], film_lines: list[Segment]
) -> dict[str, Segment]:
    """ZFE by fee line id. Raises `Unreadable` for one that fits no line: it may say that the line is not paid."""
    known = {source.value("fee_line_id", {"FT1": line}) for line in lines}
    found: dict[str, Segment] = {}
    for zfe in (segment for segment in segments if segment.name == "ZFE"):
        line_id = zfe.get("2.1")
        if not line_id and len(film_lines) == 1:
            line_id = source.value("fee_line_id", {"FT1": film_lines[0]})
        if line_id not in known:
            raise Unreadable("ZFE-2 is the id of no FT1-2 in the message: which line does it tell of")
        found.setdefault(line_id, zfe)
    return found


def _command_of(source: Source, fee: FilmFee) -> object | None:
    if fee.state == fee_codes.REFUNDING:
        return None
    if fee.is_refund:
        return _refund(source, fee)
    if fee.state == fee_codes.WAIVED:
        return WaiveFee(
            fee_line_id=fee.fee_line_id, placer_order_number=fee.order_number, said_at=source.said_at
        )
    if fee.state == fee_codes.UNPAID:
        return None
    return SettleFee(
        source=HIS,
        key=fee.fee_line_id,
        fee_line_id=fee.fee_line_id,
        amount_fen=fee.paid_fen,
        paid_at=fee.happened_at or source.said_at,
        channel=fee.channel or HIS,
        external_number=fee.external_number,
    )


def _refund(source: Source, fee: FilmFee) -> RefundFee:
    """The HIS books a refund as a line of its own (FT1-2) for an original one (ZFE-15), or under the same id.

    Under the same id two parts of a refund are told apart by their numbers.
    """
    key = fee.fee_line_id
    if not fee.original_line and fee.external_number:
        key = f"{fee.fee_line_id}/{fee.external_number}"
        key = key if len(key) <= KEY_LENGTH else sm3(key.encode()).hex()
    return RefundFee(
        source=HIS,
        key=key,
        fee_line_id=fee.original_line or fee.fee_line_id,
        amount_fen=abs(fee.paid_fen),
        refunded_at=fee.happened_at or source.said_at,
        channel=fee.channel or HIS,
        external_number=fee.external_number,
    )


def _read_fee(source: Source, line_id: str, scope: Scope) -> FilmFee:
    amount = _amount(source, scope)
    state = source.code("fee_state", scope)
    kind = source.code("fee_type", scope)
    _require_known(line_id, kind, state)
    channel = source.value("fee_channel", scope).upper()
    paid, place = source.find("fee_paid_amount", scope)
    return FilmFee(
        fee_line_id=line_id,
        order_number=source.key("fee_order_number", scope),
        item_code=source.film_item_code,
        amount_fen=amount,
        paid_fen=fen(paid, str(place)) if paid else amount,
        state=state,
        collect_on_behalf=source.code("collect_on_behalf", scope) != "N",
        channel=fee_codes.CHANNELS.get(channel, channel.lower())[:_CHANNEL_LENGTH],
        happened_at=source.moment("fee_happened_at", scope),
        external_number=source.key("fee_external_number", scope),
        original_line=source.key("fee_original_line", scope),
        is_refund=kind == fee_codes.CREDIT or amount < 0 or state == fee_codes.REFUNDED,
    )


def _amount(source: Source, scope: Scope) -> int:
    """FT1-11, the extended amount; else FT1-12, the unit amount, times FT1-10, one when absent."""
    text, place = source.find("fee_amount", scope)
    if text:
        return fen(text, str(place))
    unit, unit_place = source.find("fee_unit_amount", scope)
    if not unit:
        raise Unreadable("FT1-11, the amount of the film line, is missing", REQUIRED_FIELD_MISSING)
    quantity = source.value("fee_quantity", scope) or "1"
    if not re.fullmatch(r"-?[0-9]{1,4}", quantity):
        raise Unreadable(f"FT1-10 is {quoted(quantity)}: the quantity of films is a whole number")
    return fen(unit, str(unit_place)) * int(quantity)


def _require_known(line_id: str, kind: str, state: str) -> None:
    """Raise `Unsupported` for codes that nobody has translated: guessed, a refund would become a payment."""
    if state not in _STATES:
        raise Unsupported(f"fee line {line_id}: ZFE-4 is {quoted(state)}: add it to [codes.fee_state]")
    is_told_by_state = not kind and state != ""
    if kind not in (fee_codes.CHARGE, fee_codes.CREDIT) and not is_told_by_state:
        raise Unsupported(f"fee line {line_id}: FT1-6 is {quoted(kind)}: add it to [codes.fee_type]")
    if kind == fee_codes.CREDIT and state in (fee_codes.UNPAID, fee_codes.WAIVED):
        raise Unsupported(f"fee line {line_id}: FT1-6 says refund, ZFE-4 says {state}: which of the two")


def _choice(fee: FilmFee) -> str:
    if fee.state == fee_codes.WAIVED:
        return "waived"
    # A film line without a price is part of the exam's own price.
    return "charge" if fee.amount_fen else "included"
