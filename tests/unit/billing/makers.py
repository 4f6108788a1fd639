"""Fee lines, payments and exams as the other systems tell them, with one thing changed at a time."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from core.commands import FeeLine, RefundFee, SettleFee
from core.models import Charge, Exam, LedgerEntry, Settlement

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)

LINE = FeeLine(
    fee_line_id="FY0002",
    placer_order_number="SQ1",
    item_code="YYX0001",
    amount_fen=2000,
    collect_on_behalf=True,
    choice="charge",
)
PAYMENT = SettleFee(
    source="kiosk-1",
    key="k-1",
    fee_line_id="FY0002",
    amount_fen=2000,
    paid_at=NOON,
    channel="kiosk",
    external_number="T-1",
)

REFUND = RefundFee(
    source="his",
    key="FY0012",
    fee_line_id="FY0002",
    amount_fen=2000,
    refunded_at=NOON,
    channel="cashier",
    external_number="TF-1",
)


def line(**changes: Any) -> FeeLine:
    return replace(LINE, **changes)


def payment(**changes: Any) -> SettleFee:
    return replace(PAYMENT, **changes)


def given_back(**changes: Any) -> RefundFee:
    return replace(REFUND, **changes)


def exam(number: str = "CT1", **columns: Any) -> Exam:
    found = Exam.get_or_none(Exam.accession_number == number)
    return found or Exam.create(
        accession_number=number, placer_order_number="SQ1", ordered_at=NOON, **columns
    )


def end_rows() -> dict[str, list[tuple[Any, ...]]]:
    """What billing has written, without ids and creation times: equal for equal stories."""
    line = (
        Charge.fee_line_id,
        Charge.amount_fen,
        Charge.choice,
        Charge.state,
        Charge.paid_at,
        Charge.channel,
        Charge.refunded_fen,
    )
    told = (
        Settlement.kind,
        Settlement.source,
        Settlement.key,
        Settlement.amount_fen,
        Settlement.state,
        Settlement.reason,
    )
    entry = (Settlement.key, LedgerEntry.account, LedgerEntry.debit_fen, LedgerEntry.credit_fen)
    return {
        "charge": _rows(Charge.select(*line)),
        "settlement": _rows(Settlement.select(*told)),
        "ledger": _rows(LedgerEntry.select(*entry).join(Settlement)),
    }


def _rows(query: Any) -> list[tuple[Any, ...]]:
    return sorted(query.tuples(), key=repr)
