"""When an exam is given an appointment, moved or taken off the list, then it is known for when; when the patient has come,
then since when.

News that comes late changes nothing: what was said before the last word about the appointment, before the patient came,
or before the exam was performed.
"""

from core.commands import NoteProgress, ScheduleExam
from core.db import transaction
from core.models import Exam
from workflow.find_exam import find_or_create_exam

_OFF_THE_LIST = frozenset({"cancelled", "no_show"})


def schedule_exam(command: ScheduleExam) -> None:
    """Take over the time of the appointment; without one when it was cancelled or the patient did not come."""
    with transaction():
        exam = find_or_create_exam(command.accession_number, command.placer_order_number, command.patient)
        if _is_overtaken(exam, command):
            return
        exam.scheduled_at = None if command.status in _OFF_THE_LIST else command.scheduled_at
        exam.scheduled_said_at = command.said_at
        exam.save()


def note_progress(command: NoteProgress) -> None:
    """Note since when the patient is here: the earliest time that anybody tells."""
    with transaction():
        exam = find_or_create_exam(command.accession_number, command.placer_order_number, command.patient)
        if exam.arrived_at is None or command.said_at < exam.arrived_at:
            exam.arrived_at = command.said_at
            exam.save()


def _is_overtaken(exam: Exam, command: ScheduleExam) -> bool:
    if exam.scheduled_said_at is not None and command.said_at < exam.scheduled_said_at:
        return True
    return any(
        moment is not None and command.said_at <= moment for moment in (exam.arrived_at, exam.performed_at)
    )
