"""One exam as the simulated hospital tells it, for tests that change one thing at a time."""

from datetime import UTC, datetime

from core.commands import PatientFacts
from hl7_engine import charset
from hl7_engine import profile as profiles
from hl7_engine.er7 import Message
from hl7_engine.reading.source import Source
from hl7_engine.writing.film_link import FilmLinkFacts
from hl7_engine.writing.payment import PaymentFacts
from simulators.his_messages import Envelope, ExamFacts, ReportFacts

FILM = "YYX0001"
NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
PATIENT = PatientFacts(
    identifiers=(("HIS", "0001234567"),),
    name="张珅東",
    id_number="330683198506151230",
    phone="13800138000",
    sex="M",
    birth_date="1985-06-15",
)
EXAM = ExamFacts(
    accession_number="CT1",
    placer_order_number="SQ1",
    item_code="210300001",
    item_name="胸部CT平扫",
    modality="CT",
    fee_line_id="FY0002",
    amount_fen=2000,
)
PDF = b"%PDF-1.4\n" + bytes(range(256)) * 8
REPORT = ReportFacts(
    findings="右肺上叶见结节，约6mm×5mm。\n余未见异常。",
    impression="右肺结节，建议复查 (<6月 & CT)。",
    reporter="赵医师",
    approver="王主任",
    pdf=PDF,
    study_uids=("1.2.156.1.1", "1.2.156.1.2"),
)

PAYMENT = PaymentFacts(
    fee_line_id="FY0002",
    placer_order_number="SQ1",
    item_code=FILM,
    amount_fen=2005,
    paid_at=NOON,
    channel="kiosk",
    source="kiosk-1",
    payment_key="KIOSK-1-0001",
    external_number="T|1&^~",
    patient_name="张珅東",
    identifiers=(("HIS", "0001234567"), ("YBJ", "A9")),
    patient_class="O",
    visit_number="MZ1",
)

LINK = FilmLinkFacts(
    address="https://film.example.cn/exams/12?from=his&x=1",
    accession_number="CT1",
    placer_order_number="SQ1",
    item_code="210300001",
    item_name="胸部CT^平扫",
    published_at=NOON,
    patient_name="张珅東",
    identifiers=(("HIS", "0001234567"),),
)


def envelope(control_id: str = "M1", charset: str = "gb18030") -> Envelope:
    return Envelope(control_id, NOON, charset)


def opened(raw: bytes, profile: str = profiles.STANDARD) -> Source:
    """As the drain reads it."""
    return Source(Message.parse(charset.decode(raw).text), profiles.load(profile), FILM)


def with_segments(kind: str, *segments: str, profile: str = profiles.STANDARD) -> Source:
    """A message of our own making: a header and the segments."""
    header = f"MSH|^~\\&|HIS|A|CLOUDFILM|B|20261124120000||{kind}|M1|P|2.5.1"
    return opened("\r".join([header, *segments]).encode(), profile)
