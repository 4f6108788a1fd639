"""Payments: accepted once, parked with a reason, the same end whichever of order and payment comes first."""

from threading import Barrier, Thread

import pytest

from billing import charges, ledger
from billing.settle import settle
from billing.told import SettleOutcome
from core import db
from core.clock import now
from core.errors import Conflict, Refused
from core.models import Charge, IntakeProblem, LedgerEntry, Settlement
from tests.unit.billing.makers import NOON, end_rows, exam, line, payment

pytestmark = [pytest.mark.requirement("S3", "P6"), pytest.mark.usefixtures("database")]


def state_of(fee_line_id: str = "FY0002") -> str:
    return Charge.get(Charge.fee_line_id == fee_line_id).state


def problem_texts() -> list[str]:
    return [problem.text for problem in IntakeProblem.select().order_by(IntakeProblem.id)]


def test_payment_settles_its_line_and_is_in_the_ledger() -> None:
    charges.record_fee_line(line(), exam())
    assert settle(payment()) == SettleOutcome("accepted", "FY0002")
    charge = Charge.get()
    assert (charge.state, charge.paid_at, charge.channel) == ("paid", NOON, "kiosk")
    assert ledger.balances() == {"clearing:kiosk": 2000, "film_fees": -2000}
    assert ledger.verify() == 1
    assert problem_texts() == []


def test_repeated_payment_is_answered_already_and_changes_nothing() -> None:
    charges.record_fee_line(line(), exam())
    settle(payment())
    before = end_rows()
    assert settle(payment()) == SettleOutcome("already", "FY0002")
    assert settle(payment(paid_at=now())) == SettleOutcome("already", "FY0002"), "its first time stands"
    assert end_rows() == before


@pytest.mark.parametrize(
    "changes", [{"amount_fen": 1}, {"fee_line_id": "FY9"}, {"external_number": "T-2"}, {"channel": "cashier"}]
)
def test_key_used_for_another_payment_is_a_conflict(changes: dict[str, object]) -> None:
    charges.record_fee_line(line(), exam())
    settle(payment())
    before = end_rows()
    with pytest.raises(Conflict, match="kiosk-1:k-1"):
        settle(payment(**changes))
    assert end_rows() == before


def test_wrong_amount_is_parked_and_never_paid() -> None:
    charges.record_fee_line(line(), exam())
    outcome = settle(payment(amount_fen=1999))
    assert outcome.state == "parked"
    assert "1999 fen were paid, 2000 fen are owed" in outcome.reason
    assert settle(payment(amount_fen=1999)) == outcome
    assert state_of() == "unpaid"
    assert len(problem_texts()) == 1
    assert ledger.balances() == {"clearing:kiosk": 1999, "unassigned": -1999}
    assert settle(payment(key="k-2")).state == "accepted"


def test_second_payment_of_a_paid_line_is_parked_to_be_paid_back() -> None:
    charges.record_fee_line(line(), exam())
    settle(payment())
    outcome = settle(payment(source="cashier-1", key="c-1", channel="cashier", external_number="Q"))
    assert (outcome.state, "pay the money back" in outcome.reason) == ("parked", True)
    assert ledger.balances() == {
        "clearing:kiosk": 2000,
        "film_fees": -2000,
        "clearing:cashier": 2000,
        "unassigned": -2000,
    }
    assert Charge.get().channel == "kiosk"


@pytest.mark.parametrize("choice", ["waived", "included"])
def test_payment_of_what_costs_nothing_is_parked(choice: str) -> None:
    charges.record_fee_line(line(choice=choice), exam())
    outcome = settle(payment())
    assert (outcome.state, choice in outcome.reason) == ("parked", True)
    assert state_of() == "unpaid"


def test_payment_of_a_cancelled_line_is_parked() -> None:
    charges.record_fee_line(line(), exam())
    charges.cancel_for_exam(exam())
    assert "cancelled" in settle(payment()).reason
    assert state_of() == "cancelled"


