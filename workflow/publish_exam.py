"""When an exam is archived AND reported AND its fee is paid, waived or included, then it is published (E1).

Called at the end of every step that may have completed the exam, in that step's transaction, with the exam's row locked:
of two steps that finish together the second sees what the first did.
"""

from access.wechat_binding import openids_of
from billing import charges
from core import failpoints, outbox, problems
from core.clock import now
from core.models import Exam, ExamStudy, Instance, Notification, Pack, Series, Study


def publish_if_complete(exam: Exam) -> None:
    """Publish once. What is missing is no error: another step will come by."""
    exam = Exam.get_by_id(exam.id).locked()
    if exam.cancelled_at and exam.reported_at:
        text = f"exam {exam.accession_number} was cancelled, but has a report: if it took place, have it ordered anew"
        problems.note("exam", f"reported_though_cancelled:{exam.id}", text)
    if exam.published_at or exam.cancelled_at or exam.patient_id is None:
        return
    if exam.reported_at is None or not charges.is_fee_settled(exam) or not is_archived(exam):
        return
    Exam.update(published_at=now()).where(Exam.id == exam.id, Exam.published_at.is_null()).execute()
    for channel in _channels(exam):
        Notification.insert(
            exam=exam, kind="film", channel=channel, created_at=now()
        ).on_conflict_ignore().execute()
        outbox.record("notify_film", f"{exam.id}:{channel}", {"exam_id": exam.id, "channel": channel})
    outbox.record("tell_film_link", str(exam.id), {"exam_id": exam.id})
    failpoints.passing("publish.before_commit")


def is_archived(exam: Exam) -> bool:
    """Whether every study that RIS declared has come, and every instance lies verified in the store."""
    studies = Study.all_with(Study.exam == exam)
    declared = {row.study_uid for row in ExamStudy.all_with(ExamStudy.exam == exam)}
    if not studies or declared - {study.study_uid for study in studies}:
        return False
    waiting = (
        Instance.select()
        .join(Series)
        .switch(Instance)
        .join(Pack, "LEFT JOIN")
        .where(Series.study.in_(studies), Instance.pack.is_null() | (Pack.state != "stored"))
    )
    return not waiting.exists()


def _channels(exam: Exam) -> list[str]:
    index = exam.patient.phone_index
    if not index:
        return []
    return ["sms", "wechat"] if openids_of(index) else ["sms"]
