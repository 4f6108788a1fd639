"""What payments and refunds have in common: each is recorded once as it was told, and takes its turn at its fee line."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core import db, problems
from core.commands import RefundFee, SettleFee
from core.errors import Conflict, Refused
from core.models import Charge, Exam, Settlement
from crypto.sm3 import sm3

# The HIS collects a line once and may say so twice (in the order, in DFT^P03): its payments are named by the line.
HIS_SOURCE = "his"
PAYMENT = "payment"
REFUND = "refund"
_LIMITS = {"source": 32, "key": 64, "fee_line_id": 64, "channel": 16, "external_number": 64}


@dataclass(frozen=True)
class SettleOutcome:
    """`state`: accepted | already (this very one was accepted before) | parked (why: `reason`)."""

    state: str
    fee_line_id: str
    reason: str = ""


def lock_line(fee_line_id: str) -> Charge | None:
    """Hold the line's exam, or the name of a line that has none or is not known yet; return its row."""
    charge = Charge.get_or_none(Charge.fee_line_id == fee_line_id)
    if db.is_sqlite():
        return charge
    if charge is not None and charge.exam_id is not None:
        db.lock(Exam(id=charge.exam_id))
        return Charge.get(Charge.fee_line_id == fee_line_id)
    with db.database.atomic() as savepoint:
        db.lock_name(f"fee_line:{fee_line_id}")
        charge = Charge.get_or_none(Charge.fee_line_id == fee_line_id)
        if charge is None or charge.exam_id is None:
            return charge
        # It was born while we waited. Going back lets go of the name, so that the exam is held first.
        savepoint.rollback()
    return lock_line(fee_line_id)


def require_sensible(kind: str, command: SettleFee | RefundFee) -> None:
    """Raise `Refused` for what no till can mean, or no column can hold."""
    if command.amount_fen <= 0:
        raise Refused(f"{kind} {command.source}:{command.key}: the amount is {command.amount_fen} fen")
    for name, longest in _LIMITS.items():
        if len(getattr(command, name)) > longest:
            raise Refused(f"{kind} {command.source}: {name} has more than {longest} characters")
    if not (command.source and command.key and command.fee_line_id):
        raise Refused(f"a {kind} needs its source, key and fee_line_id")


def record(
    kind: str, key: str, command: SettleFee | RefundFee, happened_at: datetime, body: Sequence[object]
) -> Settlement:
    """The row of `source` and `key`, written if it is new: then it is `waiting`.

    `body` is what makes two told ones the same. Raises `Conflict` when the key was used for another.
    """
    digest = sm3(json.dumps(body, ensure_ascii=False).encode()).hex()
    Settlement.add_if_new(
        kind=kind,
        source=command.source,
        key=key,
        fee_line_id=command.fee_line_id,
        amount_fen=command.amount_fen,
        channel=command.channel,
        external_number=command.external_number,
        paid_at=happened_at,
        state="waiting",
        body_sm3=digest,
    )
    told = Settlement.get(Settlement.source == command.source, Settlement.key == key)
    if told.body_sm3 != digest:
        raise Conflict(f"{kind} {command.source}:{key} was told before with other content; use a new key")
    return told


def verdict(told: Settlement, *, is_new: bool) -> SettleOutcome:
    """What to answer for a decided payment or refund."""
    state = "already" if told.state == "accepted" and not is_new else told.state
    return SettleOutcome(state, told.fee_line_id, told.reason)


def wait(told: Settlement, reason: str) -> SettleOutcome:
    """It stays as it is until what it needs is told; visible to people meanwhile."""
    _note(told, reason)
    return SettleOutcome("parked", told.fee_line_id, reason)


def accept(told: Settlement, reason: str = "") -> None:
    """It counts."""
    _leave(told, "accepted", reason)


def park(told: Settlement, reason: str) -> None:
    """A person has to look."""
    _leave(told, "parked", reason)
    _note(told, reason)


def name_of(told: Settlement) -> str:
    """`payment kiosk-1:0001`."""
    return f"{told.kind} {told.source}:{told.key}"


def withdraw_problem(told: Settlement) -> None:
    """Nobody need look any more."""
    problems.withdraw("billing", _reference(told))


def _leave(told: Settlement, state: str, reason: str) -> None:
    withdraw_problem(told)
    told.state, told.reason = state, reason
    told.save(only=[Settlement.state, Settlement.reason])


def _note(told: Settlement, reason: str) -> None:
    text = f"{name_of(told)} for fee line {told.fee_line_id}: {reason}"
    problems.note("billing", _reference(told), text)


def _reference(told: Settlement) -> str:
    return f"{told.source}:{told.key}"
