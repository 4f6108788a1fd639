"""Who is told what: payments and refunds of others, film addresses; once per peer, in order, by the peer's sender."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from app.bindings import outbox_handlers
from core import outbox
from core.commands import RefundFee
from core.config import Settings
from core.errors import Unavailable
from core.models import Charge, Exam, IntakeProblem, OutboundMessage, OutboxEvent, PatientIdentifier
from hl7_engine.er7 import Message
from hl7_engine.sender import MemorySender
from hl7_engine.site import Peer, Site
from jobs.runner import Runner
from tests.unit.workflow.makers import (
    LINE,
    MINUTE,
    NOON,
    ORDER,
    PAYMENT,
    REPORT,
    archived,
    exam,
    order,
    problem_texts,
)
from workflow.context import Platform
from workflow.receive_order import receive_order
from workflow.receive_report import receive_report
from workflow.refund_fee import refund_fee
from workflow.send_message import send_message
from workflow.settle_fee import settle_fee

pytestmark = [pytest.mark.requirement("P6", "S3", "F6"), pytest.mark.usefixtures("memory_database")]

HIS = Peer(name="HIS", send_to="10.0.0.1:1", receives=("payment", "film_link"))
RIS = Peer(name="RIS", send_to="10.0.0.2:1", receives=("film_link",), application="RIS")
TILL_REFUND = RefundFee("kiosk-1", "r-1", "FY0002", 500, NOON + MINUTE, "kiosk", "R-1")
TELLING = ("tell_his", "tell_film_link", "send_his")


def platform(*peers: Peer) -> Platform:
    return cast(
        Platform,
        SimpleNamespace(
            settings=Settings(public_url="https://film.example.cn"),
            site=Site(peers=peers),
            senders={peer.name: MemorySender() for peer in peers},
        ),
    )


@pytest.fixture
def hospital() -> Iterator[Platform]:
    yield platform(HIS, RIS)


def relay(platform: Platform) -> None:
    runner = Runner(outbox_handlers(platform), 12)
    while works := outbox.claim(10, only=TELLING):
        for work in works:
            runner.run(work)


def sent(platform: Platform, peer: str) -> list[Message]:
    sender = cast(MemorySender, platform.senders[peer])
    return [Message.parse(raw.decode("gb18030")) for raw in sender.sent]


def types(platform: Platform, peer: str) -> list[str]:
    return [message.type for message in sent(platform, peer)]


def test_payment_at_a_kiosk_is_told_to_those_who_keep_the_books(hospital: Platform) -> None:
    receive_order(ORDER)
    settle_fee(PAYMENT)
    settle_fee(PAYMENT)
    receive_order(ORDER)
    relay(hospital)
    (message,) = sent(hospital, "HIS")
    assert (message.type, message.get("FT1-2"), message.get("FT1-11")) == ("DFT^P03", "FY0002", "20.00")
    assert types(hospital, "RIS") == []
    receive_order(ORDER)
    relay(hospital)
    assert len(sent(hospital, "HIS")) == 1


def test_payment_before_its_order_is_told_when_the_order_names_the_patient(hospital: Platform) -> None:
    settle_fee(PAYMENT)
    relay(hospital)
    assert types(hospital, "HIS") == []
    receive_order(ORDER)
    relay(hospital)
    assert types(hospital, "HIS") == ["DFT^P03"]


def test_what_the_his_collected_itself_is_not_told_back(hospital: Platform) -> None:
    receive_order(order(fee_lines=(replace(LINE, paid=True, paid_at=NOON),)))
    refund_fee(replace(TILL_REFUND, source="his", key="FY0012"))
    relay(hospital)
    assert types(hospital, "HIS") == []


def test_refund_at_a_till_follows_its_payment(hospital: Platform) -> None:
    refund_fee(TILL_REFUND)
    receive_order(ORDER)
    settle_fee(PAYMENT)
    refund_fee(TILL_REFUND)
    relay(hospital)
    told = [(message.get("FT1-6"), message.get("FT1-11")) for message in sent(hospital, "HIS")]
    assert sorted(told) == [("CG", "20.00"), ("CR", "-5.00")]
    streams = {row.stream for row in OutboxEvent.select().where(OutboxEvent.kind == "send_his")}
    assert len(streams) == 1


def test_whole_refund_told_before_the_payment_leaves_still_tells_both(hospital: Platform) -> None:
    receive_order(ORDER)
    settle_fee(PAYMENT)
    refund_fee(replace(TILL_REFUND, source="his", key="FY0012", amount_fen=2000))
    assert Charge.get().state == "refunded"
    relay(hospital)
    assert types(hospital, "HIS") == ["DFT^P03"], "the HIS knows of its own refund, not of the payment"


def test_giving_back_what_never_counted_is_nobody_elses_business(hospital: Platform) -> None:
    receive_order(ORDER)
    settle_fee(PAYMENT)
    settle_fee(replace(PAYMENT, key="k-2", external_number="T-2"))
    refund_fee(replace(TILL_REFUND, amount_fen=2000, external_number="T-2"))
    relay(hospital)
    assert types(hospital, "HIS") == ["DFT^P03"]


def published() -> Exam:
    free = order(fee_lines=(replace(LINE, choice="included", amount_fen=0),))
    receive_order(free)
    receive_report(REPORT)
    archived()
    receive_order(free)
    return exam()


def test_film_address_is_told_once_when_the_exam_is_published(hospital: Platform) -> None:
    receive_order(ORDER)
    relay(hospital)
    assert types(hospital, "RIS") == []
    one = published()
    assert one.published_at is not None
    receive_report(replace(REPORT, status="C", said_at=NOON + MINUTE))
    relay(hospital)
    for peer in ("HIS", "RIS"):
        (message,) = [each for each in sent(hospital, peer) if each.type == "ORU^R01"]
        assert message.get("OBX-5") == f"https://film.example.cn/exams/{one.id}"
        assert (message.get("MSH-5"), message.get("OBR-18")) == (peer, "CT1")


def test_site_without_receivers_owes_nothing() -> None:
    nobody = platform()
    receive_order(ORDER)
    settle_fee(PAYMENT)
    published()
    relay(nobody)
    assert OutboundMessage.select().count() == 0
    assert not OutboxEvent.select().where(OutboxEvent.kind.in_(TELLING), OutboxEvent.state != "done").exists()


def test_what_hl7_cannot_say_becomes_a_problem_and_the_payment_stands(hospital: Platform) -> None:
    receive_order(ORDER)
    PatientIdentifier.delete().execute()
    settle_fee(PAYMENT)
    relay(hospital)
    assert Charge.get().state == "paid"
    (text,) = problem_texts()
    assert "HIS was not told" in text and "FY0002" in text


def test_messages_to_a_peer_that_the_site_forgot_stay_queued_until_it_is_named_again(
    hospital: Platform,
) -> None:
    receive_order(ORDER)
    settle_fee(PAYMENT)
    (work,) = outbox.claim(10, only=("tell_his",))
    Runner(outbox_handlers(hospital), 12).run(work)
    (row,) = OutboundMessage.select()
    forgotten = platform(RIS)
    for _ in range(2):
        with pytest.raises(Unavailable, match="no peer of this name"):
            send_message(forgotten, row.id)
    (problem,) = IntakeProblem.select()
    assert "messages to HIS cannot be sent" in problem.text
    assert OutboundMessage.get_by_id(row.id).state == "queued"
    send_message(hospital, row.id)
    assert IntakeProblem.select().count() == 0
    assert OutboundMessage.get_by_id(row.id).state == "sent"
