"""Orders placed, changed and cancelled, in whatever order they come."""

from dataclasses import replace
from itertools import permutations

import pytest

from core.commands import PlaceOrder
from core.models import ALL_MODELS, Charge, Exam, Patient, Settlement
from tests.unit.workflow.makers import (
    CANCELLATION,
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
from workflow.receive_order import cancel_order, receive_order
from workflow.receive_report import receive_report
from workflow.settle_fee import settle_fee

pytestmark = [pytest.mark.requirement("P6", "S3"), pytest.mark.usefixtures("memory_database")]


def rows() -> list[object]:
    one = exam()
    charges = [(line.fee_line_id, line.amount_fen, line.state) for line in Charge.select()]
    return [one.item_name, one.department, one.ordered_at, one.cancelled_at, Patient.get().name, charges]


def test_order_told_twice_is_one_exam_with_one_line() -> None:
    receive_order(ORDER)
    before = rows()
    receive_order(ORDER)
    assert rows() == before
    assert (Exam.select().count(), Charge.select().count(), Patient.select().count()) == (1, 1, 1)


def test_change_before_its_order_begins_the_exam() -> None:
    receive_order(order(item_name="", fee_lines=(replace(LINE, amount_fen=1500),)))
    receive_order(order(fee_lines=(replace(LINE, amount_fen=1500),)))
    assert Exam.select().count() == 1
    assert (exam().item_name, Charge.get().amount_fen) == ("胸部CT平扫", 1500)


def test_change_moves_an_unpaid_amount_and_keeps_a_paid_one() -> None:
    receive_order(ORDER)
    receive_order(order(department="急诊科", fee_lines=(replace(LINE, amount_fen=1500),)))
    assert (exam().department, Charge.get().amount_fen) == ("急诊科", 1500)
    settle_fee(replace(PAYMENT, amount_fen=1500))
    receive_order(ORDER)
    assert (Charge.get().amount_fen, Charge.get().state) == (1500, "paid")
    assert "was kept as it was" in problem_texts()[0]


@pytest.mark.parametrize("accession", ["CT1", ""])
def test_order_that_comes_after_its_cancellation_stays_cancelled(accession: str) -> None:
    cancel_order(replace(CANCELLATION, accession_number=accession))
    receive_order(ORDER)
    assert Exam.select().count() == 1
    assert exam().cancelled_at == NOON + MINUTE
    assert Charge.get().state == "cancelled"
    settle_fee(PAYMENT)
    receive_report(REPORT)
    archived()
    receive_order(ORDER)
    assert exam().published_at is None
    paid, reported = problem_texts()
    assert "pay the money back" in paid
    assert "was cancelled, but has a report" in reported


def test_cancellation_after_payment_is_money_to_pay_back() -> None:
    receive_order(ORDER)
    settle_fee(PAYMENT)
    cancel_order(CANCELLATION)
    cancel_order(CANCELLATION)
    assert (exam().cancelled_at, Charge.get().state) == (NOON + MINUTE, "paid")
    assert ["pay the money back" in text for text in problem_texts()] == [True]


def test_cancellation_after_publication_changes_nothing_that_is_out() -> None:
    receive_order(ORDER)
    settle_fee(PAYMENT)
    receive_report(REPORT)
    archived()
    receive_order(ORDER)
    assert exam().published_at is not None
    cancel_order(CANCELLATION)
    assert exam().cancelled_at is None
    published, paid = problem_texts()
    assert "cancelled after it was published" in published
    assert "pay the money back" in paid


def test_line_paid_by_the_order_of_another_exam_publishes_the_exam_that_keeps_it() -> None:
    receive_order(ORDER)
    archived()
    receive_report(REPORT)
    assert exam().published_at is None
    second = order(accession_number="CT2", placer_order_number="SQ2", fee_lines=(replace(LINE, paid=True),))
    receive_order(second)
    assert (Charge.get().exam, Charge.get().state) == (exam(), "paid")
    assert exam().published_at is not None
    assert exam("CT2").published_at is None


def test_order_whose_payment_contradicts_an_earlier_message_is_kept() -> None:
    settle_fee(replace(PAYMENT, source="his", key="FY0002", amount_fen=2500))
    receive_order(order(fee_lines=(replace(LINE, paid=True),)))
    receive_order(order(fee_lines=(replace(LINE, paid=True),)))
    assert (exam().item_name, Patient.get().name) == ("胸部CT平扫", "张珅東")
    assert (Charge.get().state, Settlement.get().state) == ("unpaid", "parked")
    texts = problem_texts()
    assert len(texts) == 2
    assert any("2000 fen were paid, another message" in text for text in texts)


@pytest.mark.parametrize("told", [ORDER, order(placer_order_number="")])
def test_cancellation_without_order_number_leaves_nothing_to_pay(told: PlaceOrder) -> None:
    receive_order(told)
    cancel_order(replace(CANCELLATION, placer_order_number=""))
    assert Charge.get().state == "cancelled"
    assert settle_fee(PAYMENT).state == "parked"


def test_cancelling_one_exam_of_an_order_leaves_the_fee_of_the_other() -> None:
    receive_order(ORDER)
    receive_order(order(accession_number="CT2", fee_lines=(replace(LINE, fee_line_id="FY3"),)))
    cancel_order(replace(CANCELLATION, accession_number="CT2"))
    assert {line.fee_line_id: line.state for line in Charge.select()} == {
        "FY0002": "unpaid",
        "FY3": "cancelled",
    }
    assert settle_fee(PAYMENT).state == "accepted"


def test_cancelled_exams_end_the_same_whatever_came_first() -> None:
    steps = {
        "order": lambda: receive_order(ORDER),
        "again": lambda: receive_order(ORDER),
        "cancel": lambda: cancel_order(CANCELLATION),
    }
    for sequence in permutations(steps):
        for model in reversed(ALL_MODELS):
            model.delete().execute()
        for name in sequence:
            steps[name]()
        assert rows()[3:] == [
            NOON + MINUTE,
            "张珅東",
            [("FY0002", 2000, "cancelled")],
        ], sequence


def test_exam_that_is_ordered_anew_after_its_cancellation_lives_again() -> None:
    receive_order(ORDER)
    cancel_order(CANCELLATION)
    receive_order(replace(ORDER, ordered_at=NOON + 2 * MINUTE))
    assert (exam().cancelled_at, Charge.get().state) == (None, "unpaid")
    settle_fee(PAYMENT)
    receive_report(REPORT)
    archived()
    receive_order(ORDER)
    assert exam().published_at is not None
    assert problem_texts() == []
