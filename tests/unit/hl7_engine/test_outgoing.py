"""A payment that the HIS must learn of: written once, valid for hl7apy, sent until it is accepted."""

from dataclasses import replace
from pathlib import Path

import pytest
from hl7apy.parser import parse_message

from core import outbox
from core.clock import now
from core.errors import NotYet, Unavailable
from core.models import (
    Charge,
    Exam,
    IntakeProblem,
    OutboundMessage,
    OutboxEvent,
    Patient,
    PatientIdentifier,
    Settlement,
)
from hl7_engine import acknowledge, outgoing
from hl7_engine.acknowledge import AckResult
from hl7_engine.errors import Rejected, Unwritable
from hl7_engine.outgoing import Unwanted
from hl7_engine.sender import MemorySender, control_id_of
from hl7_engine.writing import payment
from hl7_engine.writing.payment import PaymentFacts
from jobs.runner import Runner
from simulators.his import HisSimulator
from tests.unit.hl7_engine.samples import FILM, NOON, PAYMENT

pytestmark = [pytest.mark.requirement("P6", "S3"), pytest.mark.usefixtures("memory_database")]


MAX_ATTEMPTS = 3


def queue(key: str = "payment:FY0002", peer: str = "HIS", order: str = "SQ1") -> OutboundMessage:
    outgoing.queue(
        peer, key, "DFT^P03", lambda control_id: payment.build(PAYMENT, control_id), stream_key=order
    )
    return OutboundMessage.get(OutboundMessage.key == f"{key}@{peer}")


def answering(*codes: str) -> MemorySender:
    sender = MemorySender()
    sender.answers = list(codes)
    return sender


def attempts(number: int) -> None:
    OutboxEvent.update(attempts=number).execute()


def test_message_is_valid_and_says_it_all() -> None:
    raw = payment.build(PAYMENT, "CF1")
    message = parse_message(raw.decode("gb18030"), find_groups=False)
    assert message.msh.msh_9.value == "DFT^P03^DFT_P03"
    assert (message.msh.msh_10.value, message.msh.msh_18.value) == ("CF1", "GB 18030-2000")
    assert message.pid.pid_5.pid_5_1.value == "张珅東"
    assert message.pid.pid_3.value.startswith("0001234567^^^HIS^PI")
    line, fee = message.ft1, message.zfe
    assert (line.ft1_2.value, line.ft1_6.value, line.ft1_11.value) == ("FY0002", "CG", "20.05")
    assert line.ft1_23.ft1_23_1.value == "SQ1"
    assert [fee.zfe_1.value, fee.zfe_2.value, fee.zfe_3.value] == ["1", "FY0002", "SQ1"]
    assert (fee.zfe_4.value, fee.zfe_6.value, fee.zfe_9.value) == ("1", "ZZJ", "20.05")
    assert fee.zfe_11.value == "T\\F\\1\\T\\\\S\\\\R\\"


@pytest.mark.parametrize("changes", [{}, {"patient_class": "", "visit_number": "", "external_number": ""}])
def test_his_books_what_it_says(tmp_path: Path, changes: dict[str, str]) -> None:
    his = HisSimulator(tmp_path, ("127.0.0.1", 9))
    assert b"MSA|AA|CF1" in his.receive(payment.build(replace(PAYMENT, **changes), "CF1"))
    (booked,) = his.received()
    assert (booked["fee_line_id"], booked["amount"], booked["patient_name"]) == ("FY0002", "20.05", "张珅東")


