"""When someone opens an exam, then they see its facts and report, and the access is on record (E8–E10, F9, F10)."""

from dataclasses import dataclass
from datetime import datetime

from access.rights import require_exam, require_published
from access.sessions import Visitor
from core import audit
from core.db import transaction
from core.errors import NotAllowed, NotFound
from core.models import Exam, Pack, Report, ReportDocument, Series, Study
from workflow.context import Platform
from workflow.exam_card import ExamCard, card_of
from workflow.receive_report import WITHDRAWN


@dataclass(frozen=True)
class ReportView:
    """The report as text, and whether a document came with it. Of a withdrawn one (`status` X) nothing but that is told."""

    findings: str
    impression: str
    reporter: str
    approver: str
    approved_at: datetime
    status: str
    has_document: bool

    @property
    def is_withdrawn(self) -> bool:
        """Whether the hospital has taken it back and corrects it."""
        return self.status == WITHDRAWN


@dataclass(frozen=True)
class ExamView:
    """One exam with its report (only when this visitor may see it) and whether there are images to open."""

    card: ExamCard
    department: str
    report: ReportView | None
    has_film: bool
    image_count: int


def open_exam(platform: Platform, visitor: Visitor, exam_id: int, address: str) -> ExamView:
    """Raises NotFound for an exam that is not the visitor's. Staff see the report before publication."""
    with transaction():
        exam = require_exam(visitor, exam_id)
        card = card_of(exam, platform.settings.hospital_name)
        may_see = visitor.is_staff or card.state == "published"
        packs = Pack.select().join(Series).join(Study).where(Study.exam == exam)
        images = sum(pack.instances.count() for pack in packs) if may_see else 0
        audit.append(visitor.actor, "open_exam", f"exam:{exam.id}", address=address)
        return ExamView(card, exam.department, _report(exam) if may_see else None, images > 0, images)


def read_document(platform: Platform, visitor: Visitor, exam_id: int, address: str) -> tuple[str, bytes]:
    """Media type and bytes of the report's document.

    Raises NotFound, or NotAllowed before publication and when the report was withdrawn.
    """
    with transaction():
        exam = require_exam(visitor, exam_id)
        require_published(visitor, exam)
        document = ReportDocument.select().join(Report).where(Report.exam == exam).first()
        if document is None:
            raise NotFound(f"exam {exam_id} has no report document")
        if document.report.status == WITHDRAWN:
            raise NotAllowed("报告已撤回，医院正在更正")
        audit.append(visitor.actor, "read_report", f"exam:{exam.id}", address=address)
        return document.media_type, bytes(document.content)


def _report(exam: Exam) -> ReportView | None:
    report = Report.get_or_none(Report.exam == exam)
    if report is None:
        return None
    if report.status == WITHDRAWN:
        return ReportView("", "", "", "", report.source_at, WITHDRAWN, has_document=False)
    return ReportView(
        findings=report.findings,
        impression=report.impression,
        reporter=report.reporter,
        approver=report.approver,
        approved_at=report.approved_at,
        status=report.status,
        has_document=ReportDocument.select().where(ReportDocument.report == report).exists(),
    )
