"""Whose exam it is: nobody is shown another person's film, whatever placeholders, numbers and late messages come."""

from dataclasses import replace

import pytest

from core.commands import CompleteExam, PatientFacts, RegisterPatient
from core.errors import Refused
from core.models import Charge, Exam, Patient, Report
from tests.unit.workflow.makers import (
    LINE,
    MINUTE,
    NOON,
    ORDER,
    PATIENT,
    PAYMENT,
    REPORT,
    archived,
    exam,
    problem_texts,
)
from workflow.complete_exam import complete_exam
from workflow.receive_order import receive_order
from workflow.receive_report import receive_report
from workflow.register_patient import register_patient
from workflow.settle_fee import settle_fee

pytestmark = [pytest.mark.requirement("P6", "E7", "K5"), pytest.mark.usefixtures("memory_database")]

OTHER = PatientFacts(
    identifiers=(("HIS", "777"),),
    name="李四",
    id_number="110105194912310021",
    phone="13900139000",
    sex="F",
    birth_date="1949-12-31",
)


def registered(facts: PatientFacts) -> None:
    register_patient(RegisterPatient(facts, NOON))


@pytest.mark.parametrize(
    "placeholder", ["无", "-", "000000000000000000", "111111111111111111", "NA", "999999", "未提供"]
)
def test_placeholder_of_an_identity_number_makes_nobody_one(placeholder: str) -> None:
    registered(replace(PATIENT, id_number=placeholder))
    registered(replace(OTHER, id_number=placeholder))
    assert sorted(patient.name for patient in Patient.select()) == sorted([PATIENT.name, OTHER.name])
    assert {patient.id_number for patient in Patient.select()} == {""}


def test_identity_number_joins_only_who_may_be_one() -> None:
    registered(PATIENT)
    registered(replace(PATIENT, identifiers=(("RIS", "R1"),)))
    assert Patient.select().count() == 1
    registered(replace(OTHER, id_number=PATIENT.id_number))
    assert Patient.select().count() == 2
    (text,) = problem_texts()
    assert "the identity number is that of patient" in text
    assert PATIENT.id_number not in text


def test_known_number_is_corrected_but_never_given_to_another_person() -> None:
    registered(PATIENT)
    registered(replace(PATIENT, name="张珅東東"))
    registered(replace(PATIENT, id_number="330683198506151231", name="张珅東東"))
    assert Patient.get().id_number == "330683198506151231"
    with pytest.raises(Refused, match="told with another name and another identity number"):
        registered(replace(OTHER, identifiers=PATIENT.identifiers))
    assert (Patient.get().name, Patient.select().count()) == ("张珅東東", 1)


def test_report_about_another_person_changes_nothing() -> None:
    receive_order(ORDER)
    settle_fee(PAYMENT)
    receive_report(REPORT)
    archived()
    receive_order(ORDER)
    assert exam().published_at is not None
    for report in (REPORT, replace(REPORT, said_at=NOON - MINUTE)):
        with pytest.raises(Refused, match="but the message is about another person"):
            receive_report(replace(report, patient=OTHER, findings="他人的报告"))
    assert (exam().patient.name, Report.get().findings) == (PATIENT.name, REPORT.findings)


def test_number_of_another_system_is_a_number_of_the_same_person() -> None:
    receive_order(ORDER)
    ris = PatientFacts(identifiers=(("RIS", "R55"),), name=PATIENT.name)
    receive_report(replace(REPORT, patient=ris))
    assert Patient.select().count() == 1
    assert (exam().patient.phone, exam().patient.name) == (PATIENT.phone, PATIENT.name)
    assert {(row.assigner, row.value) for row in exam().patient.identifiers} == {
        ("HIS", "0001234567"),
        ("RIS", "R55"),
    }
    pinyin = replace(ris, identifiers=(("PACS", "P1"),), name="ZHANG SHENDONG")
    complete_exam(CompleteExam("CT1", "SQ1", pinyin, (), NOON))
    assert exam().patient.name == PATIENT.name


def test_order_corrects_whose_exam_it_is_until_images_are_joined() -> None:
    receive_order(ORDER)
    receive_order(replace(ORDER, patient=OTHER))
    assert exam().patient.name == OTHER.name
    archived()
    receive_order(replace(ORDER, patient=OTHER))
    with pytest.raises(Refused, match="but the message is about another person"):
        receive_order(ORDER)
    assert exam().patient.name == OTHER.name


def test_report_first_then_the_order_of_the_same_person() -> None:
    receive_report(replace(REPORT, patient=PatientFacts(identifiers=(("RIS", "R55"),), name=PATIENT.name)))
    receive_order(ORDER)
    assert Patient.select().count() == 1
    assert exam().patient.phone == PATIENT.phone


def test_what_was_heard_under_the_order_number_joins_the_exam() -> None:
    receive_order(replace(ORDER, accession_number=""))
    settle_fee(PAYMENT)
    receive_report(replace(REPORT, placer_order_number=""))
    assert Exam.select().count() == 2
    complete_exam(CompleteExam("CT1", "SQ1", PATIENT, (), NOON))
    assert (exam().accession_number, exam().placer_order_number, exam().item_name) == (
        "CT1",
        "SQ1",
        ORDER.item_name,
    )
    assert (Charge.get().exam_id, Charge.get().state) == (exam().id, "paid")
    archived()
    receive_order(ORDER)
    assert exam().published_at is not None


def test_two_exams_with_a_report_each_are_not_made_one() -> None:
    receive_order(replace(ORDER, accession_number=""))
    receive_report(replace(REPORT, accession_number=""))
    receive_report(replace(REPORT, placer_order_number=""))
    complete_exam(CompleteExam("CT1", "SQ1", PATIENT, (), NOON))
    assert Exam.select().count() == 2
    assert any("are told to be one" in text for text in problem_texts())


def test_correction_of_the_same_second_counts() -> None:
    receive_order(replace(ORDER, fee_lines=(LINE,)))
    receive_report(REPORT)
    receive_report(replace(REPORT, status="C", findings="更正后的所见"))
    assert (Report.get().status, Report.get().findings) == ("C", "更正后的所见")
