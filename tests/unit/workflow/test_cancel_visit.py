"""A visit that did not take place: its open exams are shown to a person, nothing is cancelled."""

import pytest

from core.commands import CancelVisit
from core.models import Exam, Patient
from tests.unit.workflow.makers import (
    CANCELLATION,
    NOON,
    ORDER,
    PATIENT,
    exam,
    order,
    problem_texts,
)
from workflow.cancel_visit import cancel_visit
from workflow.receive_order import cancel_order, receive_order

pytestmark = [pytest.mark.requirement("P6"), pytest.mark.usefixtures("memory_database")]


def void(visit: str = "MZ1") -> None:
    cancel_visit(CancelVisit(PATIENT, visit, NOON))


def test_open_exams_of_the_visit_are_noted_once() -> None:
    receive_order(ORDER)
    receive_order(order(accession_number="CT2", placer_order_number="SQ2", visit_number="", fee_lines=()))
    receive_order(order(accession_number="CT3", placer_order_number="SQ3", visit_number="MZ2", fee_lines=()))
    void()
    void()
    (text,) = problem_texts()
    assert "CT1, CT2" in text and "CT3" not in text
    assert exam().cancelled_at is None


def test_without_its_number_all_open_exams_of_the_patient_are_noted() -> None:
    receive_order(ORDER)
    receive_order(order(accession_number="CT3", placer_order_number="SQ3", visit_number="MZ2", fee_lines=()))
    void("")
    assert "CT1, CT3" in problem_texts()[0]


def test_nothing_open_is_no_problem() -> None:
    void()
    assert Patient.select().count() == 0, "nobody is invented"
    receive_order(ORDER)
    cancel_order(CANCELLATION)
    receive_order(order(accession_number="CT2", placer_order_number="SQ2", fee_lines=()))
    Exam.update(published_at=NOON).where(Exam.accession_number == "CT2").execute()
    void()
    assert problem_texts() == []
