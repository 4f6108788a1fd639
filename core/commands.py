"""What outside systems ask of us, in the field's words and free of any wire format. Immutable; submitted to the bus."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class PatientFacts:
    """A person as a message tells them. Empty means "not told", and never erases what is known.

    `identifiers` are (assigner, value) pairs; `sex` HL7 table 0001; `birth_date` YYYY-MM-DD.
    """

    identifiers: tuple[tuple[str, str], ...]
    name: str = ""
    id_number: str = ""
    phone: str = ""
    sex: str = "U"
    birth_date: str = ""


@dataclass(frozen=True)
class RegisterPatient:
    """Register or update a patient (ADT^A01/A04/A08/A28/A31)."""

    patient: PatientFacts
    said_at: datetime


@dataclass(frozen=True)
class MergePatients:
    """Two records are one person (ADT^A18/A30/A34/A40): what `retired` numbers knew belongs to `survivor` from now on."""

    survivor: PatientFacts
    retired: tuple[tuple[str, str], ...]
    said_at: datetime


@dataclass(frozen=True)
class CancelVisit:
    """A registration or visit did not take place (ADT^A11, A29): a person looks at its exams, none is cancelled unasked."""

    patient: PatientFacts
    visit_number: str
    said_at: datetime


@dataclass(frozen=True)
class FeeLine:
    """One fee line of an order. `choice`: charge | waived | included. `paid` when the HIS says that it has collected it."""

    fee_line_id: str
    placer_order_number: str
    item_code: str
    amount_fen: int
    collect_on_behalf: bool
    choice: str
    paid: bool = False
    paid_at: datetime | None = None
    external_number: str = ""
    channel: str = ""
    # What was really paid, when it is told; else the amount.
    paid_fen: int | None = None


@dataclass(frozen=True)
class PlaceOrder:
    """New or changed order (OMG^O19, ORM^O01 NW/XO) with the fee lines it carries."""

    accession_number: str
    placer_order_number: str
    patient: PatientFacts
    item_code: str
    item_name: str
    modality: str
    department: str
    visit_number: str
    patient_class: str
    ordered_at: datetime
    fee_lines: tuple[FeeLine, ...] = ()


@dataclass(frozen=True)
class CancelOrder:
    """The order was cancelled (ORC-1 = CA)."""

    accession_number: str
    placer_order_number: str
    said_at: datetime


@dataclass(frozen=True)
class ScheduleExam:
    """An appointment (SIU^S12–S15, S26). `status`: booked | moved | cancelled | no_show."""

    accession_number: str
    placer_order_number: str
    patient: PatientFacts
    status: str
    scheduled_at: datetime | None
    said_at: datetime


@dataclass(frozen=True)
class NoteProgress:
    """The patient has come, or the exam has begun (ORC-1 = SC, ORC-5 = SC/IP). `status`: arrived | in_progress."""

    accession_number: str
    placer_order_number: str
    patient: PatientFacts
    status: str
    said_at: datetime


@dataclass(frozen=True)
class CompleteExam:
    """RIS says that the exam was performed and names its studies (ORC-1 = SC, ORC-5 = CM, ZDS-1)."""

    accession_number: str
    placer_order_number: str
    patient: PatientFacts
    study_uids: tuple[str, ...]
    performed_at: datetime


@dataclass(frozen=True)
class DeliverReport:
    """An approved report (ORU^R01, OBR-25 = F or C)."""

    accession_number: str
    placer_order_number: str
    patient: PatientFacts
    status: str
    findings: str
    impression: str
    reporter: str
    approver: str
    approved_at: datetime
    study_uids: tuple[str, ...] = ()
    document: bytes | None = field(default=None, repr=False)
    document_type: str = ""
    item_name: str = ""
    modality: str = ""
    said_at: datetime | None = None


@dataclass(frozen=True)
class WithdrawReport:
    """A report that was delivered is void (ORU^R01, OBR-25 = X or D; MDM^T11)."""

    accession_number: str
    placer_order_number: str
    said_at: datetime


@dataclass(frozen=True)
class SettleFee:
    """Someone collected a fee. `source` and `key` name the payment once and for all (kiosk-1, its idempotency key)."""

    source: str
    key: str
    fee_line_id: str
    amount_fen: int
    paid_at: datetime
    channel: str
    external_number: str = ""


@dataclass(frozen=True)
class RefundFee:
    """Money was given back for a paid line. `source` and `key` name the refund (the HIS: its own fee line id)."""

    source: str
    key: str
    fee_line_id: str
    amount_fen: int
    refunded_at: datetime
    channel: str
    external_number: str = ""


@dataclass(frozen=True)
class WaiveFee:
    """The hospital asks nothing for this line (ZFE-4 = 4)."""

    fee_line_id: str
    placer_order_number: str
    said_at: datetime


@dataclass(frozen=True)
class UpdateDictionary:
    """An entry of a hospital's code table (MFN). `kind`: staff | location | item | price | other."""

    kind: str
    code: str
    name: str
    is_active: bool
    said_at: datetime


@dataclass(frozen=True)
class ReceiveInstance:
    """A DICOM instance lies durable in the spool under `spool_name` and waits to be recorded. Digests are SM3, hex."""

    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    spool_name: str
    byte_size: int
    dataset_sm3: str
    file_sm3: str
    calling_ae: str
    accession_number: str = ""
    patient_id: str = ""
    patient_name: str = ""
    study_description: str = ""
    study_date: str = ""
    series_number: int | None = None
    series_description: str = ""
    modality: str = ""
    instance_number: int | None = None
