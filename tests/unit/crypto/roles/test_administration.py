"""Managing accounts and second persons through the guarded class; the vault behind is a stand-in where it is needed."""

from typing import Any

import pytest

from crypto.errors import RoleRefused
from crypto.roles.administration import Administration, add_first_administrator
from crypto.roles.permissions import Role, Session
from tests.unit.crypto.roles.people import PASSWORD, Office, secret_of

pytestmark = pytest.mark.requirement("H2.7")


class NotedVault:
    """Notes what reached it; `fail` breaks it."""

    def __init__(self, office: Office) -> None:
        self.database = office.database
        self.calls: list[tuple[Any, ...]] = []
        self.fail = False

    def destroy(self, key_id: str, reason: str) -> None:
        if self.fail:
            raise OSError
        self.calls.append(("destroy", key_id, reason))


class Bureau:
    """Two administrators over one vault."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.vault = NotedVault(office)
        self.first = self.administration(office.hire("first", Role.ADMINISTRATOR))
        self.second = self.administration(office.hire("second", Role.ADMINISTRATOR))

    def administration(self, session: Session) -> Administration:
        vault: Any = self.vault
        return Administration(
            vault, self.office.accounts, self.office.dual, self.office.audit, vault, session
        )

    def approval(self, operation: str, **arguments: str) -> str:
        asked = self.first.request(operation, arguments, "as planned")
        self.second.approve(asked)
        return asked

    def outcomes(self) -> list[tuple[str, str, str]]:
        rows = [row.event for row in self.office.audit.rows()]
        return [(event.account, event.operation.partition(".")[2], event.outcome) for event in rows]


@pytest.fixture
def bureau(office: Office) -> Bureau:
    return Bureau(office)


def test_a_key_is_destroyed_by_two(bureau: Bureau) -> None:
    asked = bureau.approval("destroy", key_id="k1")
    bureau.first.destroy("k1", "patient left", asked)
    assert bureau.vault.calls == [("destroy", "k1", "patient left")]
    assert bureau.outcomes() == [
        ("first", "request", "done"),
        ("second", "approve", "done"),
        ("first", "destroy", "done"),
    ]
    detail = bureau.office.audit.rows()[-1].event.detail
    assert asked in detail
    assert "patient left" in detail


@pytest.mark.parametrize("key_id", ["k1", "k2"])
def test_no_approval_or_another_keys_destroys_nothing(bureau: Bureau, key_id: str) -> None:
    asked = bureau.approval("destroy", key_id="k1") if key_id == "k2" else "0" * 16
    with pytest.raises(RoleRefused):
        bureau.first.destroy(key_id, "patient left", asked)
    assert bureau.vault.calls == []
    assert bureau.outcomes()[-1] == ("first", "destroy", "failed: RoleRefused")


def test_an_approval_whose_work_failed_is_not_spent(bureau: Bureau) -> None:
    asked = bureau.approval("destroy", key_id="k1")
    bureau.vault.fail = True
    with pytest.raises(OSError):
        bureau.first.destroy("k1", "patient left", asked)
    bureau.vault.fail = False
    bureau.first.destroy("k1", "patient left", asked)
    with pytest.raises(RoleRefused, match="used"):
        bureau.first.destroy("k1", "patient left", asked)
    assert len(bureau.vault.calls) == 1


def test_a_backup_has_a_row_before_and_after(bureau: Bureau) -> None:
    assert bureau.first.backup("keys-1", lambda: 200_000) == 200_000
    assert bureau.outcomes() == [("first", "backup", "begun"), ("first", "backup", "done")]


def test_nothing_else_is_asked_of_a_second_person(bureau: Bureau) -> None:
    with pytest.raises(RoleRefused, match="needs no second person"):
        bureau.first.request("rotate_kek", {"name": "data"}, "why not")


def test_with_two_administrators_an_account_needs_both(bureau: Bureau) -> None:
    with pytest.raises(RoleRefused):
        bureau.first.add_account("clerk", Role.OPERATOR, PASSWORD)
    asked = bureau.approval("add_account", name="clerk", role="operator")
    for name, role in (("other", Role.OPERATOR), ("clerk", Role.ADMINISTRATOR)):
        with pytest.raises(RoleRefused, match="not for this"):
            bureau.first.add_account(name, role, PASSWORD, asked)
    assert bureau.first.add_account("clerk", Role.OPERATOR, PASSWORD, asked).startswith("otpauth://totp/")
    asked = bureau.approval("add_machine", name="web", role="operator")
    bureau.first.add_machine("web", asked)
    assert bureau.office.accounts.machine_session("web").role is Role.OPERATOR


def test_one_administrator_alone_may_add_the_second_and_then_no_more(office: Office) -> None:
    vault: Any = NotedVault(office)
    session = office.hire("first", Role.ADMINISTRATOR)
    alone = Administration(vault, office.accounts, office.dual, office.audit, vault, session)
    alone.add_account("clerk", Role.OPERATOR, PASSWORD)
    alone.add_account("second", Role.ADMINISTRATOR, PASSWORD)
    with pytest.raises(RoleRefused):
        alone.add_account("third", Role.ADMINISTRATOR, PASSWORD)


def test_the_first_administrator_is_added_by_the_installation_once(office: Office) -> None:
    uri = add_first_administrator(office.accounts, office.audit, "first", PASSWORD)
    office.secrets["first"] = secret_of(uri)
    assert office.accounts.sign_in("first", PASSWORD, office.code("first")).role is Role.ADMINISTRATOR
    with pytest.raises(RoleRefused, match="there is an administrator"):
        add_first_administrator(office.accounts, office.audit, "another", PASSWORD)
    assert [(row.event.account, row.event.outcome) for row in office.audit.rows()] == [
        ("installation", "done"),
        ("first", "done"),
        ("installation", "failed: RoleRefused"),
    ]


def test_nobody_gets_rid_of_the_second_person_alone(bureau: Bureau) -> None:
    """Otherwise one administrator could remove the other and add a friend."""
    with pytest.raises(RoleRefused):
        bureau.first.remove_account("second", "0" * 16)
    assert bureau.office.accounts.administrators() == 2


def test_who_was_removed_manages_nothing_any_more(bureau: Bureau) -> None:
    asked = bureau.approval("remove_account", name="second")
    bureau.first.remove_account("second", asked)
    for work in (
        lambda: bureau.second.unlock_account("first"),
        lambda: bureau.second.backup("a", lambda: 1),
        lambda: bureau.second.request("destroy", {"key_id": "k1"}, "why"),
    ):
        with pytest.raises(RoleRefused, match="sign in again"):
            work()


def test_the_yes_of_who_was_removed_since_counts_no_more(bureau: Bureau) -> None:
    destroying = bureau.approval("destroy", key_id="k1")
    bureau.first.remove_account("second", bureau.approval("remove_account", name="second"))
    with pytest.raises(RoleRefused, match="second"):
        bureau.first.destroy("k1", "patient left", destroying)
    assert bureau.vault.calls == []


def test_passwords_are_not_recorded(bureau: Bureau) -> None:
    asked = bureau.approval("add_account", name="clerk", role="operator")
    uri = bureau.first.add_account("clerk", Role.OPERATOR, PASSWORD, asked)
    recorded = str(bureau.office.audit.rows())
    assert PASSWORD not in recorded
    assert uri not in recorded


def test_who_was_removed_does_not_seal(bureau: Bureau) -> None:
    bureau.first.remove_account("second", bureau.approval("remove_account", name="second"))
    with pytest.raises(RoleRefused, match="sign in again"):
        bureau.second.seal()
