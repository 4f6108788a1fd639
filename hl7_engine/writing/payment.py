"""DFT^P03 to the HIS: a film fee was collected by someone else (v2.5.1 chapter 6.3; ZFE in docs/hl7-interface.md)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.core import Message, Segment
from hl7apy.exceptions import HL7apyException

from core.clock import now
from core.models import Charge, PatientIdentifier, Settlement
from hl7_engine import charset, fee_codes
from hl7_engine.acknowledge import APPLICATION
from hl7_engine.er7 import escape
from hl7_engine.errors import Unwritable
from hl7_engine.times import format_moment

# A Chinese HIS reads GB18030 for sure; MSH-18 tells the others.
CHARSET = charset.GB18030
RECEIVER = "HIS"
_VERSION = "2.5.1"


@dataclass(frozen=True)
class PaymentFacts:
    """What the HIS is told of one settled fee line. `identifiers` are (assigner, value) pairs."""

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

    @classmethod
    def of(cls, charge: Charge, settlement: Settlement) -> Self:
        """From a paid line and the settlement that paid it. Raises `Unwritable` without a patient."""
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
        )


def build(facts: PaymentFacts, control_id: str) -> bytes:
    """The message, validated. Raises `Unwritable` naming what HL7 does not allow."""
    try:
        message = Message("DFT_P03", version=_VERSION, validation_level=VALIDATION_LEVEL.STRICT)
        _fill_header(message, facts, control_id)
        _fill_patient(message, facts)
        _fill_charge(message.add_group("DFT_P03_FINANCIAL").add_segment("FT1"), facts)
        message.validate()
        # hl7apy leaves Z segments out when it writes a whole message.
        fee = Segment("ZFE", version=_VERSION, validation_level=VALIDATION_LEVEL.STRICT)
        _fill_fee(fee, facts)
        text = f"{str(message.to_er7()).rstrip()}\r{fee.to_er7()}\r"
    except (HL7apyException, ValueError) as error:
        # Its text would quote what does not fit, which may be a name.
        reason = type(error).__name__
        raise Unwritable(
            f"payment of fee line {facts.fee_line_id} makes no valid DFT^P03 ({reason})"
        ) from error
    return charset.encode(text, CHARSET)


def _fill_header(message: Any, facts: PaymentFacts, control_id: str) -> None:
    message.msh.msh_3 = APPLICATION
    message.msh.msh_5 = RECEIVER
    message.msh.msh_7 = format_moment(now())
    message.msh.msh_9 = "DFT^P03^DFT_P03"
    message.msh.msh_10 = control_id
    message.msh.msh_11 = "P"
    message.msh.msh_15 = "AL"
    message.msh.msh_16 = "NE"
    message.msh.msh_17 = "CHN"
    message.msh.msh_18 = charset.declaration(CHARSET)
    message.evn.evn_1 = "P03"
    message.evn.evn_2 = format_moment(facts.paid_at)


def _fill_patient(message: Any, facts: PaymentFacts) -> None:
    """The numbers by which the HIS knows the patient, and the name; nothing that it need not be told."""
    message.pid.pid_1 = "1"
    for assigner, value in facts.identifiers:
        message.pid.add_field("pid_3").value = f"{escape(value)}^^^{escape(assigner)}^PI"
    message.pid.pid_5 = f"{escape(facts.patient_name)}^^^^^^L^I"
    message.pv1.pv1_1 = "1"
    message.pv1.pv1_2 = escape(facts.patient_class) or "U"
    message.pv1.pv1_19 = f"{escape(facts.visit_number)}^^^HIS^VN"


def _fill_charge(ft1: Any, facts: PaymentFacts) -> None:
    ft1.ft1_1 = "1"
    ft1.ft1_2 = escape(facts.fee_line_id)
    ft1.ft1_3 = escape(facts.payment_key)
    ft1.ft1_4 = format_moment(facts.paid_at)
    ft1.ft1_5 = format_moment(facts.paid_at)
    ft1.ft1_6 = fee_codes.CHARGE
    ft1.ft1_7 = escape(facts.item_code)
    ft1.ft1_10 = "1"
    ft1.ft1_11 = _yuan(facts.amount_fen)
    ft1.ft1_12 = _yuan(facts.amount_fen)
    ft1.ft1_23 = f"{escape(facts.placer_order_number)}^HIS"


def _fill_fee(zfe: Any, facts: PaymentFacts) -> None:
    values = {
        1: "1",
        2: escape(facts.fee_line_id),
        3: escape(facts.placer_order_number),
        4: fee_codes.PAID,
        5: "Y",
        6: fee_codes.CHANNEL_CODES.get(facts.channel, escape(facts.channel.upper())),
        7: format_moment(facts.paid_at),
        8: _yuan(facts.amount_fen),
        9: _yuan(facts.amount_fen),
        10: escape(facts.payment_key),
        11: escape(facts.external_number),
        14: escape(facts.source),
    }
    for place, value in values.items():
        if value:
            setattr(zfe, f"zfe_{place}", value)


def _yuan(amount_fen: int) -> str:
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"
