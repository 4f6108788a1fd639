"""Refunds: counted once, never more than was paid, the same end whichever of payment and refund comes first."""

from itertools import permutations
from threading import Barrier, Thread

import pytest

from billing import charges, ledger
from billing.refund import refund
from billing.settle import settle
from billing.told import SettleOutcome
from core import db
from core.errors import Conflict, Refused
from core.models import Charge, IntakeProblem, LedgerEntry, Settlement
from tests.unit.billing.makers import NOON, end_rows, exam, given_back, line, payment

pytestmark = [pytest.mark.requirement("S3", "P6"), pytest.mark.usefixtures("database")]


def problem_texts() -> list[str]:
    return [problem.text for problem in IntakeProblem.select().order_by(IntakeProblem.id)]


def paid(**changes: object) -> None:
    charges.record_fee_line(line(), exam(**changes))
    settle(payment())


def test_refund_gives_the_whole_fee_back_and_reverses_the_entry() -> None:
    paid()
    assert refund(given_back()) == SettleOutcome("accepted", "FY0002")
    charge = Charge.get()
    assert (charge.state, charge.refunded_fen, charge.paid_at) == ("refunded", 2000, NOON)
    assert ledger.balances() == {"clearing:kiosk": 2000, "film_fees": 0, "clearing:cashier": -2000}
    entries = {(row.account, row.debit_fen, row.credit_fen) for row in LedgerEntry.select()}
    assert {("film_fees", 2000, 0), ("clearing:cashier", 0, 2000)} <= entries
    assert ledger.verify() == 2
    assert charges.fee_state(exam()) == "refunded"
    assert not charges.is_fee_settled(exam())
    assert charges.amount_due(exam()) is None
    assert problem_texts() == []


def test_the_same_refund_told_twice_is_one() -> None:
    paid()
    refund(given_back())
    before = end_rows()
    assert refund(given_back()) == SettleOutcome("already", "FY0002")
    assert refund(given_back(channel="his", external_number="")).state == "already", "named by its line"
    assert end_rows() == before
    with pytest.raises(Conflict, match="his:FY0012"):
        refund(given_back(amount_fen=1))
    assert end_rows() == before


def test_parts_add_up_and_more_than_is_left_is_parked() -> None:
    paid()
    assert refund(given_back(key="R1", amount_fen=500)).state == "accepted"
    assert (Charge.get().state, Charge.get().refunded_fen) == ("paid", 500)
    assert charges.fee_state(exam()) == "paid"
    outcome = refund(given_back(key="R2", amount_fen=1600))
    assert (outcome.state, "only 1500 fen were left" in outcome.reason) == ("parked", True)
    assert refund(given_back(key="R2", amount_fen=1600)) == outcome
    assert Charge.get().refunded_fen == 500
    assert len(problem_texts()) == 1
    assert ledger.balances()["unassigned"] == 1600
    assert refund(given_back(key="R3", amount_fen=1500)).state == "accepted"
    assert Charge.get().state == "refunded"
    assert refund(given_back(key="R4", amount_fen=1)).state == "parked"
    assert ledger.verify() == 5


def test_refund_waits_for_its_line_and_for_its_payment_and_ends_the_same() -> None:
    steps = {
        "line": lambda: charges.record_fee_line(line(), exam()),
        "payment": lambda: settle(payment()),
        "part": lambda: refund(given_back(key="R1", amount_fen=500)),
        "rest": lambda: refund(given_back(key="R2", amount_fen=1500)),
    }
    ends = []
    for order in permutations(steps):
        for name in order:
            steps[name]()
            ledger.verify()
        ends.append(end_rows())
        assert problem_texts() == [], order
        for model in (LedgerEntry, Settlement, Charge):
            model.delete().execute()
    assert ends[0]["charge"][0][3] == "refunded"
    assert all(end == ends[0] for end in ends)


def test_waiting_refund_is_seen_and_answered_parked() -> None:
    outcome = refund(given_back())
    assert (outcome.state, "not told yet" in outcome.reason) == ("parked", True)
    assert refund(given_back()) == outcome
    charges.record_fee_line(line(), exam())
    assert (Charge.get().state, Settlement.get().state) == ("unpaid", "waiting")
    assert len(problem_texts()) == 1
    assert ledger.verify() == 0


def test_line_refunded_under_its_own_id_does_not_meet_the_payment_of_that_id() -> None:
    charges.record_fee_line(line(paid=True, paid_at=NOON), exam())
    assert refund(given_back(key="FY0002")).state == "accepted"
    assert refund(given_back(key="FY0002")).state == "already"
    assert Charge.get().state == "refunded"


def test_payments_said_again_after_the_refund_pay_nothing() -> None:
    paid()
    refund(given_back())
    before = end_rows()
    assert settle(payment()).state == "already"
    assert settle(payment(source="his", key="JS1", external_number="T-1")).state == "already"
    charges.record_fee_line(line(paid=True, paid_at=NOON), exam())
    assert end_rows() == before


def test_refund_with_the_number_of_its_payment_is_no_echo_of_the_payment() -> None:
    paid()
    refund(given_back(external_number="T-1", key="R1", amount_fen=500))
    assert Charge.get().refunded_fen == 500
    assert settle(payment(source="his", key="JS1", external_number="T-1")).state == "already"


def test_his_echo_of_a_refund_that_we_told_it_is_no_second_one() -> None:
    paid()
    assert refund(given_back(source="till-1", key="r-1", amount_fen=500)).state == "accepted"
    assert refund(given_back(amount_fen=500)).state == "already"
    assert Charge.get().refunded_fen == 500
    assert refund(given_back(amount_fen=500, external_number="other")).state == "accepted"


