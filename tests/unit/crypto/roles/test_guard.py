"""One guarded request: role first, record before release, change and record together."""

import sqlite3

import pytest

from crypto.errors import AuditUnavailable, KeyRefused, RoleRefused, SealBroken, SignatureRefused
from crypto.roles.guard import Guard
from crypto.roles.permissions import Role, Session
from crypto.vault.database import KeyDatabase
from tests.unit.crypto.roles.people import Office

pytestmark = pytest.mark.requirement("H2.7")

USE, CHANGE = "Operation.sign", "Administration.create_kek"


def _guard(office: Office, role: Role) -> Guard:
    return Guard(office.database, office.audit, Session("who", role))


def _outcomes(office: Office) -> list[tuple[str, str, int, str]]:
    return [
        (row.event.operation, row.event.subject, row.event.items, row.event.outcome)
        for row in office.audit.rows()
    ]


def _break_audit(office: Office) -> None:
    with office.database.transaction() as connection:
        connection.execute("DROP TABLE audit_head")


def _table(office: Office) -> list[int]:
    return [row[0] for row in office.database.connection().execute("SELECT number FROM things")]


@pytest.fixture
def things(office: Office) -> Office:
    office.database.connection().execute("CREATE TABLE things (number INTEGER)")
    return office


def _insert(office: Office, number: int) -> int:
    office.database.connection().execute("INSERT INTO things VALUES (?)", (number,))
    return number


def test_a_use_is_released_with_its_row_and_its_count(things: Office) -> None:
    result = _guard(things, Role.OPERATOR).use(USE, "k1", lambda: b"result", 3, lambda: _insert(things, 3))
    assert result == b"result"
    assert _outcomes(things) == [(USE, "k1", 3, "done")]
    assert _table(things) == [3]


def test_the_row_is_on_the_disk_before_the_result_is_released(office: Office) -> None:
    seen: list[int] = []

    def work() -> None:
        seen.append(len(office.audit.rows()))

    _guard(office, Role.OPERATOR).use(USE, "k1", work)
    with sqlite3.connect(office.database.path) as connection:
        assert connection.execute("SELECT count(*) FROM audit_log").fetchone() == (1,)
    connection.close()
    assert seen == [0]


def test_the_wrong_role_does_no_work_and_is_recorded(office: Office) -> None:
    worked: list[int] = []
    for role in (Role.ADMINISTRATOR, Role.AUDITOR):
        with pytest.raises(RoleRefused, match=f"is {role}: it may not sign"):
            _guard(office, role).use(USE, "k1", lambda: worked.append(1))
    assert worked == []
    assert _outcomes(office) == [(USE, "k1", 1, "refused: role")] * 2


def test_a_failure_is_recorded_by_its_kind_alone(office: Office) -> None:
    def work() -> None:
        raise SealBroken("what it was about")

    with pytest.raises(SealBroken):
        _guard(office, Role.OPERATOR).use(USE, "k1", work)
    assert _outcomes(office) == [(USE, "k1", 1, "failed: SealBroken")]
    assert "about" not in str(office.audit.rows())


@pytest.mark.parametrize("error", [SealBroken("no"), SignatureRefused("no")])
def test_a_key_that_said_no_was_used(things: Office, error: Exception) -> None:
    def work() -> None:
        raise error

    with pytest.raises(type(error)):
        _guard(things, Role.OPERATOR).use(USE, "k1", work, 1, lambda: _insert(things, 1))
    assert _table(things) == [1]


def test_a_key_that_was_refused_was_not_used(things: Office) -> None:
    def work() -> None:
        raise KeyRefused("destroyed")

    with pytest.raises(KeyRefused):
        _guard(things, Role.OPERATOR).use(USE, "k1", work, 1, lambda: _insert(things, 1))
    assert _table(things) == []


def test_a_long_subject_is_cut_and_its_digest_kept(office: Office) -> None:
    for subject in ("k" * 5000, "k" * 4999 + "j"):
        _guard(office, Role.OPERATOR).use(USE, subject, lambda: None)
    first, second = (row.event.subject for row in office.audit.rows())
    assert len(first) < 2200
    assert first != second


def test_a_record_elsewhere_is_no_record_of_these_changes(office: Office) -> None:
    with pytest.raises(ValueError, match="own KeyDatabase"):
        Guard(KeyDatabase(office.database.path), office.audit, Session("who", Role.OPERATOR))


def test_no_audit_no_result(things: Office) -> None:
    _break_audit(things)
    released: list[bytes] = []
    with pytest.raises(AuditUnavailable):
        released.append(
            _guard(things, Role.OPERATOR).use(USE, "k1", lambda: b"result", 1, lambda: _insert(things, 1))
        )
    assert (released, _table(things)) == ([], [])


def test_no_audit_no_refusal_without_trace(office: Office) -> None:
    _break_audit(office)
    with pytest.raises(AuditUnavailable):
        _guard(office, Role.AUDITOR).use(USE, "k1", lambda: b"result")


def test_a_count_that_cannot_be_written_holds_the_result_back(things: Office) -> None:
    def count() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(AuditUnavailable):
        _guard(things, Role.OPERATOR).use(USE, "k1", lambda: b"result", 1, count)
    assert _outcomes(things) == []


def test_a_change_and_its_row_are_one(things: Office) -> None:
    guard = _guard(things, Role.ADMINISTRATOR)
    assert guard.change(CHANGE, "data", lambda: _insert(things, 7), "by plan") == 7
    assert _table(things) == [7]
    assert things.audit.rows()[0].event.detail == "by plan"


def test_a_change_that_fails_leaves_a_row_about_that_and_nothing_else(things: Office) -> None:
    def work() -> None:
        _insert(things, 7)
        raise ValueError

    with pytest.raises(ValueError):
        _guard(things, Role.ADMINISTRATOR).change(CHANGE, "data", work)
    assert (_table(things), _outcomes(things)) == ([], [(CHANGE, "data", 1, "failed: ValueError")])


def test_no_audit_no_change(things: Office) -> None:
    _break_audit(things)
    begun: list[int] = []
    with pytest.raises(AuditUnavailable):
        _guard(things, Role.ADMINISTRATOR).change(CHANGE, "data", lambda: begun.append(1))
    assert begun == []


def test_a_long_change_has_a_row_before_and_after(things: Office) -> None:
    guard = _guard(things, Role.ADMINISTRATOR)

    def fail() -> None:
        raise OSError

    assert (
        guard.long_change(CHANGE, "data", lambda: len(things.audit.rows()), lambda: _insert(things, 1)) == 1
    )
    with pytest.raises(OSError):
        guard.long_change(CHANGE, "data", fail, lambda: _insert(things, 2))
    with pytest.raises(OSError):
        guard.long_change(CHANGE, "data", lambda: _insert(things, 3), fail)
    assert [outcome for *_, outcome in _outcomes(things)] == [
        "begun",
        "done",
        "begun",
        "failed: OSError",
        "failed: OSError",
    ]
    assert _table(things) == [1, 2]
    _break_audit(things)
    with pytest.raises(AuditUnavailable):
        guard.long_change(CHANGE, "data", lambda: _insert(things, 4), lambda: _insert(things, 5))
    assert _table(things) == [1, 2]
