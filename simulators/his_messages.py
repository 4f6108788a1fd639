"""What HIS and RIS of the simulated hospital say about one exam, as bytes in the hospital's character set.

Written after docs/hl7-interface.md alone, with nothing of hl7_engine: it is the other side. GB18030 is the default
since that is what hospitals send; names such as 珅東 then contain the bytes of `|` and `^`.
"""

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from core.commands import PatientFacts

SHANGHAI = timezone(timedelta(hours=8))
DECLARED = {"gb18030": "GB 18030-2000", "utf-8": "UNICODE UTF-8"}
_ESCAPES = str.maketrans(
    {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\n": "\\.br\\"}
)


@dataclass(frozen=True)
class Envelope:
    """How one message travels: MSH-10, the moment of sending, and `gb18030` or `utf-8`."""

    control_id: str
    at: datetime
    charset: str = "gb18030"


@dataclass(frozen=True)
class ExamFacts:
    """The exam and its film fee as the HIS knows them."""

    accession_number: str
    placer_order_number: str
    item_code: str
    item_name: str
    modality: str
    fee_line_id: str = ""
    amount_fen: int = 0
    film_item_code: str = "YYX0001"


@dataclass(frozen=True)
class ReportFacts:
    """What the RIS reports; `status` is F or C."""

    findings: str
    impression: str
    reporter: str
    approver: str
    pdf: bytes | None = None
    study_uids: tuple[str, ...] = ()
    status: str = "F"


def adt_a04(patient: PatientFacts, envelope: Envelope) -> bytes:
    """患者登记."""
    at = _stamp(envelope.at)
    return _message("HIS", "ADT^A04^ADT_A01", envelope, [f"EVN|A04|{at}", _pid(patient), _pv1()])


def omg_o19(patient: PatientFacts, exam: ExamFacts, envelope: Envelope, control: str = "NW") -> bytes:
    """检查申请 with the film fee chosen in the clinic (代收), not yet paid. `control` is NW, XO or CA."""
    at = _stamp(envelope.at)
    lines = [_pid(patient), _pv1(), *_order(exam, control, "SC", at)]
    if exam.fee_line_id:
        lines += [
            _ft1(exam, "", at),
            f"ZFE|1|{exam.fee_line_id}|{exam.placer_order_number}|0|Y|ZJ||{_due(exam)}",
        ]
    return _message("HIS", "OMG^O19^OMG_O19", envelope, lines)


def orm_complete(
    patient: PatientFacts, exam: ExamFacts, study_uids: tuple[str, ...], envelope: Envelope
) -> bytes:
    """检查完成, from the RIS: one ZDS names each study."""
    studies = [f"ZDS|{uid}^{exam.modality}^Application^DICOM" for uid in study_uids]
    lines = [_pid(patient), _pv1(), *_order(exam, "SC", "CM", _stamp(envelope.at)), *studies]
    return _message("RIS", "ORM^O01^ORM_O01", envelope, lines)


def oru_r01(patient: PatientFacts, exam: ExamFacts, report: ReportFacts, envelope: Envelope) -> bytes:
    """报告审核, from the RIS: text, studies and the signed PDF."""
    at = _stamp(envelope.at)
    orc, obr = _order(exam, "RE", "CM", at)
    fields = obr.split("|") + [""] * 10
    fields[3] = f"{exam.accession_number}^RIS"
    fields[22], fields[25] = at, report.status
    fields[32] = f"20056&{report.approver.translate(_ESCAPES)}"
    fields[33] = f"20078&{report.reporter.translate(_ESCAPES)}"
    results = [
        ("TX", "GDT^检查所见^L", report.findings.translate(_ESCAPES)),
        ("TX", "IMP^诊断意见^L", report.impression.translate(_ESCAPES)),
        *(("ST", "113014^StudyInstanceUID^DCM", uid) for uid in report.study_uids),
    ]
    if report.pdf is not None:
        results.append(("ED", "ZMF^报告PDF^L", f"RIS^AP^PDF^Base64^{b64encode(report.pdf).decode()}"))
    obx = [
        f"OBX|{number}|{kind}|{code}||{value}||||||{report.status}"
        for number, (kind, code, value) in enumerate(results, 1)
    ]
    return _message("RIS", "ORU^R01^ORU_R01", envelope, [_pid(patient), _pv1(), orc, "|".join(fields), *obx])


def dft_cg(patient: PatientFacts, exam: ExamFacts, receipt: str, envelope: Envelope) -> bytes:
    """窗口已收: the cashier has collected the film fee under settlement number `receipt`."""
    at = _stamp(envelope.at)
    due = _due(exam)
    zfe = f"ZFE|1|{exam.fee_line_id}|{exam.placer_order_number}|1|Y|CK|{at}|{due}|{due}|{receipt}||XJ||S0012"
    lines = [f"EVN|P03|{at}", _pid(patient), _pv1(), _ft1(exam, receipt, at), zfe]
    return _message("HIS", "DFT^P03^DFT_P03", envelope, lines)


def _message(application: str, kind: str, envelope: Envelope, lines: list[str]) -> bytes:
    at = envelope.at.astimezone(SHANGHAI).strftime("%Y%m%d%H%M%S%z")
    msh = (
        f"MSH|^~\\&|{application}|HOSPITAL|CLOUDFILM|CLOUDFILM|{at}||{kind}|{envelope.control_id}|P|2.5.1"
        f"|||AL|NE|CHN|{DECLARED[envelope.charset]}|zh-CN"
    )
    return ("\r".join([msh, *lines]) + "\r").encode(envelope.charset)


def _pid(patient: PatientFacts) -> str:
    numbers = [f"{value}^^^{assigner}^PI" for assigner, value in patient.identifiers]
    if patient.id_number:
        numbers.append(f"{patient.id_number}^^^GA^NI")
    family, given = patient.name[:1].translate(_ESCAPES), patient.name[1:].translate(_ESCAPES)
    fields = [""] * 14
    fields[1], fields[3] = "1", "~".join(numbers)
    fields[5] = f"{family}^{given}^^^^^L^I"
    fields[7], fields[8] = patient.birth_date.replace("-", ""), patient.sex
    fields[13] = f"^PRN^CP^^86^^{patient.phone}" if patient.phone else ""
    return "|".join(["PID", *fields[1:]])


def _pv1() -> str:
    return "PV1|1|O|FSK^^^HOSPITAL^^^^^放射科"


def _order(exam: ExamFacts, control: str, status: str, at: str) -> list[str]:
    item = f"{exam.item_code}^{exam.item_name.translate(_ESCAPES)}^HISITEM"
    number = f"{exam.placer_order_number}^HIS"
    orc = f"ORC|{control}|{number}|||{status}||||{at}||||0301^^^心内科门诊"
    obr = f"OBR|1|{number}||{item}|||{at}|||||||||||{exam.accession_number}||||||{exam.modality}"
    return [orc, obr]


def _ft1(exam: ExamFacts, receipt: str, at: str) -> str:
    due = _due(exam)
    return (
        f"FT1|1|{exam.fee_line_id}|{receipt}|{at}|{at}|CG|{exam.film_item_code}^数字影像服务费^HISITEM|||1|{due}|{due}"
        f"|||||||||||{exam.placer_order_number}^HIS"
    )


def _due(exam: ExamFacts) -> str:
    return f"{exam.amount_fen // 100}.{exam.amount_fen % 100:02d}"


def _stamp(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y%m%d%H%M%S")
