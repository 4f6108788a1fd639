"""Unsealing by shares is recorded before it happens; a share that does not fit is recorded too."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto.errors import AuditUnavailable, KeyRefused
from crypto.roles.accounts import Accounts
from crypto.roles.audit_log import AuditLog, Event
from crypto.roles.permissions import Role, Session
from crypto.service import state_contract as contract
from crypto.service.door import Caller
from crypto.service.people import People
from crypto.service.state_desk import StateDesk
from crypto.shamir import Purpose, split
from crypto.unsealing import ShareGathering
from crypto.vault.vault import KeyVault
from tests.fixtures.key_vault import OTHER_SYSTEM_KEY, PORTABLE, SYSTEM_KEY, new_vault, now

pytestmark = pytest.mark.requirement("H2.8", "F10")
CALLER = Caller(Session("platform", Role.OPERATOR), "")


class FullDisk(AuditLog):
    """Takes what counts as failed only, as a disk that is full now and then does."""

    def append(self, event: Event, also: Callable[[], None] | None = None) -> None:
        if not event.outcome.startswith("failed"):
            raise AuditUnavailable("the disk is full")


@pytest.fixture
def vault(tmp_path: Path) -> KeyVault:
    vault = new_vault(tmp_path / "keys.db")
    vault.seal()
    return vault


@pytest.fixture
def people(vault: KeyVault) -> People:
    """Nobody comes in these tests."""
    accounts = Accounts(vault.database, AuditLog(vault.database, now), PORTABLE, os.urandom, now)
    return People(accounts, lambda: 0.0)


def give(vault: KeyVault, people: People, audit: AuditLog, key: bytes) -> None:
    gathering = ShareGathering(Purpose.SYSTEM_KEY, lambda: 0.0)
    desk = StateDesk(vault, gathering, people, audit, [], lambda _caller: None, lambda: 0)
    first, second = split(key, 2, 2, Purpose.SYSTEM_KEY)
    gathering.add(first.text)
    desk.handlers[contract.UNSEAL.name](CALLER, contract.ShareGiven(share=second.text))


def test_without_a_record_it_stays_sealed(vault: KeyVault, people: People) -> None:
    with pytest.raises(AuditUnavailable):
        give(vault, people, FullDisk(vault.database, now), SYSTEM_KEY)
    assert vault.is_sealed


@pytest.mark.parametrize(
    ("key", "outcome"),
    [(SYSTEM_KEY, "done"), (OTHER_SYSTEM_KEY, "failed: KeyRefused")],
    ids=["right", "wrong"],
)
def test_it_has_a_row_before_and_after(vault: KeyVault, people: People, key: bytes, outcome: str) -> None:
    audit = AuditLog(vault.database, now)
    try:
        give(vault, people, audit, key)
    except KeyRefused:
        assert vault.is_sealed
    query = "SELECT outcome FROM audit_log WHERE operation = 'Service.unseal' ORDER BY seq"
    rows = vault.database.connection().execute(query)
    assert [row[0] for row in rows] == ["begun", outcome]
