"""When RIS says that an exam was performed and names its studies, then their series need not wait to be quiet (D2)."""

from core import outbox
from core.clock import now
from core.commands import CompleteExam
from core.db import transaction
from core.models import ExamStudy, Series, Study
from workflow.archive_study import archive_key
from workflow.find_exam import find_or_create_exam
from workflow.join_study import declare_studies, join_studies_of
from workflow.publish_exam import publish_if_complete


def complete_exam(command: CompleteExam) -> None:
    """Join the named studies and let the archive begin at once."""
    with transaction():
        exam = find_or_create_exam(command.accession_number, command.placer_order_number, command.patient)
        exam.performed_at = exam.performed_at or command.performed_at
        exam.save()
        declare_studies(exam, command.study_uids)
        for uid in command.study_uids:
            declared = ExamStudy.get(ExamStudy.study_uid == uid)
            declared.completed_at = now()
            declared.save()
        join_studies_of(exam)
        outbox.bring_forward("archive_series", [archive_key(row) for row in _series_of(command.study_uids)])
        publish_if_complete(exam)


def _series_of(study_uids: tuple[str, ...]) -> list[Series]:
    studies = (study for uid in study_uids for study in Study.all_with(Study.study_uid == uid))
    return [series for study in studies for series in Series.all_with(Series.study == study)]
