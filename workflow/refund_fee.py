"""When money is given back for a film, then its line says so: once, never more than was paid; a film that is not out yet
stays in (S3, P6▲)."""

from billing import refund
from billing.told import SettleOutcome
from core.commands import RefundFee
from core.db import transaction


def refund_fee(command: RefundFee) -> SettleOutcome:
    """Record the refund. Accepted, already known, or parked with a reason; never done twice."""
    with transaction():
        return refund.refund(command)
