"""Reports: text, document, studies and people of an approved report; nothing of one that is not."""

from base64 import b64encode
from dataclasses import replace

import pytest

from core.commands import DeliverReport, WithdrawReport
from hl7_engine.errors import Unreadable, Unsupported
from hl7_engine.reading import report
from simulators.his_messages import oru_r01
from tests.unit.hl7_engine.samples import EXAM, NOON, PATIENT, PDF, REPORT, envelope, opened, with_segments

pytestmark = pytest.mark.requirement("E1", "P6")


def read_results(*obx: str, status: str = "F", people: str = "") -> DeliverReport:
    obr = ["OBR", "1", "SQ1", *[""] * 22, status, *[""] * 6, people]
    (command,) = report.read(with_segments("ORU^R01", "PID|1||7^^^HIS", "|".join(obr), *obx))
    assert isinstance(command, DeliverReport)
    return command


@pytest.mark.parametrize("charset", ["gb18030", "utf-8"])
@pytest.mark.parametrize("status", ["F", "C"])
def test_approved_report(charset: str, status: str) -> None:
    raw = oru_r01(PATIENT, EXAM, replace(REPORT, status=status), envelope(charset=charset))
    assert report.read(opened(raw)) == [
        DeliverReport(
            accession_number="CT1",
            placer_order_number="SQ1",
            patient=PATIENT,
            status=status,
            findings=REPORT.findings,
            impression=REPORT.impression,
            reporter="赵医师",
            approver="王主任",
            approved_at=NOON,
            study_uids=REPORT.study_uids,
            document=PDF,
            document_type="application/pdf",
            item_name="胸部CT平扫",
            modality="CT",
            said_at=NOON,
        )
    ]


def test_report_without_document() -> None:
    (command,) = report.read(opened(oru_r01(PATIENT, EXAM, replace(REPORT, pdf=None), envelope())))
    assert isinstance(command, DeliverReport)
    assert (command.document, command.document_type) == (None, "")


def test_personal_document_is_not_in_the_repr() -> None:
    (command,) = report.read(opened(oru_r01(PATIENT, EXAM, REPORT, envelope())))
    assert "PDF-1.4" not in repr(command)


def test_paragraphs_codes_and_void_results() -> None:
    found = read_results(
        "OBX|1|FT|59776-5^Findings^LN||甲\\.br\\乙",
        "OBX|2|TX|GDT||丙",
        "OBX|3|TX|IMP||诊断",
        "OBX|4|TX|REC||建议",
        "OBX|5|TX|IMP||作废||||||D",
    )
    assert (found.findings, found.impression) == ("甲\n乙\n丙", "诊断\n建议")


def test_main_document_of_several() -> None:
    other, main = b64encode(b"%PDF-other").decode(), b64encode(b"%PDF-main").decode()
    found = read_results(f"OBX|1|ED|ZRF||^AP^PDF^Base64^{other}", f"OBX|2|ED|ZMF||^AP^PDF^Base64^{main}")
    assert found.document == b"%PDF-main"
    assert read_results("OBX|1|ED|ZRF||^IM^JPEG^Base64^AAAA").document is None


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        ("1&王&主任|2&赵&医师", ("王主任", "赵医师")),
        ("1^王^主任|2^赵^医师", ("王主任", "赵医师")),
        ("王主任", ("王主任", "王主任")),
        ("", ("", "")),
    ],
)
def test_people(people: str, expected: tuple[str, str]) -> None:
    found = read_results(people=people)
    assert (found.approver, found.reporter) == expected


@pytest.mark.parametrize("status", ["P", "I", "R"])
def test_report_that_is_not_approved_is_nothing_yet(status: str) -> None:
    message = with_segments("ORU^R01", f"OBR|1|SQ1{'|' * 23}{status}")
    assert report.read(message) == []


@pytest.mark.parametrize("status", ["X", "D"])
def test_withdrawn_report(status: str) -> None:
    assert report.read(with_segments("ORU^R01", f"OBR|1|SQ1{'|' * 23}{status}")) == [
        WithdrawReport("", "SQ1", NOON)
    ]


def test_unknown_status_needs_a_person() -> None:
    with pytest.raises(Unsupported, match="OBR-25 is 'Z'"):
        report.read(with_segments("ORU^R01", f"OBR|1|SQ1{'|' * 23}Z"))


@pytest.mark.parametrize(
    ("obx", "text"),
    [
        ("OBX|1|ED|ZMF||^AP^PDF^Hex^00", "OBX-5.4 is 'Hex'"),
        ("OBX|1|ED|ZMF||^AP^PDF^Base64^JVBERi0x*", "not Base64"),
        ("OBX|1|ED|ZMF||^AP^PDF^Base64^JVBERi0xL", "not Base64, or was cut off"),
        ("OBX|1|ED|ZMF||^AP^PDF^Base64^AAAA", "said to be a PDF"),
        ("OBX|1|ST|113014||not-a-uid", "Study Instance UID"),
    ],
)
def test_damaged_results_are_unreadable(obx: str, text: str) -> None:
    with pytest.raises(Unreadable, match=text):
        read_results(obx)


def test_report_without_any_number_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="neither OBR-18"):
        report.read(with_segments("ORU^R01", f"OBR|1{'|' * 24}F"))
    with pytest.raises(Unreadable, match="no OBR"):
        report.read(with_segments("ORU^R01", "ORC|RE|SQ1"))


def test_items_of_one_exam_are_one_report() -> None:
    first, second = (f"OBR|{number}|SQ1||{number}{'|' * 21}F" for number in (1, 2))
    texts = [f"OBX|1|TX|GDT||{text}||||||F" for text in ("胸部正常", "肝占位")]
    (command,) = report.read(with_segments("ORU^R01", first, texts[0], second, texts[1]))
    assert isinstance(command, DeliverReport)
    assert command.findings == "胸部正常\n肝占位"
