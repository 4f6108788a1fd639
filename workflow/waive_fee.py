"""When the hospital asks nothing for a film, then its line is waived, and the exam may be published (S3)."""

from billing import charges
from core.commands import WaiveFee
from core.db import transaction
from workflow.publish_exam import publish_if_complete


def waive_fee(command: WaiveFee) -> None:
    """Waive the line; a paid or unknown one becomes a problem for a person."""
    with transaction():
        charge = charges.waive_line(command.fee_line_id)
        if charge is not None and charge.exam is not None:
            publish_if_complete(charge.exam)
