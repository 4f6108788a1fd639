"""Who may see what: every kind of visitor against every kind of exam."""

from datetime import UTC, datetime, timedelta

import peewee
import pytest

from access import rights
from access.sessions import Visitor
from core.clock import now
from core.errors import NotAllowed, NotFound
from core.models import Exam, Pack, Patient, Series, Study
from core.personal_data import blind_index

PHONE, OTHER_PHONE = "13800138000", "13900139000"
MORNING = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)

pytestmark = [pytest.mark.requirement("K5"), pytest.mark.usefixtures("memory_database")]


def visitor(phone: str = "", role: str = "") -> Visitor:
    index = blind_index("phone", phone) if phone else ""
    kind, staff_id = ("staff", 1) if role else ("patient", None)
    return Visitor(1, kind, index, staff_id, role, "", now() + timedelta(hours=1))


def exam(number: str, phone: str = PHONE, published_at: datetime | None = None) -> Exam:
    index = blind_index("phone", phone) if phone else ""
    patient = Patient.create(name="珅東", phone=phone, phone_index=index, sex="M")
    return Exam.create(accession_number=number, patient=patient, published_at=published_at)


def pack(exam: Exam | None, object_id: str = "ab" * 16) -> Pack:
    study = Study.create(study_uid=f"1.2.{object_id}", exam=exam, last_received_at=MORNING)
    series = Series.create(series_uid=f"{study.study_uid}.1", study=study, number=1, last_received_at=MORNING)
    return Pack.create(
        series=series,
        generation=0,
        object_id=object_id,
        state="stored",
        header=b"h",
        wrapped_key=b"w",
        kek_version=1,
        key_commitment=b"c",
        plain_length=1000,
        sealed_length=1080,
        sealed_sm3="0" * 64,
        store_key=f"packs/{object_id}",
    )


def test_patient_sees_the_exams_of_the_phone_only() -> None:
    mine, others = exam("CT1"), exam("CT2", OTHER_PHONE)
    assert list(rights.exams_visible_to(visitor(PHONE))) == [mine]
    assert rights.require_exam(visitor(PHONE), mine.id) == mine
    with pytest.raises(NotFound) as of_others:
        rights.require_exam(visitor(PHONE), others.id)
    with pytest.raises(NotFound) as of_none:
        rights.require_exam(visitor(PHONE), 10**6)
    assert str(of_others.value) == str(of_none.value)


def test_visitor_without_phone_does_not_see_patients_without_phone() -> None:
    exam("CT1", phone="")
    assert list(rights.exams_visible_to(visitor())) == []


def test_exam_without_patient_is_nobodys_but_the_doctors() -> None:
    orphan = Exam.create(accession_number="CT1")
    assert list(rights.exams_visible_to(visitor(PHONE))) == []
    assert list(rights.exams_visible_to(visitor(role="doctor"))) == [orphan]


def test_doctor_sees_all_and_operator_none() -> None:
    made = [exam("CT1"), exam("CT2", OTHER_PHONE)]
    assert list(rights.exams_visible_to(visitor(role="doctor"))) == made
    assert list(rights.exams_visible_to(visitor(role="operator"))) == []
    with pytest.raises(NotFound):
        rights.require_exam(visitor(role="operator"), made[0].id)


def test_patient_waits_for_publication_and_the_doctor_does_not() -> None:
    waiting, ready = exam("CT1"), exam("CT2", published_at=MORNING)
    with pytest.raises(NotAllowed):
        rights.require_published(visitor(PHONE), waiting)
    rights.require_published(visitor(PHONE), ready)
    rights.require_published(visitor(role="doctor"), waiting)
    assert waiting.published_at is None


def test_object_follows_its_exam() -> None:
    ready = pack(exam("CT1", published_at=MORNING), "01" * 16)
    waiting = pack(exam("CT2"), "02" * 16)
    assert rights.require_object(visitor(PHONE), ready.object_id) == ready
    assert rights.require_object(visitor(role="doctor"), waiting.object_id) == waiting
    with pytest.raises(NotAllowed):
        rights.require_object(visitor(PHONE), waiting.object_id)
    for stranger in (visitor(OTHER_PHONE), visitor(), visitor(role="operator")):
        with pytest.raises(NotFound):
            rights.require_object(stranger, ready.object_id)


def test_object_of_no_exam_is_nobodys() -> None:
    loose = pack(None)
    for one in (visitor(PHONE), visitor(role="doctor")):
        with pytest.raises(NotFound):
            rights.require_object(one, loose.object_id)
    with pytest.raises(NotFound):
        rights.require_object(visitor(role="doctor"), "no such object")


def test_list_is_a_query_that_goes_on() -> None:
    exam("CT1")
    second = exam("CT2")
    query: peewee.ModelSelect[Exam] = rights.exams_visible_to(visitor(PHONE))
    assert query.order_by(Exam.id.desc()).limit(1).get() == second


def test_the_list_and_the_single_exam_follow_one_rule() -> None:
    exams = [
        exam("CT1"),
        exam("CT2", OTHER_PHONE),
        exam("CT3", phone=""),
        Exam.create(accession_number="CT4"),
    ]
    visitors = [
        visitor(),
        visitor(PHONE),
        visitor(OTHER_PHONE),
        visitor(role="doctor"),
        visitor(role="operator"),
    ]
    for asking in visitors:
        listed = set(rights.exams_visible_to(asking))
        assert {one for one in exams if rights.may_know_of(asking, one)} == listed
