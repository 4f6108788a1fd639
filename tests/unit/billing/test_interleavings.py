"""Any order of repeated fee lines, payments and cancellations: each line paid once, the ledger balanced."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing import charges, ledger
from billing.settle import settle
from core.models import ALL_MODELS, Charge, Settlement
from tests.unit.billing.makers import end_rows, exam, line, payment

pytestmark = [pytest.mark.requirement("S3", "P6"), pytest.mark.usefixtures("memory_database")]

LINES = ("A", "B", "C")

lines_told = st.tuples(st.just("line"), st.sampled_from(LINES), st.sampled_from(["charge", "waived"]))
payments = st.tuples(st.just("pay"), st.sampled_from(LINES), st.sampled_from([2000, 1999]), st.integers(0, 3))
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
        case ("cancel",):
            charges.cancel_for_order("SQ1")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(lines_told, payments, cancels), max_size=25))
def test_each_line_is_paid_at_most_once_and_the_ledger_balances(events: list[tuple]) -> None:
    start_again()
    paid_before: set[str] = set()
    for event in events:
        play(event)
        paid = {charge.fee_line_id for charge in Charge.select().where(Charge.state == "paid")}
        assert paid_before <= paid, "what is paid stays paid"
        paid_before = paid
        ledger.verify()
    accepted = [row.fee_line_id for row in Settlement.select().where(Settlement.state == "accepted")]
    assert sorted(accepted) == sorted(paid_before)
    assert sum(ledger.balances().values()) == 0
    assert -ledger.balances().get("film_fees", 0) == 2000 * len(accepted)
    for name in LINES:
        waiting = (
            Settlement.select().where(Settlement.fee_line_id == name, Settlement.state == "waiting").exists()
        )
        assert not (waiting and Charge.select().where(Charge.fee_line_id == name).exists())


once_each = [("line", "A", "charge"), ("pay", "A", 2000, 0), ("line", "B", "waived"), ("line", "C", "charge")]


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
