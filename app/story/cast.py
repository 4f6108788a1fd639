"""Who and what the story is about. The name 珅東 is a trap: its GB18030 bytes contain `|` and `^`-like trail bytes."""

from dataclasses import dataclass

from core.commands import PatientFacts


@dataclass(frozen=True)
class Cast:
    """One patient with one exam."""

    patient: PatientFacts
    accession_number: str
    placer_order_number: str
    fee_line_id: str
    amount_fen: int
    item_code: str
    item_name: str
    modality: str
    payment_key: str
    findings: str
    impression: str


def story_cast(modality: str) -> Cast:
    """The cast for a study of `modality`; constant, so that two runs end with the same rows."""
    return Cast(
        patient=PatientFacts(
            identifiers=(("HIS", "0001234567"),),
            name="张珅東",
            id_number="330683198506151230",
            phone="13800138000",
            sex="M",
            birth_date="1985-06-15",
        ),
        accession_number="CT202611240001",
        placer_order_number="SQ202611240001",
        fee_line_id="FY0002",
        amount_fen=2000,
        item_code="210300001",
        item_name=f"{modality}检查",
        modality=modality,
        payment_key="KIOSK-1-20261124-0001",
        findings="右肺上叶见一磨玻璃结节，大小约6mm×5mm，边界清楚。",
        impression="右肺上叶磨玻璃结节，建议6个月后复查。",
    )
