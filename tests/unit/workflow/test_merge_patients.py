"""Two records of one person become one: numbers, exams and facts move, and the retired row is found no more."""

from dataclasses import replace

import pytest

from access.rights import exams_visible_to
from access.sessions import Visitor
from core import audit
from core.commands import MergePatients, PatientFacts, RegisterPatient
from core.errors import Refused
from core.models import AuditEvent, Exam, Patient, PatientIdentifier, Study
from core.personal_data import blind_index
from tests.unit.workflow.makers import LINE, NOON, archived, exam, order, patient, report
from workflow.merge_patients import merge_patients
from workflow.receive_order import receive_order
from workflow.receive_report import receive_report
from workflow.register_patient import register_patient

pytestmark = [pytest.mark.requirement("E7", "P6", "H2"), pytest.mark.usefixtures("database")]

OLD = ("HIS", "1")
NEW = ("HIS", "2")
PHONE = "13800138000"


def told(*numbers: tuple[str, str], **facts: str) -> PatientFacts:
    return PatientFacts(identifiers=numbers, **facts)


def register(*numbers: tuple[str, str], **facts: str) -> Patient:
    register_patient(RegisterPatient(told(*numbers, **facts), NOON))
    return owner(numbers[0])


def owner(number: tuple[str, str]) -> Patient:
    assigner, value = number
    return PatientIdentifier.get(
        PatientIdentifier.assigner == assigner, PatientIdentifier.value == value
    ).patient


def merge(survivor: PatientFacts, *retired: tuple[str, str]) -> None:
    merge_patients(MergePatients(survivor, retired, NOON))


def ordered_by(number: tuple[str, str], accession: str = "CT1") -> Exam:
    facts = told(number)
    receive_order(order(accession_number=accession, placer_order_number=f"SQ{accession}", patient=facts))
    return exam(accession)


def test_numbers_exams_and_missing_facts_go_to_the_survivor() -> None:
    old = register(OLD, ("YBJ", "A9"), name="张三", phone=PHONE, sex="M", birth_date="1985-06-15")
    new = register(NEW, name="张珅東")
    one = ordered_by(OLD)
    merge(told(NEW), OLD)
    assert {owner(OLD).id, owner(("YBJ", "A9")).id, owner(NEW).id} == {new.id}
    assert Exam.get_by_id(one.id).patient_id == new.id
    survivor = Patient.get_by_id(new.id)
    assert (survivor.name, survivor.phone, survivor.sex, survivor.birth_date) == (
        "张珅東",
        PHONE,
        "M",
        "1985-06-15",
    )
    assert survivor.phone_index == blind_index("phone", PHONE)
    retired = Patient.get_by_id(old.id)
    assert (retired.merged_into_id, retired.name) == (new.id, "张三")
    assert (retired.name_index, retired.id_number_index, retired.phone_index) == ("", "", "")


def test_every_table_that_points_to_a_patient_is_thought_of() -> None:
    assert set(Patient._meta.backrefs) == {PatientIdentifier.patient, Exam.patient, Patient.merged_into}


def test_exams_are_seen_by_the_phone_of_the_survivor_only() -> None:
    register(OLD, phone="13900139000")
    register(NEW, phone=PHONE)
    one = ordered_by(OLD)
    merge(told(NEW), OLD)

    def seen(phone: str) -> list[int]:
        index = blind_index("phone", phone)
        visitor = Visitor(
            **{name: None for name in Visitor.__dataclass_fields__}
            | {"kind": "patient", "phone_index": index}
        )
        return [row.id for row in exams_visible_to(visitor)]

    assert seen(PHONE) == [one.id]
    assert seen("13900139000") == []


def test_merge_is_on_record_once() -> None:
    old, new = register(OLD), register(NEW)
    ordered_by(OLD)
    for _ in range(2):
        merge(told(NEW), OLD)
    (event,) = AuditEvent.select().where(AuditEvent.action == "merge_patients")
    assert (event.subject, f"patient:{old.id}" in event.detail) == (f"patient:{new.id}", True)
    audit.verify()


def test_retired_number_told_again_is_the_survivor() -> None:
    register(OLD, id_number="330683198506151230")
    new = register(NEW)
    merge(told(NEW), OLD)
    assert register(OLD, name="李四").id == new.id
    assert ordered_by(OLD).patient_id == new.id
    register_patient(RegisterPatient(told(id_number="330683198506151230"), NOON))
    assert Patient.select().count() == 2, "the identity number is the survivor's"


def test_chains_end_at_the_last_survivor() -> None:
    register(OLD)
    register(NEW)
    last = register(("HIS", "3"))
    one = ordered_by(OLD)
    merge(told(NEW), OLD)
    merge(told(("HIS", "3")), NEW)
    assert {owner(number).id for number in (OLD, NEW)} == {last.id}
    assert exam().id == one.id and exam().patient_id == last.id


def test_unknown_numbers_are_given_to_the_survivor() -> None:
    merge(told(NEW, name="张珅東"), OLD)
    assert owner(OLD).id == owner(NEW).id
    assert Patient.select().count() == 1
    assert AuditEvent.select().count() == 0


def test_merging_a_record_into_itself_changes_nothing() -> None:
    one = register(OLD, NEW, name="张珅東")
    merge(told(NEW), OLD)
    row = Patient.get_by_id(one.id)
    assert (row.merged_into_id, row.name_index) == (None, blind_index("name", "张珅東"))


def test_survivor_that_nobody_knew_begins_with_what_the_retired_had() -> None:
    register(OLD, name="张珅東", phone=PHONE)
    merge(told(NEW), OLD)
    assert (owner(NEW).name, owner(NEW).phone) == ("张珅東", PHONE)


@pytest.mark.parametrize("where", ["known", "told", "two retired"])
def test_two_identity_numbers_are_two_persons(where: str) -> None:
    register(OLD, id_number="330683198506151230")
    retired = [OLD]
    facts = {}
    if where == "known":
        register(NEW, id_number="110101199003070038")
    elif where == "told":
        facts = {"id_number": "110101199003070038"}
    else:
        register(("HIS", "3"), id_number="110101199003070038")
        retired.append(("HIS", "3"))
    one = ordered_by(OLD)
    before = Patient.select().count()
    with pytest.raises(Refused, match="identity numbers differ") as refusal:
        merge(told(NEW, **facts), *retired)
    assert "1985" not in str(refusal.value)
    assert Patient.select().where(Patient.merged_into.is_null(False)).count() == 0
    assert Patient.select().count() == before
    assert exam().patient_id == one.patient_id


def test_one_identity_number_written_in_two_ways_is_one_person() -> None:
    register(OLD, id_number="11010119900307003x")
    register(NEW)
    merge(told(NEW, id_number="11010119900307003X"), OLD)
    assert owner(OLD).id == owner(NEW).id


def test_images_under_the_retired_number_join_the_survivors_exam_and_publish_it() -> None:
    free = replace(LINE, choice="included", amount_fen=0)
    receive_order(order(patient=patient(identifiers=(NEW,)), fee_lines=(free,)))
    receive_report(report(patient=patient(identifiers=(NEW,))))
    study = archived()
    Study.update(exam=None, accession_number="CT1", patient_id="1").where(Study.id == study.id).execute()
    register(OLD)
    merge(told(NEW), OLD)
    assert Study.get_by_id(study.id).exam_id == exam().id
    assert exam().published_at is not None
