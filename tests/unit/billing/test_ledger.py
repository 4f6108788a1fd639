"""The ledger writes only what balances, and notices what was changed behind its back."""

import pytest

from billing import charges, ledger
from billing.ledger import LedgerBroken, Line
from billing.settle import settle
from core.models import LedgerEntry, Settlement
from tests.unit.billing.makers import exam, line, payment

pytestmark = [pytest.mark.requirement("S3"), pytest.mark.usefixtures("memory_database")]


def settled() -> Settlement:
    charges.record_fee_line(line(), exam())
    settle(payment())
    return Settlement.get()


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (Line("a", debit_fen=1),),
        (Line("a", debit_fen=2), Line("b", credit_fen=1)),
        (Line("a", debit_fen=0), Line("b", credit_fen=0)),
        (Line("a", debit_fen=5, credit_fen=5),),
        (Line("a", debit_fen=-1), Line("b", debit_fen=2), Line("c", credit_fen=1)),
    ],
)
def test_entry_that_does_not_balance_is_not_written(lines: tuple[Line, ...]) -> None:
    settlement = settled()
    with pytest.raises(LedgerBroken, match="not written"):
        ledger.post(settlement, lines)
    assert LedgerEntry.select().count() == 2


def test_empty_ledger_is_sound() -> None:
    assert (ledger.verify(), ledger.balances()) == (0, {})


def test_changed_amount_is_found() -> None:
    settled()
    LedgerEntry.update(credit_fen=1).where(LedgerEntry.credit_fen > 0).execute()
    with pytest.raises(LedgerBroken, match="settlement 1"):
        ledger.verify()


def test_missing_entry_is_found() -> None:
    settled()
    LedgerEntry.delete().execute()
    with pytest.raises(LedgerBroken, match="settlement 1"):
        ledger.verify()
