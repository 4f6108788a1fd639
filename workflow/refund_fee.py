"""When money is given back for a film, then its line says so: once, never more than was paid; a film that is not out yet
stays in (S3, P6▲)."""

from billing import refund
from billing.told import SettleOutcome
from core.commands import RefundFee
from core.db import transaction
from core.models import Charge
from workflow.tell_his import ask_to_tell


def refund_fee(command: RefundFee) -> SettleOutcome:
    """Record the refund. Accepted, already known, or parked with a reason; never done twice."""
    with transaction():
        outcome = refund.refund(command)
        charge = Charge.get_or_none(Charge.fee_line_id == command.fee_line_id)
        if outcome.state == "accepted" and charge is not None:
            ask_to_tell(charge)
        return outcome
