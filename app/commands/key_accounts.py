"""`./cloudfilm keys account|approve|audit …`: who may do what with keys, and the record (docs/crypto-roles.md)."""

import sys
from collections.abc import Callable
from typing import Any

import click
import segno

from app.commands.key_prompts import sign_in
from app.custody import Custody
from core import clock, config
from core.errors import Misconfigured
from crypto.roles.accounts import Accounts
from crypto.roles.administration import FEWEST_ADMINISTRATORS, Administration, add_first_administrator
from crypto.roles.audit_log import AuditLog, Row
from crypto.roles.dual_control import DualControl
from crypto.roles.inspection import Inspection
from crypto.roles.permissions import Role, Session
from crypto.services import CryptoServices

_REASON = click.option("--reason", default="", help="Why; the other administrator reads it.")
_APPROVAL = click.option(
    "--approval", default="", help="The number of the request that the other administrator approved."
)


class KeyRoom:
    """The accounts, requests and record of this installation's vault; it may be sealed."""

    def __init__(self) -> None:
        self._custody = custody = Custody(config.load(), _no_shares)
        self.vault = custody.vault
        database = self.vault.database
        self.audit = AuditLog(database, clock.now)
        self.accounts = Accounts(database, self.audit, custody.engines.sm4, custody.random, clock.now)
        self.dual_control = DualControl(database, custody.random, clock.now)

    def administration(self, session: Session) -> Administration:
        """Managing, for who signed in."""
        services = CryptoServices(self._custody.engines, self._custody.random)
        return Administration(self.vault, self.accounts, self.dual_control, self.audit, services, session)

    def inspection(self, session: Session) -> Inspection:
        """Looking, for who signed in."""
        return Inspection(self.vault, self.accounts, self.dual_control, self.audit, session)

    def with_second_person(
        self,
        operation: str,
        arguments: dict[str, str],
        approval: str,
        reason: str,
        work: Callable[[Administration], Any],
    ) -> Any:
        """Ask the other administrator, or do what the other has approved. None when it was asked only."""
        administration = self.administration(sign_in(self.accounts))
        is_account = operation in ("add_account", "add_machine")
        if approval or (is_account and self.accounts.administrators() < FEWEST_ADMINISTRATORS):
            return work(administration)
        asked = administration.request(operation, arguments, reason or click.prompt("reason"))
        click.echo(
            f"request {asked}: another administrator runs `./cloudfilm keys approve {asked}` within four hours; "
            f"then repeat this with --approval {asked}"
        )
        return None


@click.group("account")
def account_group() -> None:
    """Accounts of people and programs: administrator, operator, auditor."""


@account_group.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]))
@click.option("--machine", is_flag=True, help="A program, known by its socket or certificate: an operator.")
@_APPROVAL
@_REASON
def add_account(name: str, role: str | None, machine: bool, approval: str, reason: str) -> None:
    """A new account. The first must be an administrator; from the third on another administrator approves it."""
    if machine == bool(role):
        raise Misconfigured(
            "say --role administrator, operator or auditor for a person, or --machine for a program"
        )
    room = KeyRoom()
    if not room.accounts.administrators():
        if role != Role.ADMINISTRATOR:
            raise Misconfigured("the first account must be an administrator: --role administrator")
        _show_enrolment(add_first_administrator(room.accounts, room.audit, name, _new_password(name)))
        return
    if machine:
        arguments = {"name": name, "role": Role.OPERATOR.value}
        room.with_second_person(
            "add_machine", arguments, approval, reason, lambda by: by.add_machine(name, approval)
        )
        return
    wanted = Role(role)
    uri = room.with_second_person(
        "add_account",
        {"name": name, "role": wanted.value},
        approval,
        reason,
        lambda by: by.add_account(name, wanted, _new_password(name), approval),
    )
    if uri:
        _show_enrolment(uri)


@account_group.command("list")
def list_accounts() -> None:
    """Every account, removed ones too; an administrator or auditor signs in."""
    room = KeyRoom()
    for account in room.inspection(sign_in(room.accounts)).accounts():
        marks = [
            word
            for word, holds in (
                ("machine", account.is_machine),
                ("locked", account.is_locked),
                ("removed", account.is_removed),
            )
            if holds
        ]
        click.echo(f"{account.name:32}  {account.role:13}  {' '.join(marks)}".rstrip())


@account_group.command("unlock")
@click.argument("name")
def unlock_account(name: str) -> None:
    """Open an account that five failures locked; an administrator signs in."""
    room = KeyRoom()
    room.administration(sign_in(room.accounts)).unlock_account(name)
    click.echo(f"account {name} is open")


