"""Payments (S3, P6▲): each told payment is kept as it was told, and settles its fee line at most once.

A payment may come before the order that carries its line: it waits, and `apply_waiting` settles the line
when it is known, so that both end in the same rows whichever came first. A payment that fits no unpaid line
of its amount is parked with its reason, noted for a person and booked as unassigned: never "paid" (decision
9).
"""

from billing import ledger, refund, told
from billing.told import HIS_SOURCE, PAYMENT, SettleOutcome
from core import db
from core.commands import SettleFee
from core.models import Charge, Settlement

_EARLY = "the fee line is not known yet: the payment is kept, and settles it when the order comes"


def settle(command: SettleFee) -> SettleOutcome:
    """Record a payment and settle its line.

    Repeating a payment (same source and key) gives its verdict again; one that waits for its order is
    `parked` until then. Raises `Refused` for a senseless one, `Conflict` when the key was used for another
    payment.
    """
    told.require_sensible(PAYMENT, command)
    with db.transaction():
        charge = told.lock_line(command.fee_line_id)
        if _is_echo(command, charge):
            return SettleOutcome("already", command.fee_line_id)
        key = command.fee_line_id if command.source == HIS_SOURCE else command.key
        settlement = told.record(PAYMENT, key, command, command.paid_at, _body(command))
        if settlement.state != "waiting":
            return told.verdict(settlement, is_new=False)
        if charge is None:
            return told.wait(settlement, _EARLY)
        _decide(settlement)
        refund.apply_waiting(command.fee_line_id)
        return told.verdict(settlement, is_new=True)


def apply_waiting(fee_line_id: str) -> None:
    """Decide on what came before its line; called in the transaction that writes the line."""
    for settlement in Settlement.all_with(
        Settlement.fee_line_id == fee_line_id, Settlement.state == "waiting", Settlement.kind == PAYMENT
    ):
        _decide(settlement)
    refund.apply_waiting(fee_line_id)


def _is_echo(command: SettleFee, charge: Charge | None) -> bool:
    """Whether the HIS only repeats, with its number, a payment that we told it of."""
    return (
        command.source == HIS_SOURCE
        and charge is not None
        and charge.state in ("paid", "refunded")
        and command.external_number != ""
        and Settlement.select()
        .where(
            Settlement.fee_line_id == command.fee_line_id,
            Settlement.kind == PAYMENT,
            Settlement.state == "accepted",
            Settlement.external_number == command.external_number,
            Settlement.amount_fen == command.amount_fen,
        )
        .exists()
    )


def _body(command: SettleFee) -> list[object]:
    """What makes two told payments the same. The time does not: a till that repeats may take a new one."""
    body: list[object] = [command.fee_line_id, command.amount_fen]
    if command.source != HIS_SOURCE:
        body += [command.channel, command.external_number]
    return body


def _decide(settlement: Settlement) -> None:
    """Settle the line by one conditional UPDATE, or park the payment."""
    paid = (
        Charge.update(state="paid", paid_at=settlement.paid_at, channel=settlement.channel)
        .where(
            Charge.fee_line_id == settlement.fee_line_id,
            Charge.state == "unpaid",
            Charge.choice == "charge",
            Charge.amount_fen == settlement.amount_fen,
        )
        .execute()
    )
    if paid:
        told.accept(settlement)
        ledger.book_fee(settlement)
    else:
        told.park(settlement, _why_not(settlement))
        ledger.book_unassigned(settlement)


def _why_not(settlement: Settlement) -> str:
    charge = Charge.get(Charge.fee_line_id == settlement.fee_line_id)
    if charge.state == "cancelled":
        return "the order was cancelled: pay the money back"
    if charge.choice != "charge":
        return f"nothing is owed, the fee is {charge.choice}: pay the money back"
    if charge.state in ("paid", "refunded"):
        return "the line was already paid by another payment: pay the money back"
    return f"{settlement.amount_fen} fen were paid, {charge.amount_fen} fen are owed: compare with the HIS"
