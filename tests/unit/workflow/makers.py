"""One exam as the hospital's systems tell it, step by step, with one thing changed at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from core.commands import (
    CancelOrder,
    DeliverReport,
    FeeLine,
    PatientFacts,
    PlaceOrder,
    SettleFee,
    WithdrawReport,
)
from core.models import Exam, Instance, IntakeProblem, Pack, Series, Study

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PHONE = "13800138000"
PATIENT = PatientFacts(
    identifiers=(("HIS", "0001234567"),),
    name="张珅東",
    id_number="330683198506151230",
    phone=PHONE,
    sex="M",
    birth_date="1985-06-15",
)
LINE = FeeLine("FY0002", "SQ1", "YYX0001", 2000, collect_on_behalf=True, choice="charge")
ORDER = PlaceOrder(
    accession_number="CT1",
    placer_order_number="SQ1",
    patient=PATIENT,
    item_code="210300001",
    item_name="胸部CT平扫",
    modality="CT",
    department="呼吸内科",
    visit_number="MZ1",
    patient_class="O",
    ordered_at=NOON,
    fee_lines=(LINE,),
)
CANCELLATION = CancelOrder("CT1", "SQ1", NOON + MINUTE)
PAYMENT = SettleFee("kiosk-1", "k-1", "FY0002", 2000, NOON, "kiosk", "T-1")
REPORT = DeliverReport(
    accession_number="CT1",
    placer_order_number="SQ1",
    patient=PATIENT,
    status="F",
    findings="右肺上叶见结节。",
    impression="建议复查。",
    reporter="赵医师",
    approver="王主任",
    approved_at=NOON,
    document=b"%PDF-1.7\n",
    document_type="application/pdf",
    said_at=NOON,
)
WITHDRAWAL = WithdrawReport("CT1", "SQ1", NOON + MINUTE)


def order(**changes: Any) -> PlaceOrder:
    return replace(ORDER, **changes)


def report(**changes: Any) -> DeliverReport:
    return replace(REPORT, **changes)


def patient(**changes: Any) -> PatientFacts:
    return replace(PATIENT, **changes)


def archived(accession: str = "CT1") -> Study:
    """The images of the exam, verified in the store."""
    exam = Exam.get(Exam.accession_number == accession)
    study = Study.create(study_uid=f"1.2.{exam.id}", exam=exam, last_received_at=NOON)
    series = Series.create(series_uid=f"1.2.{exam.id}.1", study=study, last_received_at=NOON)
    pack = Pack.create(
        series=series,
        generation=0,
        object_id=f"{exam.id:032x}",
        state="stored",
        header=b"h",
        wrapped_key=b"w",
        kek_version=1,
        key_commitment=b"c",
        plain_length=1,
        sealed_length=1,
        sealed_sm3="0" * 64,
        store_key=f"packs/{exam.id}",
    )
    Instance.create(
        sop_uid=f"1.2.{exam.id}.1.1",
        series=series,
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        byte_size=1,
        dataset_sm3="0" * 64,
        file_sm3="0" * 64,
        pack=pack,
    )
    return study


def exam(accession: str = "CT1") -> Exam:
    return Exam.get(Exam.accession_number == accession)


def problem_texts() -> list[str]:
    return [problem.text for problem in IntakeProblem.select().order_by(IntakeProblem.id)]