def test_second_payment_is_given_back_and_the_line_stays_paid() -> None:
    paid()
    settle(payment(source="cashier-1", key="c-1", channel="cashier", external_number="Q"))
    assert len(problem_texts()) == 1
    assert refund(given_back(external_number="Q")).state == "accepted"
    assert problem_texts() == []
    assert Charge.get().state == "paid"
    assert ledger.balances() == {
        "clearing:kiosk": 2000,
        "film_fees": -2000,
        "clearing:cashier": 0,
        "unassigned": 0,
    }
    assert refund(given_back(key="R2")).state == "accepted"
    assert Charge.get().state == "refunded"


def test_refund_that_names_the_payment_of_the_line_is_of_the_line() -> None:
    paid()
    settle(payment(source="cashier-1", key="c-1", channel="cashier", external_number="Q"))
    refund(given_back(external_number="T-1"))
    assert Charge.get().state == "refunded"
    assert len(problem_texts()) == 1, "the second payment is still to be paid back"


@pytest.mark.parametrize("refund_first", [True, False])
def test_payment_of_a_cancelled_order_is_given_back(refund_first: bool) -> None:
    charges.record_fee_line(line(), exam())
    charges.cancel_for_exam(exam())
    steps = [lambda: settle(payment()), lambda: refund(given_back())]
    for step in reversed(steps) if refund_first else steps:
        step()
    assert Charge.get().state == "cancelled"
    assert {row.kind: row.state for row in Settlement.select()} == {
        "payment": "parked",
        "refund": "accepted",
    }
    assert problem_texts() == []
    assert ledger.balances()["unassigned"] == 0


def test_refund_settles_the_problem_of_a_cancelled_order() -> None:
    paid()
    charges.cancel_for_exam(exam())
    assert len(problem_texts()) == 1
    refund(given_back(key="R1", amount_fen=500))
    assert len(problem_texts()) == 1, "not all of it came back"
    refund(given_back(key="R2", amount_fen=1500))
    assert problem_texts() == []
    charges.cancel_for_exam(exam())
    assert problem_texts() == []


def test_refund_of_another_amount_than_was_parked_is_parked() -> None:
    charges.record_fee_line(line(), exam())
    settle(payment(amount_fen=1999))
    outcome = refund(given_back(amount_fen=5))
    assert "no payment of that amount" in outcome.reason
    assert ledger.verify() == 2


def test_refund_after_publication_is_told_to_people() -> None:
    paid(published_at=NOON)
    refund(given_back())
    (text,) = problem_texts()
    assert "it stays published" in text


def test_line_charged_anew_counts_beside_the_refunded_one() -> None:
    paid()
    refund(given_back())
    charges.record_fee_line(line(fee_line_id="FY3"), exam())
    assert charges.fee_state(exam()) == "unpaid"
    settle(payment(fee_line_id="FY3", key="k-2", external_number="T-2"))
    assert charges.fee_state(exam()) == "paid"


@pytest.mark.parametrize(
    ("choice", "expected"), [("charge", "waived"), ("waived", "waived"), ("included", "included")]
)
def test_waiving_an_unpaid_line(choice: str, expected: str) -> None:
    charges.record_fee_line(line(choice=choice), exam())
    charge = charges.waive_line("FY0002")
    assert charge is not None
    assert (charge.choice, charges.fee_state(exam())) == (expected, expected)
    assert problem_texts() == []


def test_waiving_what_was_given_back_settles_the_fee() -> None:
    paid()
    refund(given_back())
    charges.waive_line("FY0002")
    assert charges.fee_state(exam()) == "waived"


def test_waiving_a_paid_or_unknown_line_is_a_problem() -> None:
    paid()
    charges.waive_line("FY0002")
    assert (Charge.get().choice, Charge.get().state) == ("charge", "paid")
    assert charges.waive_line("FY9") is None
    assert Charge.select().count() == 1
    paid_text, unknown_text = problem_texts()
    assert "the line is paid" in paid_text
    assert "FY9 was waived, but the line is not known" in unknown_text


@pytest.mark.parametrize("changes", [{"amount_fen": 0}, {"amount_fen": -1}, {"key": ""}, {"key": "k" * 65}])
def test_senseless_refund_is_refused_and_leaves_no_row(changes: dict[str, object]) -> None:
    with pytest.raises(Refused):
        refund(given_back(**changes))
    assert Settlement.select().count() == 0


def test_refunds_at_once_never_give_back_more_than_was_paid() -> None:
    """Ten parts of 500, told at the same moment over ten connections: four fit."""
    paid()
    gate = Barrier(10)

    def give_back(number: int) -> None:
        gate.wait(30)
        with db.connection():
            refund(given_back(source="till-1", key=f"r-{number}", external_number="", amount_fen=500))

    threads = [Thread(target=give_back, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (Charge.get().state, Charge.get().refunded_fen) == ("refunded", 2000)
    states = sorted(row.state for row in Settlement.select().where(Settlement.kind == "refund"))
    assert states == ["accepted"] * 4 + ["parked"] * 6
    assert ledger.verify() == 11


def test_payment_and_refund_at_once_always_meet() -> None:
    exams = [exam(f"CT{number}") for number in range(15)]
    for number, one in enumerate(exams):
        charges.record_fee_line(line(fee_line_id=f"F{number}"), one)
    gate = Barrier(2)

    def pay() -> None:
        with db.connection():
            for number in range(len(exams)):
                gate.wait(30)
                settle(payment(fee_line_id=f"F{number}", key=f"k-{number}"))

    def give_back() -> None:
        with db.connection():
            for number in range(len(exams)):
                gate.wait(30)
                refund(given_back(fee_line_id=f"F{number}", key=f"R{number}"))

    threads = [Thread(target=pay), Thread(target=give_back)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {charge.state for charge in Charge.select()} == {"refunded"}
    assert problem_texts() == []
