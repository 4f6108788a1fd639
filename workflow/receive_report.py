"""When a report is approved or corrected, then the exam has it, and may be published (E1)."""

from datetime import datetime

from core import failpoints
from core.commands import DeliverReport
from core.db import transaction
from core.models import Exam, Report, ReportDocument
from crypto.sm3 import sm3
from workflow.find_exam import find_or_create_exam
from workflow.join_study import declare_studies, join_studies_of
from workflow.publish_exam import publish_if_complete

# Report.status, HL7 table 0085.
WITHDRAWN = "X"


def receive_report(command: DeliverReport) -> None:
    """Keep the newest version by the time that RIS gives; an older one that comes late changes nothing."""
    with transaction():
        exam = find_or_create_exam(command.accession_number, command.placer_order_number, command.patient)
        exam.item_name = exam.item_name or command.item_name
        exam.modality = exam.modality or command.modality
        exam.save()
        report = _keep(exam, command)
        declare_studies(exam, command.study_uids)
        join_studies_of(exam)
        if report.status != WITHDRAWN:
            exam.reported_at = exam.reported_at or command.approved_at
            exam.save()
        publish_if_complete(exam)
        failpoints.passing("report.before_commit")


def _is_newer(report: Report, said_at: datetime) -> bool:
    """Whether the kept version is the newer one. Of two of the same second the one that comes later is, since a correction
    follows what it corrects; but a withdrawal of that second stays."""
    return report.source_at > said_at or (report.source_at == said_at and report.status == WITHDRAWN)


def _keep(exam: Exam, command: DeliverReport) -> Report:
    said_at = command.said_at or command.approved_at
    report = Report.get_or_none(Report.exam == exam) or Report(exam=exam)
    if report.id and _is_newer(report, said_at):
        return report
    report.status = command.status
    report.findings = command.findings
    report.impression = command.impression
    report.reporter = command.reporter
    report.approver = command.approver
    report.approved_at = command.approved_at
    report.source_at = said_at
    report.save()
    for outdated in ReportDocument.all_with(ReportDocument.report == report):
        outdated.delete_instance()
    if command.document is not None:
        ReportDocument.create(
            report=report,
            media_type=command.document_type,
            content=command.document,
            sm3=sm3(command.document).hex(),
        )
    return report
