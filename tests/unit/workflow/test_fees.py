"""What money does to an exam: refunded is not out, waived is; what is out stays out."""

from itertools import permutations

import pytest

from core.commands import RefundFee, WaiveFee
from core.models import ALL_MODELS, Charge
from tests.unit.workflow.makers import (
    CANCELLATION,
    MINUTE,
    NOON,
    ORDER,
    PAYMENT,
    REPORT,
    archived,
    exam,
    problem_texts,
)
from workflow.receive_order import cancel_order, receive_order
from workflow.receive_report import receive_report
from workflow.refund_fee import refund_fee
from workflow.settle_fee import settle_fee
from workflow.waive_fee import waive_fee

pytestmark = [pytest.mark.requirement("S3", "P6", "E1"), pytest.mark.usefixtures("memory_database")]

REFUND = RefundFee("his", "FY0012", "FY0002", 2000, NOON + MINUTE, "cashier", "TF1")
WAIVER = WaiveFee("FY0002", "SQ1", NOON)


def ready_but_for_money() -> None:
    receive_order(ORDER)
    receive_report(REPORT)
    archived()


def test_refunded_exam_is_not_published() -> None:
    receive_order(ORDER)
    settle_fee(PAYMENT)
    refund_fee(REFUND)
    receive_report(REPORT)
    archived()
    receive_order(ORDER)
    assert exam().published_at is None
    assert Charge.get().state == "refunded"


def test_published_exam_stays_published_and_people_know() -> None:
    ready_but_for_money()
    settle_fee(PAYMENT)
    assert exam().published_at is not None
    refund_fee(REFUND)
    assert exam().published_at is not None
    (text,) = problem_texts()
    assert "given back after the film was published" in text


def test_part_of_the_fee_given_back_publishes_all_the_same() -> None:
    receive_order(ORDER)
    settle_fee(PAYMENT)
    refund_fee(RefundFee("his", "FY0012", "FY0002", 500, NOON, "cashier"))
    receive_report(REPORT)
    archived()
    receive_order(ORDER)
    assert exam().published_at is not None


def test_waiver_publishes_the_exam_that_waited_for_money() -> None:
    ready_but_for_money()
    assert exam().published_at is None
    waive_fee(WAIVER)
    waive_fee(WAIVER)
    assert exam().published_at is not None
    assert problem_texts() == []


def test_waiver_of_an_unknown_line_invents_nothing() -> None:
    waive_fee(WAIVER)
    waive_fee(WAIVER)
    assert Charge.select().count() == 0
    assert len(problem_texts()) == 1


def test_cancelled_paid_and_refunded_in_any_order_leaves_nothing_to_do() -> None:
    steps = {
        "cancel": lambda: cancel_order(CANCELLATION),
        "pay": lambda: settle_fee(PAYMENT),
        "refund": lambda: refund_fee(REFUND),
    }
    for sequence in permutations(steps):
        for model in reversed(ALL_MODELS):
            model.delete().execute()
        receive_order(ORDER)
        for name in sequence:
            steps[name]()
        receive_order(ORDER)
        assert problem_texts() == [], sequence
        assert exam().cancelled_at is not None
        assert Charge.get().state in ("refunded", "cancelled")
