"""The audit chain refuses every silent change: each column of a row, a missing row, a cut end."""

from threading import Thread

import peewee
import pytest

from core import audit, db
from core.clock import now
from core.models import AuditEvent, AuditHead

pytestmark = pytest.mark.requirement("F10", "E25")


def three_events() -> None:
    audit.append("session:1", "open_exam", "exam:7", address="127.0.0.1")
    audit.append("staff:2", "search_exams", "exams", detail={"found": 3, "片": "珅東"})
    audit.append("session:1", "open_film", "exam:7")


@pytest.mark.usefixtures("database")
def test_chain_of_untouched_rows_is_verified_to_its_length() -> None:
    assert audit.verify() == 0
    three_events()
    assert audit.verify() == 3
    newest = AuditEvent.get(AuditEvent.seq == 3)
    assert audit.head() == (3, newest.row_hash)
    assert newest.previous_hash == AuditEvent.get(AuditEvent.seq == 2).row_hash


CHANGES = {
    "at": now(),
    "actor": "staff:9",
    "action": "other",
    "subject": "exam:8",
    "address": "10.0.0.1",
    "detail": '{"found": 4}',
    "previous_hash": "f" * 64,
    "row_hash": "f" * 64,
}


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("column", sorted(CHANGES))
@pytest.mark.parametrize("seq", [1, 2, 3])
def test_changing_any_column_of_any_row_breaks_the_chain(column: str, seq: int) -> None:
    three_events()
    AuditEvent.update({getattr(AuditEvent, column): CHANGES[column]}).where(AuditEvent.seq == seq).execute()
    with pytest.raises(audit.ChainBroken, match=f"audit row {seq}"):
        audit.verify()


def test_changes_above_cover_every_column_but_the_number() -> None:
    columns = set(AuditEvent._meta.fields) - {"id", "created_at", "seq"}
    assert columns == set(CHANGES)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("seq", [1, 2, 3])
def test_removing_any_row_breaks_the_chain(seq: int) -> None:
    three_events()
    AuditEvent.delete().where(AuditEvent.seq == seq).execute()
    with pytest.raises(audit.ChainBroken):
        audit.verify()


@pytest.mark.usefixtures("memory_database")
def test_moving_a_row_breaks_the_chain() -> None:
    three_events()
    AuditEvent.update(seq=9).where(AuditEvent.seq == 2).execute()
    with pytest.raises(audit.ChainBroken, match="audit row 2"):
        audit.verify()


@pytest.mark.usefixtures("memory_database")
def test_setting_back_the_head_breaks_the_chain() -> None:
    three_events()
    AuditHead.update(seq=2).execute()
    with pytest.raises(audit.ChainBroken, match="cut off"):
        audit.verify()


@pytest.mark.usefixtures("memory_database")
def test_row_goes_with_the_transaction_that_grants_the_access() -> None:
    with pytest.raises(LookupError), db.transaction():
        audit.append("session:1", "open_exam", "exam:7")
        raise LookupError("the access failed")
    assert AuditEvent.select().count() == 0
    assert audit.verify() == 0


def test_threads_append_one_chain(database: peewee.Database) -> None:
    def write() -> None:
        for number in range(10):
            audit.append("session:1", "open_exam", f"exam:{number}")

    threads = [Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert audit.verify() == 40
