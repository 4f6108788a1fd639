"""When a fee was collected by someone other than the HIS, then the HIS is told by DFT^P03, in order, until it ACKs (P6▲)."""

from core import problems
from core.models import Charge, Settlement
from hl7_engine import outgoing
from hl7_engine.errors import Unwritable
from hl7_engine.writing import payment
from workflow.context import Platform

PEER = "HIS"
# Who told us already knows.
HIS_SOURCE = "his"


def tell_his_of_payment(charge: Charge) -> None:
    """Owe the HIS one message for a paid line; in the caller's transaction, once per line."""
    if charge.state != "paid" or charge.exam is None or charge.exam.patient is None:
        return
    settlement = Settlement.get_or_none(
        Settlement.fee_line_id == charge.fee_line_id,
        Settlement.state == "accepted",
        Settlement.kind == "payment",
    )
    if settlement is None or settlement.source == HIS_SOURCE:
        return
    facts = payment.PaymentFacts.of(charge, settlement)
    key = f"payment:{charge.fee_line_id}"
    try:
        outgoing.queue(PEER, key, "DFT^P03", lambda control_id: payment.build(facts, control_id))
    except Unwritable as error:
        # The payment stands whatever HL7 lacks; a person tells the HIS.
        problems.note("his", key, f"the HIS was not told of a payment: {error}", peer=PEER)


def send_to_his(platform: Platform, message_id: int) -> None:
    """Deliver one owed message; repeating it after the ACK changes nothing."""
    if platform.his is not None:
        outgoing.deliver(message_id, platform.his)
