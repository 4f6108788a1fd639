"""When a fee is collected — clinic, kiosk, cashier, WeChat — then its line is paid once, the HIS is told, and the exam
may be published (S3, P6▲)."""

from billing import settle as billing_settle
from billing.told import SettleOutcome
from core import failpoints
from core.commands import SettleFee
from core.db import transaction
from core.models import Charge
from workflow.publish_exam import publish_if_complete
from workflow.tell_his import ask_to_tell


def settle_fee(command: SettleFee) -> SettleOutcome:
    """Record the payment. Accepted, already known, or parked with a reason; never done twice."""
    with transaction():
        outcome = billing_settle.settle(command)
        charge = Charge.get_or_none(Charge.fee_line_id == command.fee_line_id)
        if outcome.state == "accepted" and charge is not None:
            ask_to_tell(charge)
            if charge.exam_id:
                publish_if_complete(charge.exam)
        failpoints.passing("kiosk.before_commit")
        return outcome
