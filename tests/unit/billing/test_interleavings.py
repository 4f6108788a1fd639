"""Any order of repeated fee lines, payments, refunds and cancellations: each line paid once, never more given back than
was paid, the ledger balanced."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing import charges, ledger
from billing.refund import refund
from billing.settle import settle
from core.models import ALL_MODELS, Charge, Settlement
from tests.unit.billing.makers import end_rows, exam, given_back, line, payment

pytestmark = [pytest.mark.requirement("S3", "P6"), pytest.mark.usefixtures("memory_database")]

LINES = ("A", "B", "C")

lines_told = st.tuples(st.just("line"), st.sampled_from(LINES), st.sampled_from(["charge", "waived"]))
payments = st.tuples(st.just("pay"), st.sampled_from(LINES), st.sampled_from([2000, 1999]), st.integers(0, 3))
refunds = st.tuples(
    st.just("refund"), st.sampled_from(LINES), st.sampled_from([2000, 1999, 700]), st.integers(0, 3)
)
cancels = st.tuples(st.just("cancel"))


def start_again() -> None:
    for model in reversed(ALL_MODELS):
        model.delete().execute()


def play(event: tuple) -> None:
    match event:
        case ("line", name, choice):
            charges.record_fee_line(line(fee_line_id=name, choice=choice), exam())
        case ("pay", name, amount, till):
            key = f"{name}-{amount}"
            settle(
                payment(
                    source=f"till-{till}", key=key, external_number=key, fee_line_id=name, amount_fen=amount
                )
            )
        case ("refund", name, amount, number):
            key = f"R-{name}-{amount}-{number}"
            refund(given_back(key=key, external_number=key, fee_line_id=name, amount_fen=amount))
        case ("cancel",):
            charges.cancel_for_exam(exam())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(lines_told, payments, refunds, cancels), max_size=30))
def test_each_line_is_paid_at_most_once_and_the_ledger_balances(events: list[tuple]) -> None:
    start_again()
    paid_before: set[str] = set()
    for event in events:
        play(event)
        paid = {
            charge.fee_line_id for charge in Charge.select().where(Charge.state.in_(["paid", "refunded"]))
        }
        assert paid_before <= paid, "what was paid stays so"
        paid_before = paid
        ledger.verify()
    told = list(Settlement.select())
    accepted = [row.fee_line_id for row in told if (row.kind, row.state) == ("payment", "accepted")]
    assert sorted(accepted) == sorted(paid_before)
    assert sum(ledger.balances().values()) == 0
    given = 0
    for charge in Charge.select():
        assert 0 <= charge.refunded_fen <= charge.amount_fen
        assert (charge.state == "refunded") == (charge.refunded_fen == charge.amount_fen)
        given += charge.refunded_fen
    assert -ledger.balances().get("film_fees", 0) == 2000 * len(accepted) - given
    set_aside = sum(row.amount_fen for row in told if (row.kind, row.state) == ("payment", "parked"))
    back = sum(row.amount_fen for row in told if row.reason.startswith("gives back"))
    assert back <= set_aside
    known = {charge.fee_line_id for charge in Charge.select()}
    for row in told:
        if row.state == "waiting":
            assert row.fee_line_id not in known or (row.kind == "refund" and row.fee_line_id not in accepted)


once_each = [
    ("line", "A", "charge"),
    ("pay", "A", 2000, 0),
    ("refund", "A", 700, 0),
    ("line", "B", "waived"),
    ("line", "C", "charge"),
    ("pay", "C", 2000, 0),
    ("refund", "C", 2000, 0),
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations([*once_each, *once_each]))
def test_order_and_repetition_do_not_change_the_end(events: list[tuple]) -> None:
    start_again()
    for event in once_each:
        play(event)
    expected = end_rows()
    start_again()
    for event in events:
        play(event)
    assert end_rows() == expected
