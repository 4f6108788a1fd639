"""The ledger (decision 9): append-only double entry. Nothing in the project updates or deletes a line of it.

Accounts, by who owes whom:

| account | what it says | normal side |
|---|---|---|
| `clearing:<channel>` | what a channel (kiosk, cashier, his …) has collected and has to hand over | debit |
| `film_fees` | film fees collected for the hospital | credit |
| `unassigned` | money that fits no unpaid line: to be paid back, or assigned by a person | credit |

A refund is the payment's entry with its sides exchanged. What waits (a payment for its line, a refund for its payment) is
booked when that comes; until then it is on the list of problems.
"""

from dataclasses import dataclass
from typing import Any

import peewee

from core.errors import CloudFilmError
from core.models import LedgerEntry, Settlement

FILM_FEES = "film_fees"
UNASSIGNED = "unassigned"


class LedgerBroken(CloudFilmError):
    """The ledger does not add up: a person must look before any more money is moved."""


@dataclass(frozen=True)
class Line:
    """One line of an entry, in fen; one side is zero."""

    account: str
    debit_fen: int = 0
    credit_fen: int = 0


def book_fee(settlement: Settlement) -> None:
    """A payment that settled its line: the channel has collected a film fee."""
    _book_collected(settlement, FILM_FEES)


def book_unassigned(settlement: Settlement) -> None:
    """A payment that fits no line: the channel has collected what somebody must get back."""
    _book_collected(settlement, UNASSIGNED)


def book_refund(settlement: Settlement) -> None:
    """A refund of what paid a line: the channel has given a film fee back."""
    _book_given_back(settlement, FILM_FEES)


def book_refund_unassigned(settlement: Settlement) -> None:
    """A refund of a payment that fitted nothing, or a refund that itself fits nothing."""
    _book_given_back(settlement, UNASSIGNED)


def post(settlement: Settlement, lines: tuple[Line, ...]) -> None:
    """Write one entry. Raises `LedgerBroken` unless debits equal credits and every amount is sensible."""
    debit = sum(line.debit_fen for line in lines)
    credit = sum(line.credit_fen for line in lines)
    if debit != credit or debit <= 0:
        raise LedgerBroken(
            f"settlement {settlement.id}: debits of {debit} and credits of {credit} fen; not written"
        )
    if any(min(line.debit_fen, line.credit_fen) != 0 for line in lines):
        raise LedgerBroken(
            f"settlement {settlement.id}: a line has one side, and is not negative; not written"
        )
    for line in lines:
        LedgerEntry.create(
            settlement=settlement, account=line.account, debit_fen=line.debit_fen, credit_fen=line.credit_fen
        )


def balances() -> dict[str, int]:
    """Debits minus credits of every account, in fen; they sum to zero."""
    amount = peewee.fn.SUM(LedgerEntry.debit_fen) - peewee.fn.SUM(LedgerEntry.credit_fen)
    rows: Any = LedgerEntry.select(LedgerEntry.account, amount).group_by(LedgerEntry.account).tuples()
    return {account: int(fen) for account, fen in rows}


def verify() -> int:
    """Prove that every entry balances and every decided payment and refund has its own; return the number of entries.

    Raises `LedgerBroken` naming the first settlement that does not hold.
    """
    sums = (
        LedgerEntry.settlement,
        peewee.fn.SUM(LedgerEntry.debit_fen),
        peewee.fn.SUM(LedgerEntry.credit_fen),
    )
    rows: Any = LedgerEntry.select(*sums).group_by(LedgerEntry.settlement).tuples()
    booked = {settlement_id: (int(debit), int(credit)) for settlement_id, debit, credit in rows}
    for settlement in Settlement.select().order_by(Settlement.id):
        expected = 0 if settlement.state == "waiting" else settlement.amount_fen
        if booked.get(settlement.id, (0, 0)) != (expected, expected):
            raise LedgerBroken(
                f"settlement {settlement.id} ({settlement.state}): the ledger does not carry its amount"
            )
    return len(booked)


def _book_collected(settlement: Settlement, account: str) -> None:
    amount = settlement.amount_fen
    collected = Line(f"clearing:{settlement.channel}", debit_fen=amount)
    post(settlement, (collected, Line(account, credit_fen=amount)))


def _book_given_back(settlement: Settlement, account: str) -> None:
    amount = settlement.amount_fen
    given = Line(f"clearing:{settlement.channel}", credit_fen=amount)
    post(settlement, (Line(account, debit_fen=amount), given))
