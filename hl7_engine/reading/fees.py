"""The film fee in orders (FT1 with ZFE) and payments that the HIS collected (DFT^P03; v2.5.1 chapter 6).

Of all FT1 lines only those of the film item matter. FT1 alone is enough; ZFE, when it is there, says more.
The fee line id, FT1-2, is the key of money: not the message's control id, which a repetition may change.
"""

from dataclasses import dataclass
from datetime import datetime

from core.commands import FeeLine, SettleFee
from hl7_engine import fee_codes
from hl7_engine.er7 import Message, Segment, Separators
from hl7_engine.errors import REQUIRED_FIELD_MISSING, Unreadable, Unsupported
from hl7_engine.reading.groups import Group
from hl7_engine.reading.values import fen, key, moment, said_at

# The source of payments that the HIS itself collected; its payments are named by their fee line.
HIS = "his"
_CHANNEL_LENGTH = 16


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
    is_refund: bool


def read(message: Message, film_item_code: str) -> list[object]:
    """DFT^P03 from the HIS: one `SettleFee` for each film line that was collected; other lines are not ours.

    Raises `Unsupported` for refunds and waivers: a person must look.
    """
    commands: list[object] = []
    for fee in film_fees(message.all_segments, film_item_code):
        _require_no_refund(fee)
        if fee.state == fee_codes.WAIVED:
            raise Unsupported(f"fee line {fee.fee_line_id}: a waiver comes with its order, not by DFT")
        if fee.state != fee_codes.UNPAID:
            commands.append(
                SettleFee(
                    source=HIS,
                    key=fee.fee_line_id,
                    fee_line_id=fee.fee_line_id,
                    amount_fen=fee.paid_fen,
                    paid_at=fee.happened_at or said_at(message),
                    channel=fee.channel or HIS,
                    external_number=fee.external_number,
                )
            )
    return commands


def of_groups(groups: list[Group], film_item_code: str) -> list[list[FilmFee]]:
    """The film lines of each order: a line goes to the order that it names (FT1-23), else where it stands."""
    places = {group.placer_order_number: place for place, group in enumerate(groups)}
    places.pop("", None)
    found: list[list[FilmFee]] = [[] for _ in groups]
    for home, group in enumerate(groups):
        for fee in film_fees(group.others, film_item_code):
            found[places.get(fee.order_number, home)].append(fee)
    return found


def line_of(placer_order_number: str, fee: FilmFee) -> FeeLine:
    """The fee as the order's command carries it. Raises `Unsupported` for a refund."""
    _require_no_refund(fee)
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
    )


def film_fees(segments: list[Segment], film_item_code: str) -> list[FilmFee]:
    """The film lines among the segments, each with its ZFE."""
    details = [segment for segment in segments if segment.name == "ZFE"]
    found = []
    for line in segments:
        if line.name != "FT1" or line.get("7.1") != film_item_code:
            continue
        line_id = key(line, "2.1")
        if not line_id:
            text = "FT1-2 of the film line is missing: it is the key of the payment"
            raise Unreadable(text, REQUIRED_FIELD_MISSING)
        detail = next((zfe for zfe in details if zfe.get("2") == line_id), Segment("ZFE", Separators()))
        found.append(_read_fee(line, line_id, detail))
    return found


def _read_fee(line: Segment, line_id: str, detail: Segment) -> FilmFee:
    amount = _amount(line)
    state = detail.get("4")
    channel = detail.get("6").upper()
    return FilmFee(
        fee_line_id=line_id,
        order_number=key(line, "23.1") or key(detail, "3"),
        item_code=line.get("7.1"),
        amount_fen=amount,
        paid_fen=fen(detail.get("9"), "ZFE-9") if detail.get("9") else amount,
        state=state,
        collect_on_behalf=detail.get("5").upper() != "N",
        channel=fee_codes.CHANNELS.get(channel, channel.lower())[:_CHANNEL_LENGTH],
        happened_at=moment(detail, "7") or moment(line, "4.1"),
        external_number=key(detail, "11") or key(detail, "10") or key(line, "3"),
        is_refund=_is_refund(line, amount) or state in (fee_codes.REFUNDING, fee_codes.REFUNDED),
    )


def _amount(line: Segment) -> int:
    """FT1-11, the extended amount; else FT1-12, the unit amount, times FT1-10, one when absent."""
    if line.get("11.1.1"):
        return fen(line.get("11.1.1"), "FT1-11")
    if not line.get("12.1.1"):
        raise Unreadable("FT1-11, the amount of the film line, is missing", REQUIRED_FIELD_MISSING)
    quantity = line.get("10") or "1"
    if not quantity.removeprefix("-").isdecimal():
        raise Unreadable(f"FT1-10 is {quantity[:32]!r}: the quantity of films is a whole number")
    return fen(line.get("12.1.1"), "FT1-12") * int(quantity)


def _is_refund(line: Segment, amount: int) -> bool:
    return line.get("6").upper() == fee_codes.CREDIT or amount < 0


def _choice(fee: FilmFee) -> str:
    if fee.state == fee_codes.WAIVED:
        return "waived"
    # A film line without a price is part of the exam's own price.
    return "charge" if fee.amount_fen else "included"


def _require_no_refund(fee: FilmFee) -> None:
    if fee.is_refund:
        text = f"fee line {fee.fee_line_id}: refunds are not acted upon yet: settle it with the cashier"
        raise Unsupported(text)
