"""`./cloudfilm keys …` for who may and who may not; what the record says; disk errors in one line."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.commands import keys as commands
from app.custody import INSTALLATION, Custody
from core import clock, config
from core.config import Settings
from crypto.errors import KeyRefused, RoleRefused
from crypto.roles.accounts import Accounts
from crypto.roles.administration import add_first_administrator
from crypto.roles.audit_log import AuditLog
from crypto.roles.permissions import Role, Session

pytestmark = pytest.mark.requirement("H2.6", "H2.7")


def nobody() -> bytes:
    raise AssertionError("no shares are asked for with a key file")


class Room:
    """One installation; `who` signs in."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CLOUDFILM_HOME", str(home))
        monkeypatch.setattr(commands, "sign_in", self._sign_in)
        self.home = home
        self.who: Session | None = None
        self.run("init")
        self.custody = Custody(config.load(), nobody)
        self.audit = AuditLog(self.custody.vault.database, clock.now)

    def run(self, *arguments: object) -> Result:
        return CliRunner().invoke(
            commands.keys_group, [str(one) for one in arguments], catch_exceptions=False
        )

    def add_administrator(self) -> None:
        custody = self.custody
        accounts = Accounts(
            custody.vault.database, self.audit, custody.engines.sm4, custody.random, clock.now
        )
        add_first_administrator(accounts, self.audit, "li.na", "a long pass phrase")

    def events(self) -> list[tuple[str, str, str, str]]:
        return [
            (row.event.account, row.event.operation, row.event.subject, row.event.outcome)
            for row in self.audit.rows()
        ]

    def _sign_in(self, _accounts: Accounts) -> Session:
        assert self.who is not None, "nobody was to sign in"
        return self.who


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    return Room(tmp_path / "home", monkeypatch)


def test_before_there_are_administrators_the_installation_acts_and_is_recorded(room: Room) -> None:
    room.run("rotate")
    room.run("rewrap")
    name = INSTALLATION.account
    assert room.events() == [
        (name, "Administration.rotate_kek", "data", "done"),
        (name, "Administration.rewrap", "data", "begun"),
        (name, "Administration.rewrap", "data", "done"),
    ]


def test_with_administrators_only_they_manage(room: Room, tmp_path: Path) -> None:
    room.add_administrator()
    room.who = Session("chen", Role.OPERATOR)
    for command in (
        ("rotate",),
        ("rotate", "--system-key"),
        ("rewrap",),
        ("backup", tmp_path / "a.cfkeys", "--new-shares", "2/3", "--no-terminal"),
    ):
        with pytest.raises(RoleRefused, match="chen is operator"):
            room.run(*command)
    assert room.custody.vault.kek_version("data") == 1
    assert not (tmp_path / "a.cfkeys").exists()
    room.who = Session("li.na", Role.ADMINISTRATOR)
    assert room.run("rotate").exit_code == 0
    assert ("li.na", "Administration.rotate_kek", "data", "done") in room.events()


def test_the_backup_of_every_night_needs_nobody(room: Room, tmp_path: Path) -> None:
    room.add_administrator()
    room.who = Session("li.na", Role.ADMINISTRATOR)
    room.run("backup", tmp_path / "a.cfkeys", "--new-shares", "2/3", "--no-terminal")
    room.who = None
    assert room.run("backup", tmp_path / "b.cfkeys").exit_code == 0
    assert room.events()[-1] == (INSTALLATION.account, "Administration.backup", "b.cfkeys", "done")


def test_no_share_is_in_the_record_or_on_the_disk(room: Room, tmp_path: Path) -> None:
    told = room.run("backup", tmp_path / "a.cfkeys", "--new-shares", "2/3", "--no-terminal").output
    first = told.split("share 1 of 3, set ")[1].split()[1]
    assert len(first) == 4 * 5 + 3
    assert not any(first in str(event) for event in room.events())
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(first.encode() in content for content in written)


def test_a_disk_error_is_one_line_and_leaves_nothing(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.run("backup", tmp_path / "a.cfkeys", "--new-shares", "2/3", "--no-terminal")

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("crypto.vault.backup.write_end", full)
    with pytest.raises(KeyRefused, match="No space left on device"):
        room.run("backup", tmp_path / "safe" / "b.cfkeys")
    assert list((tmp_path / "safe").iterdir()) == []


def test_a_vault_of_an_earlier_version_is_taken_over_not_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFILM_HOME", str(tmp_path))
    old = Settings(home=str(tmp_path)).old_keyring_path
    old.parent.mkdir()
    old.write_text("{}")
    with pytest.raises(KeyRefused, match="cloudfilm setup"):
        CliRunner().invoke(commands.keys_group, ["init"], catch_exceptions=False)
