"""When a report turns out to be void, then nobody is shown it any more; a corrected one takes its place (E1)."""

from core.commands import WithdrawReport
from core.db import transaction
from core.models import Exam, Report
from workflow.find_exam import find_or_create_exam
from workflow.receive_report import WITHDRAWN


def withdraw_report(command: WithdrawReport) -> None:
    """Withdraw what was said until now; a report of later date stands.

    What was published stays so, without its report. A withdrawal that comes before its report leaves a placeholder, so
    that the void version, when it comes late, changes nothing. Of report and withdrawal with one time the withdrawal
    counts: a void report that is shown does harm, one that is missing is asked for.
    """
    with transaction():
        exam = find_or_create_exam(command.accession_number, command.placer_order_number)
        report = Report.get_or_none(Report.exam == exam) or Report(exam=exam, approved_at=command.said_at)
        if report.id and report.source_at > command.said_at:
            return
        report.status = WITHDRAWN
        report.source_at = command.said_at
        report.save()
        Exam.update(reported_at=None).where(Exam.id == exam.id, Exam.published_at.is_null()).execute()
