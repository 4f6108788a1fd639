"""DFT^P03 to the HIS: a film fee was collected or given back by someone else (v2.5.1 chapter 6.3; ZFE in
docs/hl7-interface.md)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from hl7apy.exceptions import HL7apyException

from core.models import Charge, PatientIdentifier, Settlement
from hl7_engine import fee_codes
from hl7_engine.er7 import escape
from hl7_engine.errors import Unwritable
from hl7_engine.times import format_moment
from hl7_engine.writing.envelope import (
    STANDARD,
    Envelope,
    fill_patient,
    new_message,
    new_segment,
    to_bytes,
)

REFUND = "refund"


@dataclass(frozen=True)
class PaymentFacts:
    """What the HIS is told of one payment of a fee line, or refund (`kind`). `identifiers` are (assigner, value) pairs."""

    fee_line_id: str
    placer_order_number: str
    item_code: str
    amount_fen: int
    paid_at: datetime
    channel: str
    source: str
    payment_key: str
    external_number: str
    patient_name: str
    identifiers: tuple[tuple[str, str], ...]
    patient_class: str
    visit_number: str
    kind: str = "payment"

    @classmethod
    def of(cls, charge: Charge, settlement: Settlement) -> Self:
        """From a line and the settlement that paid it or gave it back. Raises `Unwritable` without a patient."""
        exam = charge.exam
        patient = exam.patient if exam else None
        if exam is None or patient is None:
            raise Unwritable(
                f"fee line {charge.fee_line_id} has no exam with a patient: the HIS cannot book it"
            )
        known = PatientIdentifier.select().where(PatientIdentifier.patient == patient)
        return cls(
            fee_line_id=charge.fee_line_id,
            placer_order_number=charge.placer_order_number or exam.placer_order_number,
            item_code=charge.item_code,
            amount_fen=settlement.amount_fen,
            paid_at=settlement.paid_at,
            channel=settlement.channel,
            source=settlement.source,
            payment_key=settlement.key,
            external_number=settlement.external_number,
            patient_name=patient.name,
            identifiers=tuple((row.assigner, row.value) for row in known.order_by(PatientIdentifier.id)),
            patient_class=exam.patient_class,
            visit_number=exam.visit_number,
            kind=settlement.kind,
        )


def build(facts: PaymentFacts, control_id: str, envelope: Envelope = STANDARD) -> bytes:
    """The message, validated. Raises `Unwritable` naming what HL7 does not allow."""
    try:
        message = new_message("DFT^P03", "DFT_P03", control_id, envelope)
        message.evn.evn_1 = "P03"
        message.evn.evn_2 = format_moment(facts.paid_at)
        fill_patient(message.pid, facts.patient_name, facts.identifiers)
        message.pv1.pv1_1 = "1"
        message.pv1.pv1_2 = escape(facts.patient_class) or "U"
        message.pv1.pv1_19 = f"{escape(facts.visit_number)}^^^HIS^VN"
        _fill_charge(message.add_group("DFT_P03_FINANCIAL").add_segment("FT1"), facts)
        # hl7apy leaves Z segments out when it writes a whole message.
        fee = new_segment("ZFE")
        _fill_fee(fee, facts)
        return to_bytes(message, envelope, fee)
    except (HL7apyException, ValueError) as error:
        # Its text would quote what does not fit, which may be a name.
        reason = type(error).__name__
        raise Unwritable(
            f"{facts.kind} of fee line {facts.fee_line_id} makes no valid DFT^P03 ({reason})"
        ) from error


def _fill_charge(ft1: Any, facts: PaymentFacts) -> None:
    ft1.ft1_1 = "1"
    ft1.ft1_2 = escape(facts.fee_line_id)
    ft1.ft1_3 = escape(facts.payment_key)
    ft1.ft1_4 = format_moment(facts.paid_at)
    ft1.ft1_5 = format_moment(facts.paid_at)
    sign = "-" if facts.kind == REFUND else ""
    ft1.ft1_6 = fee_codes.CREDIT if facts.kind == REFUND else fee_codes.CHARGE
    ft1.ft1_7 = escape(facts.item_code)
    ft1.ft1_10 = f"{sign}1"
    ft1.ft1_11 = f"{sign}{_yuan(facts.amount_fen)}"
    ft1.ft1_12 = _yuan(facts.amount_fen)
    ft1.ft1_23 = f"{escape(facts.placer_order_number)}^HIS"


def _fill_fee(zfe: Any, facts: PaymentFacts) -> None:
    values = {
        1: "1",
        2: escape(facts.fee_line_id),
        3: escape(facts.placer_order_number),
        4: fee_codes.REFUNDED if facts.kind == REFUND else fee_codes.PAID,
        5: "Y",
        6: fee_codes.CHANNEL_CODES.get(facts.channel, escape(facts.channel.upper())),
        7: format_moment(facts.paid_at),
        8: _yuan(facts.amount_fen),
        9: _yuan(facts.amount_fen),
        10: escape(facts.payment_key),
        11: escape(facts.external_number),
        14: escape(facts.source),
        15: escape(facts.fee_line_id) if facts.kind == REFUND else "",
    }
    for place, value in values.items():
        if value:
            setattr(zfe, f"zfe_{place}", value)


def _yuan(amount_fen: int) -> str:
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"
