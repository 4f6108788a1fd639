"""When a kiosk or cashier asks what is owed, then it hears the film fee lines of that order (P6▲, S3)."""

from dataclasses import dataclass

from core import audit
from core.db import transaction
from core.errors import Refused
from core.masking import mask_name
from core.models import Charge, Exam


@dataclass(frozen=True)
class ChargeFacts:
    """One line as a till shows it; `state`: unpaid | paid | cancelled."""

    fee_line_id: str
    placer_order_number: str
    accession_number: str
    item_code: str
    item_name: str
    amount_fen: int
    choice: str
    state: str
    patient_name: str


def find_charges(
    machine: str,
    address: str,
    *,
    placer_order_number: str = "",
    accession_number: str = "",
    fee_line_id: str = "",
) -> list[ChargeFacts]:
    """The lines of one order, exam or line; at least one number is needed. The name is masked."""
    if not (placer_order_number or accession_number or fee_line_id):
        raise Refused("give placer_order_number, accession_number or fee_line_id")
    query = Charge.select().order_by(Charge.id)
    if placer_order_number:
        query = query.where(Charge.placer_order_number == placer_order_number)
    if fee_line_id:
        query = query.where(Charge.fee_line_id == fee_line_id)
    if accession_number:
        query = query.join(Exam).where(Exam.accession_number == accession_number)
    with transaction():
        found = [_facts(charge) for charge in query]
        audit.append(
            f"machine:{machine}", "find_charges", "charges", address=address, detail={"found": len(found)}
        )
    return found


def _facts(charge: Charge) -> ChargeFacts:
    exam = charge.exam
    return ChargeFacts(
        fee_line_id=charge.fee_line_id,
        placer_order_number=charge.placer_order_number,
        accession_number=exam.accession_number if exam else "",
        item_code=charge.item_code,
        item_name=exam.item_name if exam else "",
        amount_fen=charge.amount_fen,
        choice=charge.choice,
        state=charge.state,
        patient_name=mask_name(exam.patient.name) if exam and exam.patient else "",
    )
