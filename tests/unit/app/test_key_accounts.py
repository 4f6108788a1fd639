"""`./cloudfilm keys account|approve|audit …` from an empty installation to a chain that is whole."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.commands import key_accounts
from app.keys import make_vault
from core import clock
from core.config import Settings
from core.errors import Misconfigured
from crypto.errors import AuditBroken, KeyRefused, RoleRefused
from crypto.roles import totp
from tests.unit.crypto.roles.people import PASSWORD, make_argon2_cheap, secret_of

pytestmark = pytest.mark.requirement("H2.7")

COMMANDS = {command.name: command for command in key_accounts.COMMANDS}


class Desk:
    """People at the terminal of one installation."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = datetime(2030, 1, 2, tzinfo=UTC)
        self.secrets: dict[str, bytes] = {}
        monkeypatch.setattr(clock, "now", lambda: self.at)
        monkeypatch.setattr(key_accounts.config, "load", lambda: settings)

    def run(self, command: str, *arguments: str, typed: tuple[str, ...] = ()) -> str:
        result: Result = CliRunner().invoke(
            COMMANDS[command], arguments, input="".join(f"{line}\n" for line in typed)
        )
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    def log_in(self, name: str) -> tuple[str, str, str]:
        """What this person types; half a minute passes, so that the code is a new one."""
        self.at += timedelta(seconds=30)
        step = int(self.at.timestamp() // totp.STEP_SECONDS)
        return name, PASSWORD, totp.code(self.secrets[name], step)

    def enrol(self, name: str, output: str) -> None:
        found = re.search(r"otpauth://\S+", output)
        assert found
        self.secrets[name] = secret_of(found.group())

    def found(self, *names: str) -> None:
        """The first administrator, and a second one whom the first adds alone."""
        first, second = names
        arguments = ("add", first, "--role", "administrator")
        self.enrol(first, self.run("account", *arguments, typed=(PASSWORD, PASSWORD)))
        arguments = ("add", second, "--role", "administrator")
        self.enrol(second, self.run("account", *arguments, typed=(*self.log_in(first), PASSWORD, PASSWORD)))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    make_argon2_cheap(monkeypatch)
    settings = Settings(home=str(tmp_path))
    make_vault(settings)
    return Desk(settings, monkeypatch)


def _request(output: str) -> str:
    found = re.search(r"request ([0-9a-f]{16}):", output)
    assert found, output
    return found.group(1)


def test_two_administrators_add_a_third_person_and_a_program(desk: Desk) -> None:
    desk.found("li.na", "wang.wei")
    wanted = ("add", "chen", "--role", "operator")
    asked = _request(desk.run("account", *wanted, "--reason", "new clerk", typed=desk.log_in("li.na")))
    with pytest.raises(RoleRefused, match="another administrator"):
        desk.run("approve", asked, typed=(*desk.log_in("li.na"), "y"))
    assert "new clerk" in desk.run("approve", asked, typed=(*desk.log_in("wang.wei"), "y"))
    typed = (*desk.log_in("li.na"), PASSWORD, PASSWORD)
    desk.enrol("chen", desk.run("account", *wanted, "--approval", asked, typed=typed))
    with pytest.raises(RoleRefused, match="is operator: it may not accounts"):
        desk.run("account", "list", typed=desk.log_in("chen"))
    machine = ("add", "web", "--machine")
    asked = _request(desk.run("account", *machine, "--reason", "web workers", typed=desk.log_in("wang.wei")))
    desk.run("approve", asked, typed=(*desk.log_in("li.na"), "y"))
    desk.run("account", *machine, "--approval", asked, typed=desk.log_in("wang.wei"))
    listed = desk.run("account", "list", typed=desk.log_in("li.na"))
    assert re.search(r"^chen +operator$", listed, re.M)
    assert re.search(r"^web +operator +machine$", listed, re.M)
    assert len(re.findall("used +add_", desk.run("approvals", typed=desk.log_in("li.na")))) == 2


def test_a_no_at_the_question_approves_nothing(desk: Desk) -> None:
    desk.found("li.na", "wang.wei")
    removal = ("remove", "wang.wei", "--reason", "left")
    asked = _request(desk.run("account", *removal, typed=desk.log_in("li.na")))
    result = CliRunner().invoke(
        COMMANDS["approve"], [asked], input="\n".join((*desk.log_in("wang.wei"), "n", ""))
    )
    assert result.exit_code == 1
    assert re.search(f"{asked} +open", desk.run("approvals", typed=desk.log_in("li.na")))
    desk.run("withdraw", asked, typed=desk.log_in("wang.wei"))
    with pytest.raises(RoleRefused, match="withdrawn"):
        desk.run("account", *removal, "--approval", asked, typed=desk.log_in("li.na"))


def test_the_first_account_is_an_administrator(desk: Desk) -> None:
    with pytest.raises(Misconfigured, match="first account must be an administrator"):
        desk.run("account", "add", "chen", "--role", "operator")
    with pytest.raises(Misconfigured, match="--machine for a program"):
        desk.run("account", "add", "chen")


def test_a_locked_account_is_opened(desk: Desk) -> None:
    desk.found("li.na", "wang.wei")
    for _ in range(5):
        with pytest.raises(RoleRefused):
            desk.run("approvals", typed=("wang.wei", PASSWORD + "!", "123456"))
    assert re.search("wang.wei.* locked", desk.run("account", "list", typed=desk.log_in("li.na")))
    desk.run("account", "unlock", "wang.wei", typed=desk.log_in("li.na"))
    desk.run("approvals", typed=desk.log_in("wang.wei"))


def test_a_key_is_destroyed_by_two(desk: Desk) -> None:
    desk.found("li.na", "wang.wei")
    asked = _request(desk.run("destroy", "data/7", "--reason", "contract ended", typed=desk.log_in("li.na")))
    desk.run("approve", asked, typed=(*desk.log_in("wang.wei"), "y"))
    with pytest.raises(KeyRefused, match="data/7"):
        desk.run(
            "destroy", "data/7", "--reason", "contract ended", "--approval", asked, typed=desk.log_in("li.na")
        )


def test_the_record_is_verified_and_its_head_kept(desk: Desk) -> None:
    desk.found("li.na", "wang.wei")
    head = desk.run("audit", "head").strip()
    assert "whole" in desk.run("audit", "verify", "--kept", head)
    with pytest.raises(AuditBroken):
        desk.run("audit", "verify", "--kept", f"{head[:-1]}{'0' if head[-1] != '0' else '1'}")
    with pytest.raises(Misconfigured, match="NUMBER:HASH"):
        desk.run("audit", "verify", "--kept", "yesterday")
    with pytest.raises(RoleRefused, match="may not events"):
        desk.run("audit", "list", typed=desk.log_in("li.na"))


def test_an_auditor_reads_the_record(desk: Desk) -> None:
    desk.found("li.na", "wang.wei")
    wanted = ("add", "zhao", "--role", "auditor")
    asked = _request(desk.run("account", *wanted, "--reason", "yearly", typed=desk.log_in("li.na")))
    desk.run("approve", asked, typed=(*desk.log_in("wang.wei"), "y"))
    typed = (*desk.log_in("li.na"), PASSWORD, PASSWORD)
    desk.enrol("zhao", desk.run("account", *wanted, "--approval", asked, typed=typed))
    with pytest.raises(RoleRefused):
        desk.run("approvals", typed=("\x1b[2Jevil", PASSWORD, "123456"))
    record = desk.run("audit", "list", typed=desk.log_in("zhao"))
    assert "\x1b" not in record
    assert "�[2Jevil (unknown)  sign_in" in record
    assert "installation (administrator)  Administration.add_account  li.na  done" in record
    assert "wang.wei (administrator)  Administration.approve" in record
    assert PASSWORD not in record
