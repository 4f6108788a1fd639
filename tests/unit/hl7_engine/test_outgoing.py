"""A payment that the HIS must learn of: written once, valid for hl7apy, sent until it is accepted."""

from dataclasses import replace
from pathlib import Path

import pytest
from hl7apy.parser import parse_message

from core import outbox
from core.errors import Unavailable
from core.models import Charge, Exam, OutboundMessage, OutboxEvent, Patient, PatientIdentifier, Settlement
from hl7_engine import outgoing
from hl7_engine.errors import Rejected, Unwritable
from hl7_engine.sender import MemorySender, control_id_of
from hl7_engine.writing import payment
from hl7_engine.writing.payment import PaymentFacts
from simulators.his import HisSimulator
from tests.unit.hl7_engine.samples import FILM, NOON, PAYMENT

pytestmark = [pytest.mark.requirement("P6", "S3"), pytest.mark.usefixtures("memory_database")]


def queue(key: str = "payment:FY0002") -> OutboundMessage:
    outgoing.queue("HIS", key, "DFT^P03", lambda control_id: payment.build(PAYMENT, control_id))
    return OutboundMessage.get(OutboundMessage.key == key)


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


def test_messages_leave_in_order() -> None:
    one, two = queue("payment:1"), queue("payment:2")
    (work,) = outbox.claim(10)
    assert (work.kind, work.payload) == ("send_his", {"message_id": one.id})
    outbox.finish(work.id)
    (work,) = outbox.claim(10)
    assert work.payload == {"message_id": two.id}


@pytest.mark.parametrize("code", ["AA", "CA"])
def test_accepted_message_is_sent_once(code: str) -> None:
    sender = MemorySender()
    sender.answers = [code]
    message = queue()
    outgoing.deliver(message.id, sender)
    outgoing.deliver(message.id, sender)
    assert sender.sent == [message.body]
    row = OutboundMessage.get_by_id(message.id)
    assert (row.state, row.ack_code) == ("sent", code)
    assert row.sent_at is not None


@pytest.mark.parametrize("code", ["AE", "AR", "CE", "CR"])
def test_rejected_message_stays_owed_and_says_so(code: str) -> None:
    sender = MemorySender()
    sender.answers = [code]
    message = queue()
    with pytest.raises(Rejected, match=f"HIS answered {code} to {message.control_id}"):
        outgoing.deliver(message.id, sender)
    row = OutboundMessage.get_by_id(message.id)
    assert (row.state, row.ack_code, row.sent_at) == ("queued", code, None)
    outgoing.deliver(message.id, sender)
    assert OutboundMessage.get_by_id(message.id).state == "sent"


def test_unanswered_message_stays_owed() -> None:
    class Away:
        def send(self, raw: bytes) -> None:
            raise Unavailable("the HIS is away")

    message = queue()
    with pytest.raises(Unavailable):
        outgoing.deliver(message.id, Away())  # type: ignore[arg-type]
    assert OutboundMessage.get_by_id(message.id).state == "queued"


def test_facts_that_hl7_does_not_allow_are_not_sent() -> None:
    with pytest.raises(Unwritable, match="FY0002"):
        payment.build(replace(PAYMENT, identifiers=()), "CF1")
