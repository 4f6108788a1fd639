"""Payments (S3, P6▲): each told payment is kept as it was told, and settles its fee line at most once.

A payment may come before the order that carries its line: it waits, and `apply_waiting` settles the line
when it is known, so that both end in the same rows whichever came first. A payment that fits no unpaid line
of its amount is parked with its reason, noted for a person and booked as unassigned: never "paid" (decision
9).

Locks are taken in the order exam, fee line, as the other steps of an exam do.
"""

import json
from dataclasses import dataclass

from billing import ledger
from core import db, problems
from core.clock import now
from core.commands import SettleFee
from core.errors import Conflict, Refused
from core.models import Charge, Exam, Settlement
from crypto.sm3 import sm3

# The HIS collects a line once and may say so twice (in the order, in DFT^P03): its payments are named by
# the line.
HIS_SOURCE = "his"


@dataclass(frozen=True)
class SettleOutcome:
    """`state`: accepted | already (this very payment was accepted before) | parked (why: `reason`)."""

    state: str
    fee_line_id: str
    reason: str = ""


def settle(command: SettleFee) -> SettleOutcome:
    """Record a payment and settle its line.

    Repeating a payment (same source and key) gives its verdict again; one that waits for its order is
    `parked` until then. Raises `Refused` for a senseless one, `Conflict` when the key was used for another
    payment.
    """
    _require_sensible(command)
    with db.transaction():
        charge = lock_line(command.fee_line_id)
        if _is_echo(command, charge):
            return SettleOutcome("already", command.fee_line_id)
        settlement = _record(command)
        if settlement.state == "waiting" and charge is not None:
            settlement = _decide(settlement)
            return SettleOutcome(settlement.state, command.fee_line_id, settlement.reason)
        if settlement.state == "waiting":
            return _wait(settlement)
        state = "already" if settlement.state == "accepted" else settlement.state
        return SettleOutcome(state, command.fee_line_id, settlement.reason)


def apply_waiting(fee_line_id: str) -> None:
    """Decide on the payments that came before their line; called in the transaction that writes the line."""
    for settlement in Settlement.all_with(
        Settlement.fee_line_id == fee_line_id, Settlement.state == "waiting"
    ):
        _decide(settlement)


def lock_line(fee_line_id: str) -> Charge | None:
    """Hold the exam, then the name of the line, whether its row exists or not; return the row."""
    charge = Charge.get_or_none(Charge.fee_line_id == fee_line_id)
    if charge is not None and charge.exam_id is not None:
        db.lock(Exam(id=charge.exam_id))
    if db.is_sqlite():
        return charge
    db.lock_name(f"fee_line:{fee_line_id}")
    return Charge.get_or_none(Charge.fee_line_id == fee_line_id)


def _require_sensible(command: SettleFee) -> None:
    if command.amount_fen <= 0:
        raise Refused(f"payment {command.source}:{command.key}: the amount is {command.amount_fen} fen")
    limits = {"source": 32, "key": 64, "fee_line_id": 64, "channel": 16, "external_number": 64}
    for name, longest in limits.items():
        if len(getattr(command, name)) > longest:
            raise Refused(f"payment {command.source}: {name} has more than {longest} characters")
    if not (command.source and command.key and command.fee_line_id):
        raise Refused("a payment needs its source, key and fee_line_id")


def _is_echo(command: SettleFee, charge: Charge | None) -> bool:
    """Whether the HIS only repeats, with its number, a payment that we told it of."""
    return (
        command.source == HIS_SOURCE
        and charge is not None
        and charge.state == "paid"
        and command.external_number != ""
        and Settlement.select()
        .where(
            Settlement.fee_line_id == command.fee_line_id,
            Settlement.state == "accepted",
            Settlement.external_number == command.external_number,
        )
        .exists()
    )


def _record(command: SettleFee) -> Settlement:
    key = command.fee_line_id if command.source == HIS_SOURCE else command.key
    digest = _body_sm3(command)
    Settlement.insert(
        source=command.source,
        key=key,
        fee_line_id=command.fee_line_id,
        amount_fen=command.amount_fen,
        channel=command.channel,
        external_number=command.external_number,
        paid_at=command.paid_at,
        state="waiting",
        body_sm3=digest,
        created_at=now(),
    ).on_conflict_ignore().execute()
    settlement = Settlement.get(Settlement.source == command.source, Settlement.key == key)
    if settlement.body_sm3 != digest:
        raise Conflict(f"payment {command.source}:{key} was told before with other content; use a new key")
    return settlement


def _body_sm3(command: SettleFee) -> str:
    """What makes two told payments the same. The time does not: a till that repeats may take a new one."""
    body: list[object] = [command.fee_line_id, command.amount_fen]
    if command.source != HIS_SOURCE:
        body += [command.channel, command.external_number]
    return sm3(json.dumps(body, ensure_ascii=False).encode()).hex()


def _decide(settlement: Settlement) -> Settlement:
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
    problems.withdraw("billing", _reference(settlement))
    if paid:
        settlement.state, settlement.reason = "accepted", ""
        ledger.book_fee(settlement)
    else:
        settlement.state, settlement.reason = "parked", _why_not(settlement)
        ledger.book_unassigned(settlement)
        problems.note("billing", _reference(settlement), f"{_subject(settlement)}: {settlement.reason}")
    settlement.save(only=[Settlement.state, Settlement.reason])
    return settlement


def _why_not(settlement: Settlement) -> str:
    charge = Charge.get(Charge.fee_line_id == settlement.fee_line_id)
    if charge.state == "cancelled":
        return "the order was cancelled: pay the money back"
    if charge.choice != "charge":
        return f"nothing is owed, the fee is {charge.choice}: pay the money back"
    if charge.state == "paid":
        return "the line was already paid by another payment: pay the money back"
    return f"{settlement.amount_fen} fen were paid, {charge.amount_fen} fen are owed: compare with the HIS"


def _wait(settlement: Settlement) -> SettleOutcome:
    reason = "the fee line is not known yet: the payment is kept, and settles it when the order comes"
    problems.note("billing", _reference(settlement), f"{_subject(settlement)}: {reason}")
    return SettleOutcome("parked", settlement.fee_line_id, reason)


def _reference(settlement: Settlement) -> str:
    return f"{settlement.source}:{settlement.key}"


def _subject(settlement: Settlement) -> str:
    return f"payment {_reference(settlement)} for fee line {settlement.fee_line_id}"