@account_group.command("remove")
@click.argument("name")
@_APPROVAL
@_REASON
def remove_account(name: str, approval: str, reason: str) -> None:
    """End an account, with another administrator; its name is not given again."""
    KeyRoom().with_second_person(
        "remove_account", {"name": name}, approval, reason, lambda by: by.remove_account(name, approval)
    )


@click.command("destroy")
@click.argument("key_id")
@_APPROVAL
@_REASON
def destroy_key(key_id: str, approval: str, reason: str) -> None:
    """Destroy a key for ever, with another administrator: what only it opens is unreadable from then on."""
    why = reason or click.prompt("reason")
    KeyRoom().with_second_person(
        "destroy", {"key_id": key_id}, approval, why, lambda by: by.destroy(key_id, why, approval)
    )


@click.command("approvals")
def list_approvals() -> None:
    """Requests for a second person; an administrator or auditor signs in."""
    room = KeyRoom()
    for one in room.inspection(sign_in(room.accounts)).approvals():
        second = f", approved by {one.approved_by}" if one.approved_by else ""
        click.echo(
            f"{one.id}  {one.state:9}  {one.operation} {one.arguments}  by {one.requested_by}{second}: {one.reason}"
        )


@click.command("approve")
@click.argument("request")
def approve(request: str) -> None:
    """Say yes to another administrator's request, after reading it."""
    room = KeyRoom()
    session = sign_in(room.accounts)
    for one in room.inspection(session).approvals():
        if one.id == request:
            click.confirm(
                f"{one.requested_by} asks: {one.operation} {one.arguments}, {one.reason!r}. Approve?",
                abort=True,
            )
    done = room.administration(session).approve(request)
    click.echo(f"approved; {done.requested_by} does it until {done.expires_at[:16]} UTC")


@click.command("withdraw")
@click.argument("request")
def withdraw(request: str) -> None:
    """End a request, one's own or another's."""
    room = KeyRoom()
    room.administration(sign_in(room.accounts)).withdraw(request)
    click.echo(f"request {request} is withdrawn")


@click.group("audit")
def key_audit_group() -> None:
    """The record of every request to the keys."""


@key_audit_group.command("verify")
@click.option(
    "--kept", default="", help="A head that was kept elsewhere, as `audit head` printed it: NUMBER:HASH."
)
def verify_audit(kept: str) -> None:
    """Walk the SM3 chain; fails naming the first row that was altered. Needs no account, for the night."""
    count = KeyRoom().audit.verify(_head(kept) if kept else None)
    click.echo(f"the record of {count} requests is whole")


@key_audit_group.command("head")
def audit_head() -> None:
    """Number and hash of the newest row: keep it where those who have this machine cannot write."""
    number, row_hash = KeyRoom().audit.head()
    click.echo(f"{number}:{row_hash}")


@key_audit_group.command("list")
@click.option("--after", type=int, default=0, help="Go on after this number.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200)
def list_audit(after: int, limit: int) -> None:
    """Rows of the record; an auditor signs in."""
    room = KeyRoom()
    for row in room.inspection(sign_in(room.accounts)).events(after, limit):
        click.echo(_line(row))


COMMANDS: tuple[click.Command, ...] = (
    account_group,
    destroy_key,
    list_approvals,
    approve,
    withdraw,
    key_audit_group,
)


def _no_shares() -> bytes:
    raise Misconfigured("accounts and the record need no system key")


def _new_password(name: str) -> str:
    return str(click.prompt(f"new password of {name}", hide_input=True, confirmation_prompt=True))


def _show_enrolment(uri: str) -> None:
    """Once: whoever has it makes the codes."""
    click.echo("the person reads this into an authenticator app now; it is not shown again:")
    if sys.stdout.isatty():
        segno.make(uri, error="l").terminal(compact=True)
    click.echo(uri)


def _head(text: str) -> tuple[int, str]:
    number, _, row_hash = text.partition(":")
    if not number.isdigit() or len(row_hash) != 64:
        raise Misconfigured(f"--kept {text!r}: NUMBER:HASH as `keys audit head` prints it")
    return int(number), row_hash


def _line(row: Row) -> str:
    event = row.event
    items = f" ×{event.items}" if event.items != 1 else ""
    detail = f"  ({event.detail})" if event.detail else ""
    who = f"{event.account} ({event.role})"
    line = f"{row.seq:>8}  {row.at[:19]}  {who}  {event.operation}{items}  {event.subject}  {event.outcome}{detail}"
    # Names of failed sign-ins and of keys come from outside: a terminal must not obey them.
    return "".join(sign if sign.isprintable() else "�" for sign in line)
