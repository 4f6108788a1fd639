"""Fee lines: written any number of times, changed only while unpaid, and what they say about an exam."""

import pytest

from billing import charges, prices
from billing.settle import settle
from core.clock import now
from core.models import Charge, IntakeProblem, Settlement
from tests.unit.billing.makers import NOON, end_rows, exam, line, payment

pytestmark = [pytest.mark.requirement("S3", "P6"), pytest.mark.usefixtures("memory_database")]


def problems() -> list[str]:
    return [problem.text for problem in IntakeProblem.select()]


def test_exam_without_any_line_waits_for_its_order() -> None:
    one = exam()
    assert charges.fee_state(one) == "none"
    assert not charges.is_fee_settled(one)
    assert charges.amount_due(one) is None


@pytest.mark.parametrize(
    ("lines", "state", "due"),
    [
        ([line()], "unpaid", 2000),
        ([line(choice="waived")], "waived", None),
        ([line(choice="included")], "included", None),
        ([line(amount_fen=0)], "waived", None),
        ([line(paid=True)], "paid", None),
        ([line(paid=True), line(fee_line_id="B", amount_fen=500)], "unpaid", 500),
        ([line(paid=True), line(fee_line_id="B", choice="waived")], "paid", None),
        ([line(choice="included"), line(fee_line_id="B", choice="waived")], "waived", None),
        ([line(), line(fee_line_id="B", amount_fen=500)], "unpaid", 2500),
    ],
)
def test_fee_state_follows_from_the_lines(lines: list, state: str, due: int | None) -> None:
    one = exam()
    for each in lines:
        charges.record_fee_line(each, one)
    assert charges.fee_state(one) == state
    assert charges.is_fee_settled(one) == (state != "unpaid")
    assert charges.amount_due(one) == due


def test_line_told_twice_is_one_row() -> None:
    first = charges.record_fee_line(line(), exam())
    assert charges.record_fee_line(line(), exam()).id == first.id
    assert problems() == []


def test_unpaid_line_may_change() -> None:
    charges.record_fee_line(line(), exam())
    charge = charges.record_fee_line(line(amount_fen=1500, choice="waived", collect_on_behalf=False), exam())
    assert (charge.amount_fen, charge.choice, charge.collect_on_behalf) == (1500, "waived", False)


@pytest.mark.parametrize("changes", [{"amount_fen": 1500}, {"choice": "waived"}])
def test_paid_line_stays_and_the_change_is_noted(changes: dict[str, object]) -> None:
    charges.record_fee_line(line(), exam())
    settle(payment())
    before = end_rows()
    charges.record_fee_line(line(**changes), exam())
    assert end_rows() == before
    assert "was kept as it was" in problems()[0]


def test_line_that_comes_with_another_exam_stays_with_the_first() -> None:
    charges.record_fee_line(line(), exam("CT1"))
    charge = charges.record_fee_line(line(amount_fen=1), exam("CT2"))
    assert charge.exam is not None
    assert (charge.exam.accession_number, charge.amount_fen) == ("CT1", 2000)
    assert "another exam" in problems()[0]


def test_cancelled_order_owes_nothing_and_paid_lines_are_noted() -> None:
    one = exam()
    charges.record_fee_line(line(), one)
    charges.record_fee_line(line(fee_line_id="B", paid=True), one)
    charges.cancel_for_exam(exam())
    charges.cancel_for_exam(exam())
    assert {charge.fee_line_id: charge.state for charge in Charge.select()} == {
        "FY0002": "cancelled",
        "B": "paid",
    }
    assert charges.amount_due(one) is None
    assert [text for text in problems() if "fee line B" in text and "pay the money back" in text]


def test_line_that_comes_after_its_cancellation_is_cancelled() -> None:
    one = exam(cancelled_at=NOON)
    settle(payment())
    assert charges.record_fee_line(line(), one).state == "cancelled"
    assert Settlement.get().state == "parked"
    assert charges.fee_state(one) == "none"


def test_cancelling_takes_the_lines_of_the_exam_whatever_their_order_number() -> None:
    charges.record_fee_line(line(placer_order_number=""), exam("CT1"))
    charges.record_fee_line(line(fee_line_id="B"), exam("CT2"))
    charges.cancel_for_exam(exam("CT1"))
    assert {row.fee_line_id: row.state for row in Charge.select()} == {"FY0002": "cancelled", "B": "unpaid"}


@pytest.mark.parametrize(("exams", "state"), [(["CT1"], "cancelled"), (["CT1", "CT2"], "unpaid")])
def test_line_without_exam_is_cancelled_with_the_only_exam_of_its_order(exams: list[str], state: str) -> None:
    Charge.create(fee_line_id="A", placer_order_number="SQ1", item_code="YYX0001", amount_fen=2000)
    for number in exams:
        exam(number)
    charges.cancel_for_exam(exam("CT1"))
    assert Charge.get().state == state


def test_amount_off_the_price_list_is_recorded_and_noted_once() -> None:
    prices.add_price("YYX0001", "数字影像服务费", 2500, NOON)
    for _ in range(2):
        assert charges.record_fee_line(line(), exam()).amount_fen == 2000
    assert problems() == ["fee line FY0002: 2000 fen, but the price list says 2500 fen"]
    charges.record_fee_line(line(fee_line_id="B", amount_fen=2500), exam())
    charges.record_fee_line(line(fee_line_id="C", choice="waived"), exam())
    assert len(problems()) == 1


def test_paid_line_without_a_time_is_paid_now() -> None:
    before = now()
    assert before <= charges.record_fee_line(line(paid=True), exam()).paid_at <= now()