def test_payment_before_its_order_waits_visibly_and_ends_as_if_it_had_come_after() -> None:
    outcome = settle(payment())
    assert (outcome.state, "not known yet" in outcome.reason) == ("parked", True)
    assert settle(payment()) == outcome
    assert len(problem_texts()) == 1
    assert ledger.verify() == 0
    charge = charges.record_fee_line(line(), exam())
    assert (charge.state, charge.paid_at) == ("paid", NOON)
    assert settle(payment()).state == "already"
    early = end_rows()
    assert problem_texts() == []

    for model in (LedgerEntry, Settlement, Charge):
        model.delete().execute()
    charges.record_fee_line(line(), exam())
    settle(payment())
    assert end_rows() == early


def test_early_payment_of_another_amount_is_parked_when_its_order_comes() -> None:
    settle(payment(amount_fen=5))
    charges.record_fee_line(line(), exam())
    assert Settlement.get().state == "parked"
    assert state_of() == "unpaid"
    assert "5 fen were paid" in problem_texts()[0]
    assert ledger.verify() == 1


def test_his_may_say_in_the_order_and_in_dft_that_it_collected_a_line() -> None:
    dft = payment(source="his", key="JS1", channel="cashier", external_number="JS1")
    paid_line = line(paid=True, paid_at=NOON, channel="cashier", external_number="JS1")
    ends = []
    for first_dft in (True, False):
        if first_dft:
            settle(dft)
        charges.record_fee_line(paid_line, exam())
        charges.record_fee_line(paid_line, exam())
        assert settle(dft).state == "already"
        assert state_of() == "paid"
        assert problem_texts() == []
        ends.append(end_rows())
        for model in (LedgerEntry, Settlement, Charge):
            model.delete().execute()
    assert ends[0] == ends[1]


def test_his_echo_of_a_payment_that_we_told_it_is_no_second_payment() -> None:
    charges.record_fee_line(line(), exam())
    settle(payment())
    assert settle(payment(source="his", key="JS1", external_number="T-1")).state == "already"
    charges.record_fee_line(line(paid=True), exam())
    assert Settlement.select().count() == 1
    assert settle(payment(source="his", key="JS2", external_number="other")).state == "parked"


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_fen": 0},
        {"amount_fen": -1},
        {"key": ""},
        {"fee_line_id": ""},
        {"key": "k" * 65},
        {"channel": "c" * 17},
    ],
)
def test_senseless_payment_is_refused_and_leaves_no_row(changes: dict[str, object]) -> None:
    with pytest.raises(Refused):
        settle(payment(**changes))
    assert Settlement.select().count() == 0


def test_payments_at_once_settle_a_line_once() -> None:
    """Twelve tills, each key used twice, all at the same moment: one is accepted, the ledger balances."""
    charges.record_fee_line(line(), exam())
    gate = Barrier(12)
    outcomes = []

    def pay(number: int) -> None:
        gate.wait(30)
        with db.connection():
            outcomes.append(settle(payment(key=f"k-{number // 2}", external_number=f"T-{number // 2}")).state)

    threads = [Thread(target=pay, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["accepted", "already"] + ["parked"] * 10
    assert Settlement.select().where(Settlement.state == "accepted").count() == 1
    assert ledger.verify() == 6
    assert sum(ledger.balances().values()) == 0


def test_order_and_payment_at_once_always_meet() -> None:
    """Neither side may look before the other has written: many pairs, each started at the same moment."""
    exams = [exam(f"CT{number}") for number in range(15)]
    gate = Barrier(2)

    def order() -> None:
        with db.connection():
            for number, one in enumerate(exams):
                gate.wait(30)
                charges.record_fee_line(line(fee_line_id=f"F{number}"), one)

    def pay() -> None:
        with db.connection():
            for number in range(len(exams)):
                gate.wait(30)
                settle(payment(fee_line_id=f"F{number}", key=f"k-{number}"))

    threads = [Thread(target=order), Thread(target=pay)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {charge.state for charge in Charge.select()} == {"paid"}
    assert ledger.verify() == len(exams)
    assert problem_texts() == []
