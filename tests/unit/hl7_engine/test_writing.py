"""What we write is valid for hl7apy and for our own readers, in each peer's dialect and character set."""

from dataclasses import replace

import pytest
from hl7apy.parser import parse_message

from core.commands import RefundFee, SettleFee
from core.models import Exam, Patient, PatientIdentifier
from hl7_engine import charset, profile
from hl7_engine.er7 import Message
from hl7_engine.errors import Unwritable
from hl7_engine.router import standard_router
from hl7_engine.site import Peer, Site
from hl7_engine.writing import application_ack, film_link, payment
from hl7_engine.writing.envelope import Envelope
from hl7_engine.writing.film_link import FilmLinkFacts
from simulators import his_incoming
from tests.unit.hl7_engine.samples import LINK, NOON, PAYMENT, opened

pytestmark = [pytest.mark.requirement("P6", "P2")]

ORDER = "MSH|^~\\&|HIS|SZSRMYY|CLOUDFILM|YYX|20261124101530||{type}|M0003|P|2.5.1|||AL|AL\r{orders}"


def order(message_type: str, *orders: str) -> Message:
    return Message.parse(ORDER.format(type=message_type, orders="\r".join(orders)))


def text_of(raw: bytes) -> str:
    return charset.decode(raw).text


@pytest.mark.parametrize("name", profile.shipped())
@pytest.mark.parametrize("writes", [charset.GB18030, charset.UTF_8])
def test_header_says_who_writes_to_whom_in_which_dialect(name: str, writes: str) -> None:
    dialect = replace(profile.load(name), writes=writes)
    peer = Peer(name="RIS", profile=dialect, application="NEU&PACS", facility="放射科")
    raw = film_link.build(LINK, "CF1", Envelope.of(Site(application="YJP", facility="YYX"), peer))
    assert raw.decode(writes)
    header = Message.parse(raw.decode(writes)).first("MSH")
    assert [header.get(str(place)) for place in (3, 4, 5, 6)] == ["YJP", "YYX", "NEU&PACS", "放射科"]
    assert (header.get("12"), charset.named(header.get("18"))) == (dialect.version, writes)
    expected = ("", "") if dialect.ack == "original" else ("AL", "NE")
    assert (header.get("15"), header.get("16")) == expected


@pytest.mark.parametrize("name", profile.shipped())
def test_simulated_his_reads_every_dialect(name: str) -> None:
    envelope = Envelope.of(Site(), Peer(name="HIS", profile=profile.load(name)))
    link = his_incoming.read(text_of(film_link.build(LINK, "CF1", envelope)))
    assert (link["kind"], link["control_id"], link["patient_name"]) == ("film_link", "CF1", "张珅東")
    paid = his_incoming.read(text_of(payment.build(PAYMENT, "CF2", envelope)))
    assert (paid["kind"], paid["amount"]) == ("payment", "20.05")


def test_film_link_names_the_exam_and_its_page() -> None:
    raw = film_link.build(LINK, "CF1")
    message = parse_message(text_of(raw), find_groups=False)
    assert message.msh.msh_9.value == "ORU^R01^ORU_R01"
    assert (message.obr.obr_2.value, message.obr.obr_18.value) == ("SQ1^HIS", "CT1")
    assert (message.orc.orc_1.value, message.orc.orc_2.value) == ("RE", "SQ1^HIS")
    assert (message.obx.obx_2.value, message.obx.obx_3.value) == ("RP", "YJP^云胶片地址^L")
    assert message.obx.obx_5.value == "https://film.example.cn/exams/12?from=his\\T\\x=1"
    assert Message.parse(text_of(raw)).get("OBX-5") == LINK.address
    assert Message.parse(text_of(raw)).get("OBR-4.2") == "胸部CT^平扫"


@pytest.mark.usefixtures("memory_database")
def test_film_link_holds_no_secret_of_the_patient() -> None:
    patient = Patient.create(name="张珅東", id_number="330683198506151230", phone="13800138000")
    PatientIdentifier.create(patient=patient, assigner="HIS", value="7")
    exam = Exam.create(accession_number="CT1", patient=patient, published_at=NOON, modality="CT")
    facts = FilmLinkFacts.of(exam, "https://film.example.cn/")
    assert facts.address == f"https://film.example.cn/exams/{exam.id}"
    text = text_of(film_link.build(facts, "CF1"))
    assert patient.id_number not in text
    assert patient.phone not in text
    with pytest.raises(Unwritable, match="not published"):
        FilmLinkFacts.of(Exam.create(accession_number="CT2", patient=patient), "https://x")


