"""When a film fee was collected or given back by someone other than the HIS, then those who keep the books are told by
DFT^P03, in order, until they ACK (P6▲)."""

from functools import partial

from core import outbox, problems
from core.db import transaction
from core.models import Charge, Settlement
from hl7_engine import outgoing
from hl7_engine.errors import Unwritable
from hl7_engine.site import PAYMENT as RECEIVERS
from hl7_engine.writing import payment
from hl7_engine.writing.envelope import Envelope
from hl7_engine.writing.payment import PaymentFacts
from workflow.context import Platform

# Who told us already knows.
HIS_SOURCE = "his"
_PAYMENT = "payment"
_MONEY_MOVED = frozenset({"paid", "refunded"})


def ask_to_tell(charge: Charge) -> None:
    """Ask for every payment and refund of the line to be told, once each; in the caller's transaction."""
    if charge.state not in _MONEY_MOVED or charge.exam is None or charge.exam.patient_id is None:
        return
    for settlement in Settlement.all_with(
        Settlement.fee_line_id == charge.fee_line_id, Settlement.state == "accepted"
    ):
        # A refund with a reason gives back a payment that never counted, and of which nobody was told.
        if settlement.source != HIS_SOURCE and not settlement.reason:
            stream = f"tell:{charge.placer_order_number or charge.fee_line_id}"
            outbox.record("tell_his", str(settlement.id), {"settlement_id": settlement.id}, stream=stream)


def tell_his(platform: Platform, settlement_id: int) -> None:
    """Owe the receivers of payments one message for this payment or refund; again changes nothing."""
    settlement = Settlement.get_by_id(settlement_id)
    charge = Charge.get(Charge.fee_line_id == settlement.fee_line_id)
    key = _key(settlement)
    for peer in platform.site.receivers(RECEIVERS):
        envelope = Envelope.of(platform.site, peer)
        with transaction():
            try:
                facts = PaymentFacts.of(charge, settlement)
                outgoing.queue(
                    peer.name,
                    key,
                    "DFT^P03",
                    partial(payment.build, facts, envelope=envelope),
                    stream_key=facts.placer_order_number or facts.fee_line_id,
                )
            except Unwritable as error:
                # The payment stands whatever HL7 lacks; a person tells the HIS.
                problems.note("his", key, f"{peer.name} was not told: {error}", peer=peer.name)


def _key(settlement: Settlement) -> str:
    """A line is paid once, and given back in any number of parts."""
    if settlement.kind == _PAYMENT:
        return f"payment:{settlement.fee_line_id}"
    return f"refund:{settlement.source}:{settlement.key}"
