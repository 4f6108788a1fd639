"""Uses of the keyring are written down before they happen, in blocks; without the record there is no use."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.errors import AuditUnavailable
from crypto.roles.audit_log import AuditLog
from crypto.roles.permissions import Role, Session
from crypto.service.use_record import BLOCK_SECONDS, BLOCK_USES, UseRecord
from crypto.vault.database import KeyDatabase

pytestmark = pytest.mark.requirement("F10")

MACHINE = Session("platform", Role.OPERATOR)
OTHER = Session("archive", Role.OPERATOR)


class World:
    def __init__(self, path: Path) -> None:
        self.now = 0.0
        self.database = KeyDatabase(path / "keys.db")
        self.audit = AuditLog(self.database, lambda: datetime(2030, 1, 1, tzinfo=UTC))
        self.record = UseRecord(self.audit, lambda: self.now)

    def told(self) -> list[tuple[str, str, int, str]]:
        return [
            (row.event.account, row.event.operation, row.event.items, row.event.outcome)
            for row in self.audit.rows()
        ]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_first_use_is_covered_by_a_row_and_the_next_by_the_same(world: World) -> None:
    for _ in range(50):
        world.record.cover(MACHINE, "Keyring.open", 2)
        assert world.told() == [("platform", "Keyring.open", 0, "begun")]
    world.record.close()
    assert world.told()[1:] == [("platform", "Keyring.open", 100, "done")]
    assert world.audit.verify() == 2


def test_a_block_ends_by_number_and_by_time(world: World) -> None:
    world.record.cover(MACHINE, "Keyring.open", BLOCK_USES - 1)
    world.record.cover(MACHINE, "Keyring.open", 2)
    world.now += BLOCK_SECONDS
    world.record.cover(MACHINE, "Keyring.open", 7)
    world.record.close()
    counts = [(count, outcome) for _, _, count, outcome in world.told()]
    assert counts == [
        (0, "begun"),
        (BLOCK_USES - 1, "done"),
        (0, "begun"),
        (2, "done"),
        (0, "begun"),
        (7, "done"),
    ]


def test_accounts_and_operations_have_blocks_of_their_own(world: World) -> None:
    world.record.cover(MACHINE, "Keyring.open", 1)
    world.record.cover(OTHER, "Keyring.open", 1)
    world.record.cover(MACHINE, "Keyring.seal", 1)
    assert len(world.told()) == 3


def test_more_than_a_block_is_told_in_its_row(world: World) -> None:
    world.record.cover(MACHINE, "Keyring.open", 3 * BLOCK_USES)
    assert str(3 * BLOCK_USES) in world.audit.rows()[0].event.subject


def test_what_cannot_be_written_down_does_not_happen(world: World) -> None:
    world.record.cover(MACHINE, "Keyring.open", 1)
    with sqlite3.connect(world.database.path) as other:
        other.execute("DROP TABLE audit_log")
    world.record.cover(MACHINE, "Keyring.open", 1)  # its row is on the disk
    for use in (
        lambda: world.record.cover(MACHINE, "Keyring.seal", 1),
        lambda: world.record.cover(MACHINE, "Keyring.open", BLOCK_USES),
    ):
        with pytest.raises(AuditUnavailable):
            use()
