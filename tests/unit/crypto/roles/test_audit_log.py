"""The chain: durable when told, one flush for many, and every way to tamper is named."""

import itertools
import os
import signal
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto.errors import AuditBroken, AuditUnavailable
from crypto.roles.audit_log import GENESIS, AuditLog, Event
from crypto.vault.database import KeyDatabase
from tests.unit.crypto.roles.people import Clock, Office

pytestmark = pytest.mark.requirement("H2.7", "F10")


def _event(subject: str) -> Event:
    return Event("clerk", "operator", "sign", subject)


@pytest.fixture
def log(office: Office) -> AuditLog:
    for number in range(1, 6):
        office.audit.append(_event(f"k{number}"))
    return office.audit


def _tamper(office: Office, statement: str) -> None:
    """As somebody who has the file: triggers do not hold him."""
    with sqlite3.connect(office.database.path) as connection:
        connection.execute("DROP TRIGGER audit_log_is_not_changed")
        connection.execute("DROP TRIGGER audit_log_is_not_cut")
        connection.execute(statement)
    connection.close()


def test_an_empty_chain_is_whole(office: Office) -> None:
    assert (office.audit.verify(), office.audit.head()) == (0, (0, GENESIS))


def test_rows_come_back_in_order_and_the_chain_is_whole(log: AuditLog) -> None:
    assert [row.event.subject for row in log.rows()] == ["k1", "k2", "k3", "k4", "k5"]
    assert [row.seq for row in log.rows(after=3)] == [4, 5]
    assert [row.seq for row in log.rows(limit=2)] == [1, 2]
    assert log.verify() == 5
    assert log.head() == (5, log.rows()[-1].row_hash)


@pytest.mark.parametrize(
    ("statement", "row"),
    [
        ("UPDATE audit_log SET account = 'other' WHERE seq = 3", 3),
        ("UPDATE audit_log SET role = 'auditor' WHERE seq = 1", 1),
        ("UPDATE audit_log SET operation = 'verify' WHERE seq = 2", 2),
        ("UPDATE audit_log SET subject = 'k9' WHERE seq = 5", 5),
        ("UPDATE audit_log SET items = 2 WHERE seq = 4", 4),
        ("UPDATE audit_log SET outcome = 'refused' WHERE seq = 4", 4),
        ("UPDATE audit_log SET detail = 'x' WHERE seq = 4", 4),
        ("UPDATE audit_log SET at = '2020' WHERE seq = 4", 4),
        ("UPDATE audit_log SET row_hash = 'aa' WHERE seq = 2", 2),
        ("DELETE FROM audit_log WHERE seq = 3", 3),
        ("DELETE FROM audit_log WHERE seq = 5", 5),
        ("DELETE FROM audit_log", 1),
        ("UPDATE audit_log SET seq = 9 WHERE seq = 4", 4),
        ("DELETE FROM audit_head", 6),
        ("UPDATE audit_head SET seq = 4", 6),
    ],
)
def test_what_was_tampered_with_is_named(office: Office, log: AuditLog, statement: str, row: int) -> None:
    _tamper(office, statement)
    with pytest.raises(AuditBroken, match=f"audit row {row}:"):
        log.verify()


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM audit_log WHERE seq = 3", "UPDATE audit_log SET seq = 9 WHERE seq = 3"],
)
def test_a_missing_row_is_said_to_be_missing(office: Office, log: AuditLog, statement: str) -> None:
    _tamper(office, statement)
    with pytest.raises(AuditBroken, match="audit row 3: it is missing"):
        log.verify()


def test_two_rows_exchanged_are_named(office: Office, log: AuditLog) -> None:
    _tamper(
        office,
        "UPDATE audit_log SET (at, subject) = (SELECT at, subject FROM audit_log AS other WHERE other.seq = "
        "5 - audit_log.seq) WHERE seq IN (2, 3)",
    )
    with pytest.raises(AuditBroken, match="audit row 2:"):
        log.verify()


def test_a_chain_computed_anew_is_found_by_a_head_kept_elsewhere(tmp_path: Path, log: AuditLog) -> None:
    kept = log.head()
    assert log.verify(kept) == 5
    (tmp_path / "other").mkdir()
    forged = AuditLog(KeyDatabase(tmp_path / "other" / "keys.db"), Clock())
    for number in range(1, 8):
        forged.append(_event(f"forged{number}"))
    assert forged.verify() == 7
    with pytest.raises(AuditBroken, match="audit row 5: its hash is not the one that was kept"):
        forged.verify(kept)


