"""Refunds (S3, P6▲): money that was given back for a line, kept as it was told and counted once.

A refund may come before its line, or before the payment that it gives back: it waits, and is decided when that payment is
told, so that both end in the same rows whichever came first. What is given back is either what paid the line, at once or in
parts, or a payment that was parked because it fits nothing ("pay the money back"). More than is left is never taken off the
line: such a refund is parked for a person and booked as unassigned.
"""

from billing import ledger, told
from billing.told import HIS_SOURCE, PAYMENT, REFUND, SettleOutcome
from core import db, problems
from core.commands import RefundFee
from core.errors import Refused
from core.models import Charge, Settlement

_EARLY = "the payment that it gives back is not told yet: the refund is kept, and counted when that comes"
_LONGEST_KEY = 63


def refund(command: RefundFee) -> SettleOutcome:
    """Record a refund and take it off what was paid.

    Repeating one (same source and key) gives its verdict again; one that waits for a payment is `parked` until then.
    Raises `Refused` for a senseless one, `Conflict` when the key was used for something else.
    """
    told.require_sensible(REFUND, command)
    with db.transaction():
        told.lock_line(command.fee_line_id)
        if _is_echo(command):
            return SettleOutcome("already", command.fee_line_id)
        settlement = told.record(REFUND, _key(command), command, command.refunded_at, _body(command))
        if settlement.state != "waiting":
            return told.verdict(settlement, is_new=False)
        if not _decide(settlement):
            return told.wait(settlement, _EARLY)
        return told.verdict(settlement, is_new=True)


def apply_waiting(fee_line_id: str) -> None:
    """Decide on the refunds that came before their payment; called whenever line or payment has become known."""
    for settlement in Settlement.all_with(
        Settlement.fee_line_id == fee_line_id, Settlement.state == "waiting", Settlement.kind == REFUND
    ):
        _decide(settlement)


def _key(command: RefundFee) -> str:
    """Under the id of its own line, the HIS has a payment already."""
    if command.key != command.fee_line_id:
        return command.key
    if len(command.key) > _LONGEST_KEY:
        raise Refused(f"refund {command.source}: a key of its own has at most {_LONGEST_KEY} characters")
    return f"-{command.key}"


def _body(command: RefundFee) -> list[object]:
    body: list[object] = [REFUND, command.fee_line_id, command.amount_fen]
    if command.source != HIS_SOURCE:
        body += [command.channel, command.external_number]
    return body


def _is_echo(command: RefundFee) -> bool:
    """Whether the HIS only repeats, with its number, a refund that we told it of."""
    return (
        command.source == HIS_SOURCE
        and command.external_number != ""
        and Settlement.select()
        .where(
            Settlement.fee_line_id == command.fee_line_id,
            Settlement.kind == REFUND,
            Settlement.state == "accepted",
            Settlement.source != HIS_SOURCE,
            Settlement.external_number == command.external_number,
            Settlement.amount_fen == command.amount_fen,
        )
        .exists()
    )


def _decide(settlement: Settlement) -> bool:
    """Take it off what was paid, or park it; False while no payment of the line is known."""
    charge = Charge.get_or_none(Charge.fee_line_id == settlement.fee_line_id)
    payments = Settlement.all_with(
        Settlement.fee_line_id == settlement.fee_line_id, Settlement.kind == PAYMENT
    )
    accepted = next((one for one in payments if one.state == "accepted"), None)
    set_aside = [one for one in payments if one.state == "parked" and not _is_given_back(one)]
    if charge is None or (accepted is None and not set_aside):
        return False
    unfitting = _unfitting_payment(settlement, accepted, set_aside)
    if unfitting is not None:
        told.accept(settlement, _giving_back(unfitting))
        told.withdraw_problem(unfitting)
        ledger.book_refund_unassigned(settlement)
    elif accepted is not None and settlement.amount_fen <= charge.amount_fen - charge.refunded_fen:
        told.accept(settlement)
        ledger.book_refund(settlement)
        _take_off(charge, settlement.amount_fen)
    else:
        told.park(settlement, _why_not(settlement, charge, accepted))
        ledger.book_refund_unassigned(settlement)
    return True


def _unfitting_payment(
    settlement: Settlement, accepted: Settlement | None, set_aside: list[Settlement]
) -> Settlement | None:
    """The parked payment that this gives back, unless its number says that it is the one that paid the line."""
    number = settlement.external_number
    if accepted is not None and number != "" and accepted.external_number == number:
        return None
    same = [one for one in set_aside if one.amount_fen == settlement.amount_fen]
    return next((one for one in same if one.external_number == number), same[0] if same else None)


def _giving_back(payment: Settlement) -> str:
    return f"gives back {told.name_of(payment)}"


def _is_given_back(payment: Settlement) -> bool:
    return (
        Settlement.get_or_none(
            Settlement.fee_line_id == payment.fee_line_id,
            Settlement.kind == REFUND,
            Settlement.state == "accepted",
            Settlement.reason == _giving_back(payment),
        )
        is not None
    )


def _take_off(charge: Charge, amount_fen: int) -> None:
    charge.refunded_fen += amount_fen
    if charge.refunded_fen == charge.amount_fen:
        charge.state = "refunded"
        problems.withdraw("billing", f"cancelled:{charge.fee_line_id}")
        if charge.exam is not None and charge.exam.published_at is not None:
            text = "the fee was given back after the film was published: it stays published"
            problems.note(
                "billing", f"refunded:{charge.fee_line_id}", f"fee line {charge.fee_line_id}: {text}"
            )
    charge.save()


def _why_not(settlement: Settlement, charge: Charge, accepted: Settlement | None) -> str:
    amount = settlement.amount_fen
    if accepted is None:
        return f"{amount} fen were given back, but no payment of that amount is known: compare with the HIS"
    left = charge.amount_fen - charge.refunded_fen
    return f"{amount} fen were given back, but only {left} fen were left to give: compare with the HIS"
