"""Appointments and arrival: taken over as they come, unless the exam itself has gone further."""

from datetime import timedelta
from itertools import permutations

import pytest

from core.commands import CompleteExam, NoteProgress, ScheduleExam
from core.models import Exam
from tests.unit.workflow.makers import MINUTE, NOON, ORDER, PATIENT, exam
from workflow.complete_exam import complete_exam
from workflow.receive_order import receive_order
from workflow.schedule_exam import note_progress, schedule_exam

pytestmark = [pytest.mark.requirement("P6"), pytest.mark.usefixtures("memory_database")]

TOMORROW = NOON + timedelta(days=1)
LATER = NOON + timedelta(days=2)


def schedule(status: str, at: object = None, said: object = NOON) -> None:
    schedule_exam(ScheduleExam("CT1", "SQ1", PATIENT, status, at, said))  # type: ignore[arg-type]


def progress(status: str, said: object) -> None:
    note_progress(NoteProgress("CT1", "SQ1", PATIENT, status, said))  # type: ignore[arg-type]


def test_appointment_of_an_exam_that_nobody_ordered_yet_waits_for_its_order() -> None:
    schedule("booked", TOMORROW)
    assert (exam().scheduled_at, exam().ordered_at) == (TOMORROW, None)
    receive_order(ORDER)
    assert Exam.select().count() == 1
    assert (exam().scheduled_at, exam().ordered_at) == (TOMORROW, NOON)


@pytest.mark.parametrize("status", ["cancelled", "no_show"])
def test_moved_and_taken_off_the_list(status: str) -> None:
    schedule("booked", TOMORROW)
    schedule("moved", LATER, NOON + MINUTE)
    assert exam().scheduled_at == LATER
    schedule(status, None, NOON + 2 * MINUTE)
    assert exam().scheduled_at is None
    schedule("booked", TOMORROW, NOON + 3 * MINUTE)
    assert exam().scheduled_at == TOMORROW


def test_news_that_the_exam_has_overtaken_changes_nothing() -> None:
    schedule("booked", TOMORROW)
    progress("arrived", TOMORROW)
    schedule("no_show", None, NOON + MINUTE)
    assert exam().scheduled_at == TOMORROW
    complete_exam(CompleteExam("CT1", "SQ1", PATIENT, (), LATER))
    schedule("moved", LATER, TOMORROW + MINUTE)
    assert exam().scheduled_at == TOMORROW


def test_of_two_news_the_later_said_one_counts_whichever_is_heard_last() -> None:
    schedule("moved", LATER, NOON + MINUTE)
    schedule("booked", TOMORROW, NOON)
    assert exam().scheduled_at == LATER
    schedule("cancelled", None, NOON + 2 * MINUTE)
    schedule("moved", TOMORROW, NOON + MINUTE)
    assert exam().scheduled_at is None


def test_arrival_is_the_earliest_time_told_in_any_order() -> None:
    told = [("arrived", NOON), ("in_progress", NOON + MINUTE), ("arrived", NOON + 2 * MINUTE)]
    for sequence in permutations(told):
        Exam.delete().execute()
        for status, said in sequence:
            progress(status, said)
        assert exam().arrived_at == NOON
