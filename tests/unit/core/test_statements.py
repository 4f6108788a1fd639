"""The short ways of Record do what peewee's long ones do, on both databases."""

from collections.abc import Iterator

import peewee
import pytest

from core import clock, db, migrate
from core.models import Charge, Exam, Patient, PriceItem
from tests.fixtures.installation import Keyring

pytestmark = pytest.mark.requirement("S5")


@pytest.fixture
def database(bare_database_url: str, keyring: Keyring) -> Iterator[peewee.Database]:
    found = db.connect(bare_database_url)
    with found.connection_context():
        migrate.upgrade(found)
        yield found


def peewees(model: type[peewee.Model]) -> list[dict[str, object]]:
    return list(model.select().order_by(model.id).dicts())


@pytest.mark.usefixtures("database")
def test_row_is_written_and_read_as_peewee_would() -> None:
    patient = Patient.create(name="张珅東", sex="F")
    exam = Exam.create(accession_number="CT1", patient=patient, ordered_at=clock.now())
    (row,) = peewees(Exam)
    assert row["patient"] == patient.id
    assert (row["ordered_at"], row["published_at"]) == (exam.ordered_at, None)
    found = Exam.get(Exam.accession_number == "CT1", Exam.patient == patient)
    assert found.__data__ == row
    assert found.patient.name == "张珅東"
    assert Exam.get_or_none(Exam.accession_number == "CT2") is None
    with pytest.raises(Exam.DoesNotExist):
        Exam.get(Exam.accession_number == "CT2")


@pytest.mark.usefixtures("database")
def test_save_writes_what_was_set_and_nothing_else() -> None:
    exam = Exam.create(accession_number="CT1", item_name="胸部CT")
    other = Exam.get(Exam.accession_number == "CT1")
    other.item_name = "头部CT"
    assert other.save() == 1
    exam.modality = "CT"
    exam.save()
    (row,) = peewees(Exam)
    assert (row["item_name"], row["modality"]) == ("头部CT", "CT")
    assert exam.save() == 0
    exam.department, exam.visit_number = "a", "b"
    exam.save(only=[Exam.department])
    assert (peewees(Exam)[0]["department"], peewees(Exam)[0]["visit_number"]) == ("a", "")
    exam.save()
    assert peewees(Exam)[0]["visit_number"] == "b"


@pytest.mark.usefixtures("database")
def test_row_that_is_there_is_not_added_again() -> None:
    first = Exam.add_if_new(accession_number="CT1")
    assert first == peewees(Exam)[0]["id"]
    assert Exam.add_if_new(accession_number="CT1", modality="MR") is None
    assert [row["modality"] for row in peewees(Exam)] == [""]


@pytest.mark.usefixtures("database")
def test_all_with_equal_columns() -> None:
    exam = Exam.create(accession_number="CT1")
    for number in (2, 1, 3):
        Charge.create(
            fee_line_id=f"F{number}", item_code="Y", amount_fen=number, exam=exam if number < 3 else None
        )
    assert [charge.fee_line_id for charge in Charge.all_with(Charge.exam == exam)] == ["F2", "F1"]
    assert Charge.all_with(Charge.exam == exam, Charge.amount_fen == 9) == []
    with pytest.raises(ValueError, match="equalities"):
        Charge.all_with(Charge.amount_fen > 1)


@pytest.mark.usefixtures("database")
def test_what_is_more_than_equalities_is_left_to_peewee() -> None:
    PriceItem.create(code="A", name="n", amount_fen=1, valid_from=clock.now())
    assert PriceItem.get(PriceItem.valid_to.is_null()).code == "A"
    assert PriceItem.get((PriceItem.code == "A") & (PriceItem.amount_fen > 0)).name == "n"
    assert PriceItem.get_or_none(PriceItem.valid_to == None) is not None  # noqa: E711 — peewee's IS NULL
    assert PriceItem.get(code="A").amount_fen == 1


def test_locked_row_is_the_newest(database: peewee.Database) -> None:
    exam = Exam.create(accession_number="CT1")
    with db.transaction():
        Exam.update(modality="MR").where(Exam.id == exam.id).execute()
        assert Exam.get_by_id(exam.id).locked().modality == "MR"


def test_failure_in_an_inner_part_undoes_the_whole(database: peewee.Database) -> None:
    def inner() -> None:
        with db.transaction():
            Exam.create(accession_number="CT2")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), db.transaction():
        Exam.create(accession_number="CT1")
        inner()
    assert peewees(Exam) == []