def test_a_chain_shorter_than_the_kept_head_was_cut(log: AuditLog) -> None:
    with pytest.raises(AuditBroken, match="audit row 6: rows were cut off"):
        log.verify((6, "00"))


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET items = 9", "DELETE FROM audit_log"])
def test_the_table_itself_refuses_changes(office: Office, log: AuditLog, statement: str) -> None:
    with (
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
        office.database.transaction() as connection,
    ):
        connection.execute(statement)
    assert log.verify() == 5


def test_another_connection_sees_the_row_when_append_returns(office: Office) -> None:
    office.audit.append(_event("k1"))
    with sqlite3.connect(office.database.path) as connection:
        assert connection.execute("SELECT count(*) FROM audit_log").fetchone() == (1,)
    connection.close()


def _in_threads(count: int, work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_many_threads_and_two_databases_make_one_chain(office: Office) -> None:
    elsewhere = KeyDatabase(office.database.path)
    logs = [office.audit, AuditLog(elsewhere, office.clock)]

    def work(number: int) -> None:
        for turn in range(20):
            logs[number % 2].append(_event(f"{number}/{turn}"))

    _in_threads(8, work)
    elsewhere.close()
    assert office.audit.verify() == 160
    assert len({row.event.subject for row in office.audit.rows()}) == 160


def _append_until_killed(path: Path, pipe: int) -> None:
    log = AuditLog(KeyDatabase(path), Clock())
    for number in itertools.count():
        log.append(_event(f"k{number}"))
        os.write(pipe, b".")


def test_what_was_told_is_there_after_a_kill(office: Office) -> None:
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        _append_until_killed(office.database.path, write_end)
    os.close(write_end)
    told = len(os.read(read_end, 1))
    while told < 20:
        told += len(os.read(read_end, 100))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(read_end, 100):
        told += len(more)
    os.close(read_end)
    assert office.audit.verify() in (told, told + 1)
    office.audit.append(_event("after"))


def test_rows_that_wait_share_a_transaction(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[int] = []
    write = office.audit._write

    def counted(entries: list) -> None:
        batches.append(len(entries))
        write(entries)

    monkeypatch.setattr(office.audit, "_write", counted)
    office.audit._writer.acquire()
    arrived = threading.Semaphore(0)
    waiting = office.audit._waiting

    class Noticing(list):
        def append(self, entry: object) -> None:
            super().append(entry)
            arrived.release()

    office.audit._waiting = Noticing(waiting)
    threads = [
        threading.Thread(target=office.audit.append, args=(_event(f"k{number}"),)) for number in range(6)
    ]
    for thread in threads:
        thread.start()
    for _ in threads:
        arrived.acquire()
    office.audit._writer.release()
    for thread in threads:
        thread.join()
    assert batches == [6]
    assert office.audit.verify() == 6


def test_one_bad_companion_does_not_take_the_others_down(office: Office) -> None:
    """Of rows that share a transaction, only the one whose own change fails is missing."""
    outcomes: dict[int, str] = {}

    def fail() -> None:
        raise KeyError("no such key")

    def work(number: int) -> None:
        try:
            office.audit.append(_event(f"k{number}"), fail if number == 3 else None)
            outcomes[number] = "written"
        except KeyError:
            outcomes[number] = "failed"

    _in_threads(8, work)
    assert outcomes == {number: "failed" if number == 3 else "written" for number in range(8)}
    assert office.audit.verify() == 7


def test_a_row_within_a_transaction_is_part_of_it(office: Office) -> None:
    with pytest.raises(OSError), office.database.transaction():
        office.audit.append(_event("k1"))
        raise OSError
    assert office.audit.verify() == 0
    with office.database.transaction():
        office.audit.append(_event("k1"))
    assert office.audit.verify() == 1


def test_opening_the_record_commits_nothing_of_the_caller(office: Office) -> None:
    with pytest.raises(OSError), office.database.transaction():
        office.audit.append(_event("k1"))
        AuditLog(office.database, office.clock)
        raise OSError
    assert office.audit.verify() == 0


def test_a_full_disk_is_told_and_leaves_no_half_row(office: Office) -> None:
    office.audit.append(_event("k1"))
    connection = office.database.connection()
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(AuditUnavailable, match=r"nothing was done.*keys\.db"):
        office.audit.append(_event("x" * 100_000))
    connection.execute("PRAGMA max_page_count = 1000000")
    office.audit.append(_event("k2"))
    assert office.audit.verify() == 2


def test_no_audit_without_a_table(office: Office) -> None:
    with office.database.transaction() as connection:
        connection.execute("DROP TABLE audit_head")
    with pytest.raises(AuditUnavailable):
        office.audit.append(_event("k1"))