def test_facts_come_from_charge_exam_and_settlement() -> None:
    patient = Patient.create(name="张珅東", id_number="330683198506151230", phone="13800138000")
    PatientIdentifier.create(patient=patient, assigner="HIS", value="7")
    exam = Exam.create(accession_number="CT1", placer_order_number="SQ1", patient=patient, patient_class="O")
    charge = Charge.create(fee_line_id="FY1", exam=exam, item_code=FILM, amount_fen=2000)
    settlement = Settlement.create(
        source="kiosk-1",
        key="K1",
        fee_line_id="FY1",
        amount_fen=2000,
        channel="kiosk",
        external_number="T1",
        paid_at=NOON,
        state="accepted",
        body_sm3="",
    )
    facts = PaymentFacts.of(charge, settlement)
    assert (facts.placer_order_number, facts.identifiers, facts.patient_name) == (
        "SQ1",
        (("HIS", "7"),),
        "张珅東",
    )
    raw = payment.build(facts, "CF1").decode("gb18030")
    assert patient.id_number not in raw
    assert patient.phone not in raw
    charge.exam = Exam.create(accession_number="CT2")
    with pytest.raises(Unwritable, match="no exam with a patient"):
        PaymentFacts.of(charge, settlement)


def test_owed_once_per_key_with_one_control_id_for_ever() -> None:
    first = queue()
    assert queue().id == first.id
    assert OutboxEvent.select().count() == 1
    OutboundMessage.delete().execute()
    assert queue().control_id == first.control_id
    assert len(first.control_id) <= 20
    assert control_id_of(first.body) == first.control_id
    assert queue("payment:FY3").control_id != first.control_id


def test_every_peer_is_owed_its_own() -> None:
    his, ris = queue(), queue(peer="RIS")
    assert (his.peer, ris.peer) == ("HIS", "RIS")
    assert his.control_id != ris.control_id
    assert len(outbox.claim(10)) == 2


def test_long_names_make_one_key_that_fits() -> None:
    peer, key = "放射信息系统" * 10, "refund:" + "s" * 32 + ":" + "k" * 64
    for _ in range(2):
        outgoing.queue(peer, key, "DFT^P03", lambda _id: b"x", stream_key="SQ1")
        outgoing.queue(peer, key + "2", "DFT^P03", lambda _id: b"x", stream_key="SQ1")
    keys = [row.key for row in OutboundMessage.select()]
    assert (len(keys), len(set(keys))) == (2, 2)
    assert max(map(len, keys)) <= OutboundMessage.key.max_length
    assert all(len(row.stream) <= OutboxEvent.stream.max_length for row in OutboxEvent.select())


def test_messages_of_one_order_leave_in_order_and_others_pass() -> None:
    one, two, other = queue("payment:1"), queue("payment:2"), queue("payment:3", order="SQ2")
    first, passing = outbox.claim(10)
    assert (first.kind, first.payload) == ("send_his", {"message_id": one.id})
    assert passing.payload == {"message_id": other.id}
    outbox.finish(first.id)
    (work,) = outbox.claim(10)
    assert work.payload == {"message_id": two.id}


@pytest.mark.parametrize("code", ["AA", "CA"])
def test_accepted_message_is_sent_once(code: str) -> None:
    sender = answering(code)
    message = queue()
    outgoing.deliver(message.id, sender, MAX_ATTEMPTS)
    outgoing.deliver(message.id, sender, MAX_ATTEMPTS)
    assert sender.sent == [message.body]
    row = OutboundMessage.get_by_id(message.id)
    assert (row.state, row.ack_code) == ("sent", code)
    assert row.sent_at is not None


@pytest.mark.parametrize("code", ["AE", "AR", "CE", "CR"])
def test_rejected_message_stays_owed_and_says_so(code: str) -> None:
    message = queue()
    with pytest.raises(Rejected, match=f"HIS answered {code} to {message.control_id}"):
        outgoing.deliver(message.id, answering(code), MAX_ATTEMPTS)
    row = OutboundMessage.get_by_id(message.id)
    assert (row.state, row.ack_code, row.sent_at) == ("queued", code, None)
    assert f"answered {code}" in row.error
    outgoing.deliver(message.id, answering("AA"), MAX_ATTEMPTS)
    row = OutboundMessage.get_by_id(message.id)
    assert (row.state, row.error) == ("sent", "")


