"""Appointments, states and reports of the national platform; which service is which; the acknowledgement."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from core.commands import CancelOrder, CompleteExam, DeliverReport, NoteProgress, PlaceOrder, ScheduleExam
from hl7_engine import profile as profiles
from hl7_engine import v3
from hl7_engine.errors import Unreadable, Unsupported
from hl7_engine.v3 import answer
from tests.unit.hl7_engine import v3_samples as samples
from tests.unit.hl7_engine.test_v3_people_and_orders import PATIENT, SAID_AT

pytestmark = pytest.mark.requirement("P2", "E1")

THREE = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
HALF_PAST_TWO = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("action", "status", "expected"),
    [
        ("CheckAppointStatusInfoAdd", "", "booked"),
        ("CheckAppointStatusInfoAdd", '<statusCode code="active"/>', "booked"),
        ("CheckAppointStatusInfoUpdate", "<statusCode/>", "moved"),
        ("CheckAppointStatusInfoUpdate", '<statusCode code="3" displayName="已取消"/>', "cancelled"),
        ("CheckAppointStatusInfoUpdate", '<statusCode code="4" displayName="爽约"/>', "no_show"),
    ],
)
def test_appointments(action: str, status: str, expected: str) -> None:
    has_time = expected in ("booked", "moved")
    assert v3.read(action, samples.appointment(status=status)) == [
        ScheduleExam("", "SQ1", PATIENT, expected, HALF_PAST_TWO if has_time else None, SAID_AT)
    ]


def test_an_appointment_needs_its_time_unless_it_is_off() -> None:
    with pytest.raises(Unreadable, match="effectiveTime"):
        v3.read("CheckAppointStatusInfoAdd", samples.appointment(time=""))
    off = samples.appointment(time="", status='<statusCode code="cancelled"/>')
    assert len(v3.read("CheckAppointStatusInfoUpdate", off)) == 1


def test_states_by_their_names_whatever_their_numbers() -> None:
    content = samples.state(
        '<code code="1"><displayName value="已预约"/></code>',
        '<code code="2"><displayName value="已登记"/></code>',
        '<code code="3" displayName="检查中"/>',
        '<code code="4" displayName="检查完成"/>',
        '<code code="CA"/>',
    )
    assert v3.read("CheckStatusInfoUpdate", content) == [
        NoteProgress("", "SQ2", PATIENT, "arrived", THREE),
        NoteProgress("", "SQ3", PATIENT, "in_progress", THREE),
        CompleteExam("", "SQ4", PATIENT, (), THREE),
        CancelOrder("", "SQ5", THREE),
    ]


def test_a_completed_exam_names_its_studies() -> None:
    ids = '<item root="study_instance_uid" extension="1.2.156.1"/><item root="accession_number" extension="CT1"/>'
    (command,) = v3.read("CheckStatusInfoUpdate", samples.state('<code code="CM"/>', ids=ids))
    assert command == CompleteExam("CT1", "SQ1", PATIENT, ("1.2.156.1",), THREE)
    with pytest.raises(Unreadable, match="study_instance_uid"):
        v3.read(
            "CheckStatusInfoUpdate", samples.state('<code code="CM"/>', ids=ids.replace("1.2.156.1", "1.2.x"))
        )


def test_states_without_meaning_are_for_a_person_until_the_profile_has_them(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    content = samples.state('<code code="60"/>')
    with pytest.raises(Unsupported, match=r"a text of 2 characters.*v3_exam_status"):
        v3.read("CheckStatusInfoUpdate", content)
    path = tmp_path_factory.mktemp("profile") / "ours.toml"
    path.write_text('extends = "standard_251"\n[codes.v3_exam_status]\n"60" = "arrived"\n', encoding="utf-8")
    (command,) = v3.read("CheckStatusInfoUpdate", content, profiles.load(str(path)))
    assert command == NoteProgress("", "SQ1", PATIENT, "arrived", THREE)


REPORT = DeliverReport(
    accession_number="",
    placer_order_number="SQ1",
    patient=PATIENT.__class__((), samples.NAME, samples.ID_NUMBER, "13800138000", "M", "1985-06-15"),
    status="F",
    findings="右肺上叶见结节，约6mm×5mm。\n余未见异常。",
    impression="右肺结节，建议复查 (<6月 & CT)。",
    reporter="赵医师",
    approver="王主任",
    approved_at=datetime(2026, 11, 25, 9, 0, tzinfo=UTC),
    said_at=datetime(2026, 11, 25, 9, 5, tzinfo=UTC),
)


@pytest.mark.parametrize(
    "content",
    [
        samples.document().encode(),
        samples.registered(samples.document()),
        samples.registered(samples.base64(samples.document())),
        samples.registered(f"<![CDATA[{samples.document()}]]>"),
        samples.registered(
            samples.base64('<?xml version="1.0" encoding="GBK"?>' + samples.document(), "gb18030")
        ),
        samples.document().replace("ClinicalDocument", "clinicalDocument").encode(),
    ],
    ids=["bare", "element", "base64", "text", "base64 of GBK", "small letter"],
)
@pytest.mark.parametrize("action", ["DocumentRegister", "", "上传报告"])
def test_a_report_however_it_is_packed(content: bytes, action: str) -> None:
    assert v3.read(action, content) == [REPORT]


def _report(**changes: str) -> DeliverReport:
    (command,) = v3.read("DocumentRegister", samples.document(**changes).encode())
    assert isinstance(command, DeliverReport)
    return command


def test_findings_and_impression_by_name_where_both_have_one_code() -> None:
    results = (samples.FINDINGS + samples.IMPRESSION).replace("DE04.50.132.00", "DE04.50.131.00")
    report = _report(results=results)
    assert (report.findings, report.impression) == (REPORT.findings, REPORT.impression)


def test_corrections() -> None:
    parent = '<relatedDocument typeCode="RPLC"><parentDocument><id extension="RN0"/></parentDocument></relatedDocument>'
    assert _report(more=parent).status == "C"
    (command,) = v3.read(
        "", samples.document().replace("<versionNumber/>", '<versionNumber value="2"/>').encode()
    )
    assert isinstance(command, DeliverReport)
    assert command.status == "C"


@pytest.mark.parametrize("version", ["1" * 10, "9" * 5000, "٣" * 10])
def test_a_version_with_too_many_digits_is_refused(version: str) -> None:
    content = samples.document().replace("<versionNumber/>", f'<versionNumber value="{version}"/>')
    with pytest.raises(Unreadable, match="versionNumber has more than 9 digits"):
        v3.read("", content.encode())


@pytest.mark.parametrize("value", ["330683198506151230", "张珅東"])
def test_a_refusal_tells_a_value_in_the_wrong_place_by_its_length(value: str) -> None:
    wrong = (
        ("CheckStatusInfoUpdate", samples.state(f'<code code="{value}"/>')),
        ("CheckStatusInfoUpdate", samples.state(f'<code displayName="{value}"/>')),
        ("", samples.document().replace('code="C0006"', f'code="{value}"').encode()),
        (value, b"<a/>"),
    )
    for action, content in wrong:
        with pytest.raises(Unsupported, match=f"text of {len(value)} characters") as refused:
            v3.read(action, content)
        assert value[:4] not in str(refused.value)


def test_time_of_approval_falls_back_to_the_authors() -> None:
    assert _report(approved="<time/>").approved_at == datetime(2026, 11, 25, 8, 30, tzinfo=UTC)


def test_modality_and_item() -> None:
    more = """<observation><code code="DE04.30.018.00"/><value>磁共振</value></observation>
    <observation><code code="DE04.30.019.00"/><value>头颅平扫</value></observation>"""
    report = _report(results=samples.FINDINGS + more)
    assert (report.modality, report.item_name) == ("MR", "头颅平扫")
    assert _report(results=samples.FINDINGS + more.replace("磁共振", "影像")).modality == ""


def test_an_embedded_pdf() -> None:
    pdf = samples.b64encode(samples.PDF).decode()
    text = f'<text mediaType="application/pdf" representation="B64">{pdf}</text>'
    body = f"<component><nonXMLBody>{text}</nonXMLBody></component>"
    report = _report(body=body)
    assert (report.document, report.document_type, report.findings) == (samples.PDF, "application/pdf", "")
    media = f'<observationMedia><value mediaType="application/pdf">\n{pdf[:80]}\n{pdf[80:]}</value></observationMedia>'
    assert _report(results=samples.FINDINGS + media).document == samples.PDF
    for broken in (pdf[:-3], "文", samples.base64("no pdf")):
        with pytest.raises(Unreadable, match="document is"):
            _report(body=body.replace(pdf, broken))


def test_what_is_no_report_is_refused() -> None:
    with pytest.raises(Unsupported, match="C0007"):
        _report(code="C0007")
    with pytest.raises(Unreadable, match="no findings"):
        _report(results="<observation/>")
    with pytest.raises(Unreadable, match="电子申请单编号"):
        _report(number="")
    for content in ("", samples.base64("x" * 100), "<![CDATA[<a>" + "x" * 80 + "</a>]]>"):
        with pytest.raises(Unreadable, match="no ClinicalDocument"):
            v3.read("DocumentRegister", samples.registered(content))


@pytest.mark.parametrize(
    ("action", "content", "kind"),
    [
        ("", samples.application(), PlaceOrder),
        ("checkappinfoadd", samples.application(), PlaceOrder),
        ("receiveApply", samples.application(), PlaceOrder),
        ("S0041", samples.application(items=samples.FILM_ITEM), PlaceOrder),
        ("", samples.application(interaction="S0042"), PlaceOrder),
        ("", samples.application("POOR_IN200901UV23"), PlaceOrder),
        ("", samples.state('<code code="IP"/>'), NoteProgress),
        ("", samples.appointment(), ScheduleExam),
        ("S0057", samples.appointment("PRSC_IN010201UV01"), ScheduleExam),
    ],
)
def test_a_service_is_known_by_name_number_or_message(action: str, content: bytes, kind: type) -> None:
    (command,) = v3.read(action, content)
    assert type(command) is kind


@pytest.mark.parametrize(
    ("action", "content"),
    [
        ("ExamAppInfoAdd", samples.application()),
        ("CheckAppInfoQuery", samples.application()),
        ("S0069", samples.application()),
        ("S0038", samples.application()),
        ("", samples.application(interaction="S0050")),
        # Neither method nor part of the body: perhaps the laboratory's.
        ("", samples.application(items=samples.FILM_ITEM)),
        ("", samples.message("PRPA_IN400003UV", "<subject/>")),
        ("whatever", b"<a/>"),
    ],
)
def test_other_services_are_named_and_not_guessed(action: str, content: bytes) -> None:
    with pytest.raises(Unsupported, match="CheckAppInfoAdd, CheckAppInfoUpdate"):
        v3.read(action, content)


def test_a_vendors_number_is_named_in_the_profile(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("profile") / "vendor.toml"
    path.write_text(
        'extends = "standard_251"\n[codes.v3_action]\n"S0082" = "CheckAppInfoAdd"\n', encoding="utf-8"
    )
    (command,) = v3.read("", samples.application(interaction="S0082"), profiles.load(str(path)))
    assert isinstance(command, PlaceOrder)


def test_the_acknowledgement_names_the_message() -> None:
    text = answer.acknowledge(samples.application(), answer.ERROR, "bill/price is '<20>'")
    ack = etree.fromstring(text)
    names = {"h": "urn:hl7-org:v3"}
    assert etree.QName(ack).localname == "MCCI_IN000002UV01"
    assert ack.xpath("string(h:acknowledgement/@typeCode)", namespaces=names) == "AE"
    target = ack.xpath("h:acknowledgement/h:targetMessage/h:id", namespaces=names)[0]
    assert dict(target.attrib) == {"root": "2.16.156.10011.2.5.1.1", "extension": "MSG-0001"}
    detail = ack.xpath("string(h:acknowledgement/h:acknowledgementDetail/h:text/@value)", namespaces=names)
    assert detail == "bill/price is '<20>'"
    assert ack.xpath("string(h:receiver/h:device/h:id/h:item/@extension)", namespaces=names) == "HIS01"
    assert ack.xpath("string(h:sender/h:device/h:id/h:item/@extension)", namespaces=names) == "CLOUDFILM"


def test_even_what_is_no_xml_is_acknowledged() -> None:
    ack = etree.fromstring(answer.acknowledge(b"<a", answer.ERROR, "no XML"))
    assert ack.xpath("string(//*[local-name()='acknowledgement']/@typeCode)") == "AE"
