"""Accounts: both factors, used codes, lock-out, machines, removal."""

import threading
from contextlib import suppress
from pathlib import Path

import pytest

from crypto.errors import AuditUnavailable, RoleRefused
from crypto.roles.accounts import MAX_FAILURES
from crypto.roles.permissions import Role, Session
from tests.unit.crypto.roles.people import PASSWORD, Office

pytestmark = pytest.mark.requirement("H2.7")

WRONG = "another password"


@pytest.fixture
def clerk(office: Office) -> str:
    office.hire("clerk", Role.OPERATOR)
    return "clerk"


def test_password_and_code_give_a_session(office: Office, clerk: str) -> None:
    assert office.accounts.sign_in(clerk, PASSWORD, office.code(clerk)) == Session(clerk, Role.OPERATOR)


def test_sign_ins_are_recorded_and_without_record_there_is_none(office: Office, clerk: str) -> None:
    office.accounts.sign_in(clerk, PASSWORD, office.code(clerk))
    for name in (clerk, "nobody" * 100):
        with pytest.raises(RoleRefused):
            office.accounts.sign_in(name, WRONG, "123456")
    assert [(row.event.account, row.event.role, row.event.outcome) for row in office.audit.rows()] == [
        (clerk, "operator", "done"),
        (clerk, "unknown", "refused"),
        (("nobody" * 100)[:64], "unknown", "refused"),
    ]
    office.clock.pass_time(seconds=30)
    with office.database.transaction() as connection:
        connection.execute("DROP TABLE audit_head")
    with pytest.raises(AuditUnavailable):
        office.accounts.sign_in(clerk, PASSWORD, office.code(clerk))


def test_neither_factor_is_enough(office: Office, clerk: str) -> None:
    right = office.code(clerk)
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    for password, code in ((WRONG, right), (PASSWORD, wrong), (PASSWORD, ""), ("", right)):
        with pytest.raises(RoleRefused, match="wrong"):
            office.accounts.sign_in(clerk, password, code)


def test_a_code_works_once(office: Office, clerk: str) -> None:
    code = office.code(clerk)
    office.accounts.sign_in(clerk, PASSWORD, code)
    with pytest.raises(RoleRefused):
        office.accounts.sign_in(clerk, PASSWORD, code)
    office.clock.pass_time(seconds=30)
    office.accounts.sign_in(clerk, PASSWORD, office.code(clerk))


def test_of_many_at_once_with_one_code_one_gets_in(office: Office, clerk: str) -> None:
    code, entered = office.code(clerk), []

    def enter() -> None:
        with suppress(RoleRefused):
            entered.append(office.accounts.sign_in(clerk, PASSWORD, code))

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert entered == [Session(clerk, Role.OPERATOR)]


def test_five_failures_lock_and_half_an_hour_opens(office: Office, clerk: str) -> None:
    for _ in range(MAX_FAILURES):
        with pytest.raises(RoleRefused):
            office.accounts.sign_in(clerk, WRONG, office.code(clerk))
    assert [account.is_locked for account in office.accounts.all()] == [True]
    with pytest.raises(RoleRefused):
        office.accounts.sign_in(clerk, PASSWORD, office.code(clerk))
    office.clock.pass_time(minutes=29, seconds=59)
    with pytest.raises(RoleRefused):
        office.accounts.sign_in(clerk, PASSWORD, office.code(clerk))
    office.clock.pass_time(seconds=2)
    assert office.accounts.sign_in(clerk, PASSWORD, office.code(clerk))


def test_a_sign_in_forgets_the_failures_before_it(office: Office, clerk: str) -> None:
    for _ in range(3):
        for _ in range(MAX_FAILURES - 1):
            with pytest.raises(RoleRefused):
                office.accounts.sign_in(clerk, WRONG, "")
        office.clock.pass_time(seconds=30)
        office.accounts.sign_in(clerk, PASSWORD, office.code(clerk))


def test_an_administrator_unlocks(office: Office, clerk: str) -> None:
    for _ in range(MAX_FAILURES):
        with pytest.raises(RoleRefused):
            office.accounts.sign_in(clerk, WRONG, "")
    office.accounts.unlock(clerk)
    assert office.accounts.sign_in(clerk, PASSWORD, office.code(clerk))


def test_unknown_locked_and_wrong_are_told_in_the_same_words(office: Office, clerk: str) -> None:
    told = set()
    for name in ("nobody", clerk, clerk, clerk, clerk, clerk, clerk):
        with pytest.raises(RoleRefused) as caught:
            office.accounts.sign_in(name, WRONG, "123456")
        told.add(str(caught.value))
    assert len(told) == 1


def test_nothing_in_the_file_gives_a_factor_away(office: Office, clerk: str, tmp_path: Path) -> None:
    office.database.close()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert clerk.encode() in content
    assert office.secrets[clerk] not in content
    assert PASSWORD.encode() not in content


def test_a_secret_moved_to_another_name_opens_nothing(office: Office, clerk: str) -> None:
    """Whoever can write the table cannot lend one's factors to another account."""
    office.hire("chief", Role.ADMINISTRATOR, WRONG)
    with office.database.transaction() as connection:
        connection.execute(
            "UPDATE accounts SET (salt, sealed_secret) = (SELECT salt, sealed_secret FROM accounts WHERE name = 'clerk') "
            "WHERE name = 'chief'"
        )
    with pytest.raises(RoleRefused):
        office.accounts.sign_in("chief", PASSWORD, office.code(clerk))


def test_a_short_password_is_refused(office: Office) -> None:
    with pytest.raises(RoleRefused, match="12 characters"):
        office.accounts.add("clerk", Role.OPERATOR, "short words")


@pytest.mark.parametrize("name", ["", "A", "Clerk", "1clerk", "cl erk", "clerk\n", "x" * 33, "../x"])
def test_names_that_would_be_confused_are_refused(office: Office, name: str) -> None:
    with pytest.raises(RoleRefused, match="a name has"):
        office.accounts.add_machine(name)


def test_a_removed_name_is_not_given_again(office: Office, clerk: str) -> None:
    session = Session(clerk, Role.OPERATOR)
    office.accounts.require_active(session)
    office.accounts.remove(clerk)
    with pytest.raises(RoleRefused, match="sign in again"):
        office.accounts.require_active(session)
    with pytest.raises(RoleRefused, match="taken"):
        office.hire(clerk, Role.ADMINISTRATOR)
    with pytest.raises(RoleRefused, match="there is none"):
        office.accounts.unlock(clerk)
    with pytest.raises(RoleRefused):
        office.accounts.sign_in(clerk, PASSWORD, office.code(clerk))


def test_machines_are_operators_without_a_password(office: Office, clerk: str) -> None:
    office.accounts.add_machine("web")
    assert office.accounts.machine_session("web") == Session("web", Role.OPERATOR)
    with pytest.raises(RoleRefused):
        office.accounts.sign_in("web", "", "")
    for name in (clerk, "nobody"):
        with pytest.raises(RoleRefused, match="no such machine"):
            office.accounts.machine_session(name)


def test_administrators_are_counted_without_the_removed(office: Office) -> None:
    office.hire("one", Role.ADMINISTRATOR)
    office.hire("two", Role.ADMINISTRATOR)
    office.hire("clerk", Role.OPERATOR)
    office.accounts.remove("two")
    assert office.accounts.administrators() == 1


def test_argon2_runs_at_full_cost_outside_tests() -> None:
    """RFC 9106 §4: 64 MiB, 3 passes, 4 lanes."""
    from crypto.roles import accounts

    assert accounts._COST == {"time_cost": 3, "memory_cost": 65536, "parallelism": 4}