def test_message_that_is_refused_again_and_again_is_parked_in_both_tables_and_the_next_one_goes() -> None:
    sender = answering(*["AE"] * MAX_ATTEMPTS)
    poison, later = queue("payment:1"), queue("payment:2")
    runner = Runner(
        {"send_his": lambda work: outgoing.deliver(work["message_id"], sender, MAX_ATTEMPTS)}, MAX_ATTEMPTS
    )
    for _ in range(MAX_ATTEMPTS):
        OutboxEvent.update(next_at=now()).execute()
        (work,) = outbox.claim(10)
        runner.run(work)
    row = OutboundMessage.get_by_id(poison.id)
    assert (row.state, row.ack_code) == ("parked", "AE")
    assert OutboxEvent.get(OutboxEvent.key == poison.key).state == "parked"
    (problem,) = IntakeProblem.select()
    assert "HIS answered AE" in problem.text
    (work,) = outbox.claim(10)
    runner.run(work)
    assert OutboundMessage.get_by_id(later.id).state == "sent"
    assert len(sender.sent) == MAX_ATTEMPTS + 1


def test_parked_message_is_not_sent_by_a_runner_that_died_before_it_noted_so() -> None:
    message, sender = queue(), answering("AE", "AE")
    attempts(1)
    with pytest.raises(Rejected):
        outgoing.deliver(message.id, sender, MAX_ATTEMPTS)
    attempts(MAX_ATTEMPTS)
    with pytest.raises(Unwanted, match="answered AE"):
        outgoing.deliver(message.id, sender, MAX_ATTEMPTS)
    with pytest.raises(Unwanted, match="answered AE"):
        outgoing.deliver(message.id, sender, MAX_ATTEMPTS)
    assert len(sender.sent) == 2


def test_first_refusal_after_a_long_absence_is_asked_once_more() -> None:
    message, sender = queue(), answering("AE", "AE")
    attempts(MAX_ATTEMPTS)
    with pytest.raises(NotYet) as postponed:
        outgoing.deliver(message.id, sender, MAX_ATTEMPTS)
    assert postponed.value.until > now()
    with pytest.raises(Unwanted):
        outgoing.deliver(message.id, sender, MAX_ATTEMPTS)


@pytest.mark.parametrize(
    ("answer", "is_away"),
    [
        ("MSA|AR|{0}\rERR|||207^Application internal error^HL70357|E||||later", True),
        ("MSA|CR|{0}\rERR|||207|E", True),
        ("MSA|AR|{0}\rERR|^^^207&Application internal error", True),
        ("MSA|AR|{0}\rERR|||200^Unsupported message type^HL70357|E", False),
        ("MSA|AE|{0}\rERR|||207^Application internal error^HL70357|E", False),
        ("MSA|AR|{0}", False),
    ],
)
def test_peer_that_says_later_is_away_and_one_that_says_no_is_not(answer: str, is_away: bool) -> None:
    class Peer:
        def send(self, raw: bytes) -> AckResult:
            text = f"MSH|^~\\&|HIS|A|CF|B|20261124||ACK|1|P|2.5.1\r{answer}"
            return acknowledge.parse(text.format(control_id_of(raw)).encode())

    message = queue()
    attempts(MAX_ATTEMPTS - 1)
    with pytest.raises(Unavailable if is_away else Rejected):
        outgoing.deliver(message.id, Peer(), MAX_ATTEMPTS)
    assert OutboundMessage.get_by_id(message.id).state == "queued"


def test_unanswered_message_stays_owed() -> None:
    class Away:
        def send(self, raw: bytes) -> None:
            raise Unavailable("the HIS is away")

    message = queue()
    with pytest.raises(Unavailable):
        outgoing.deliver(message.id, Away(), MAX_ATTEMPTS)  # type: ignore[arg-type]
    assert OutboundMessage.get_by_id(message.id).state == "queued"


def test_facts_that_hl7_does_not_allow_are_not_sent() -> None:
    with pytest.raises(Unwritable, match="FY0002"):
        payment.build(replace(PAYMENT, identifiers=()), "CF1")