def test_refund_is_written_as_a_credit_and_read_back_as_one() -> None:
    raw = payment.build(replace(PAYMENT, kind="refund"), "CF1")
    message = parse_message(text_of(raw), find_groups=False)
    line, fee = message.ft1, message.zfe
    assert (line.ft1_6.value, line.ft1_10.value, line.ft1_11.value) == ("CR", "-1", "-20.05")
    assert (fee.zfe_4.value, fee.zfe_15.value, fee.zfe_9.value) == ("3", "FY0002", "20.05")
    (command,) = standard_router().read(opened(raw))
    assert isinstance(command, RefundFee)
    assert (command.fee_line_id, command.amount_fen, command.refunded_at) == ("FY0002", 2005, NOON)
    (paid,) = standard_router().read(opened(payment.build(PAYMENT, "CF1")))
    assert isinstance(paid, SettleFee)


@pytest.mark.parametrize(
    ("asked", "answer", "structure"),
    [("ORM^O01", "ORR^O02", "ORR_O02"), ("OMG^O19^OMG_O19", "ORG^O20", "ORG_O20")],
)
def test_orders_are_answered_one_by_one(asked: str, answer: str, structure: str) -> None:
    message = order(asked, "ORC|NW|SQ1^HIS|CT1", "OBR|1", "ORC|CA|SQ2", "ORC|xo|SQ\\T\\3^H|")
    raw = application_ack.build_order_answer(message, "", "CF1")
    written = Message.parse(text_of(raw))
    assert written.get("MSH-9") == f"{answer}^{structure}"
    assert (written.get("MSA-1"), written.get("MSA-2")) == ("AA", "M0003")
    told = [[orc.get("1"), orc.get("2.1"), orc.get("2.2"), orc.get("3")] for orc in written.segments("ORC")]
    assert told == [["OK", "SQ1", "HIS", "CT1"], ["CR", "SQ2", "", ""], ["XR", "SQ&3", "H", ""]]
    heard = his_incoming.read(text_of(raw))
    assert heard["orders"] == [["OK", "SQ1"], ["CR", "SQ2"], ["XR", "SQ\\T\\3"]]
    assert standard_router().read(opened(raw)) == []


def test_order_that_could_not_be_accepted_says_why() -> None:
    message = order("ORM^O01", "ORC|NW|SQ1", "ORC|CA|SQ2")
    raw = application_ack.build_order_answer(message, "OBR-18 | 缺失", "CF1")
    heard = his_incoming.read(text_of(raw))
    assert (heard["code"], heard["text"]) == ("AE", "OBR-18 \\F\\ 缺失")
    assert [control for control, _ in heard["orders"]] == ["UA", "UC"]


@pytest.mark.parametrize(
    ("asked", "answer"), [("ADT^A40", "ACK^A40^ACK"), ("DFT^P03^DFT_P03", "ACK^P03^ACK")]
)
@pytest.mark.parametrize("error", ["", "the merge was refused"])
def test_plain_acknowledgement_of_the_application(asked: str, answer: str, error: str) -> None:
    raw = application_ack.build(order(asked), error, "CF1")
    heard = his_incoming.read(text_of(raw))
    assert heard["message_type"] == answer
    assert (heard["code"], heard["answers"], heard["text"]) == ("AE" if error else "AA", "M0003", error)
    assert standard_router().read(opened(raw)) == []


def test_senders_own_separators_do_not_get_into_the_answer() -> None:
    message = Message.parse("MSH#$%*!#HIS#A#CF#B#20261124##ORM$O01#M^1#P#2.3###AL#AL\rORC#NW#SQ1$HIS#CT^1")
    written = Message.parse(text_of(application_ack.build_order_answer(message, "", "CF1")))
    assert written.get("MSA-2") == "M^1"
    assert [written.get(f"ORC-{place}") for place in ("2.1", "2.2", "3")] == ["SQ1", "HIS", "CT^1"]


def test_film_link_that_hl7_does_not_allow_is_not_written() -> None:
    with pytest.raises(Unwritable, match="CT1") as error:
        film_link.build(replace(LINK, identifiers=()), "CF1")
    assert "张" not in str(error.value)
