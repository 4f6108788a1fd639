"""Final, corrected and withdrawn reports: the newest by what RIS says counts, whatever the order of arrival."""

from datetime import datetime
from itertools import permutations

import pytest

from core.commands import WithdrawReport
from core.models import ALL_MODELS, Report, ReportDocument
from tests.unit.workflow.makers import (
    MINUTE,
    NOON,
    ORDER,
    PAYMENT,
    WITHDRAWAL,
    archived,
    exam,
    report,
)
from workflow.receive_order import receive_order
from workflow.receive_report import receive_report
from workflow.settle_fee import settle_fee
from workflow.withdraw_report import withdraw_report

pytestmark = [pytest.mark.requirement("E1", "P6"), pytest.mark.usefixtures("memory_database")]


def said(minutes: int) -> datetime:
    return NOON + minutes * MINUTE


def state() -> tuple[str, str, datetime, bool]:
    row = Report.get()
    return row.status, row.findings, row.source_at, exam().reported_at is not None


def test_withdrawn_before_publication_is_not_published_until_it_is_corrected() -> None:
    receive_order(ORDER)
    receive_report(report())
    withdraw_report(WITHDRAWAL)
    archived()
    settle_fee(PAYMENT)
    assert (exam().reported_at, exam().published_at) == (None, None)
    receive_report(report())
    assert exam().published_at is None, "the void version said again stays void"
    receive_report(report(status="C", said_at=said(2)))
    assert (Report.get().status, exam().published_at is not None) == ("C", True)


def test_withdrawn_after_publication_stays_published() -> None:
    receive_order(ORDER)
    settle_fee(PAYMENT)
    receive_report(report())
    archived()
    receive_report(report(said_at=said(1)))
    assert exam().published_at is not None
    withdraw_report(WithdrawReport("CT1", "SQ1", said(2)))
    assert Report.get().status == "X"
    assert exam().published_at is not None and exam().reported_at is not None


def test_order_of_arrival_does_not_matter() -> None:
    steps = {
        "final": lambda: receive_report(report(findings="first")),
        "withdrawn": lambda: withdraw_report(WITHDRAWAL),
        "corrected": lambda: receive_report(report(status="C", findings="second", said_at=said(2))),
        "again": lambda: withdraw_report(WITHDRAWAL),
    }
    for sequence in permutations(steps):
        for model in reversed(ALL_MODELS):
            model.delete().execute()
        for name in sequence:
            steps[name]()
        assert state() == ("C", "second", said(2), True), sequence


@pytest.mark.parametrize("withdrawn_first", [True, False])
def test_of_one_time_the_withdrawal_counts(withdrawn_first: bool) -> None:
    steps = [lambda: receive_report(report()), lambda: withdraw_report(WithdrawReport("CT1", "SQ1", NOON))]
    for step in reversed(steps) if withdrawn_first else steps:
        step()
    assert (Report.get().status, exam().reported_at) == ("X", None)


def test_withdrawal_alone_leaves_a_placeholder_without_text() -> None:
    withdraw_report(WITHDRAWAL)
    assert state() == ("X", "", said(1), False)
    assert ReportDocument.select().count() == 0


def test_corrected_report_without_document_drops_the_withdrawn_one() -> None:
    receive_report(report())
    withdraw_report(WITHDRAWAL)
    receive_report(report(status="C", said_at=said(2), document=None))
    assert ReportDocument.select().count() == 0
