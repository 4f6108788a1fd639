"""`./cloudfilm keys …`: keys made, opened, rotated, backed up and restored (docs/crypto-keys.md)."""

import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

import click

from app.commands.key_prompts import (
    Numbers,
    disk_errors_told,
    gather,
    give_shares,
    progress,
    require_private_output,
    show_shares,
    sign_in,
)
from app.custody import Custody, record_restore, recorded
from app.key_client import key_client
from core import clock, config
from core.errors import Misconfigured
from crypto.errors import KeyRefused, ServiceUnavailable
from crypto.roles.guard import Guard
from crypto.service import state_contract as service
from crypto.shamir import Purpose, split
from crypto.vault.archive import Opened, verify_key
from crypto.vault.backup_sets import BackupSets
from crypto.vault.records import KeyRecord, Kind
from crypto.vault.states import State
from crypto.vault.vault import DATA_KEK

_NO_TERMINAL = click.option(
    "--no-terminal",
    is_flag=True,
    help="Print shares into a pipe, without asking whether they are written down.",
)
_PATH = click.Path(path_type=Path, dir_okay=False)
LIST_LIMIT = 200


@click.group("keys")
def keys_group() -> None:
    """The keys of this installation: ceremony, shares, rotation, backup, restore."""


@keys_group.command("init")
@click.option("--shares", type=Numbers(), help="Split the system key: as 3/5, three of five people open it.")
@_NO_TERMINAL
def init(shares: tuple[int, int] | None, no_terminal: bool) -> None:
    """Make the vault. With CLOUDFILM_UNSEAL=shares its system key is shown once, in shares, and kept nowhere."""
    custody = _custody()
    if custody.has_vault:
        raise KeyRefused("this installation has keys; they are not made anew, for they open what is stored")
    custody.create(_new_system_key(custody, shares, no_terminal))
    click.echo("the vault is made; back it up now: `./cloudfilm keys backup PATH --new-shares 3/5`")


@keys_group.command("unseal")
def unseal() -> None:
    """Give shares to the key server until it opens."""
    custody = _custody()
    if not custody.needs_people:
        custody.unseal()
        click.echo("the vault opens; with these settings each process unseals itself")
        return
    client = key_client(config.load())
    if not client.ask(service.HEALTH, service.Health).sealed:
        click.echo("the key server is unsealed")
        return

    def give(share: str) -> bool:
        state = client.ask(service.UNSEAL, service.Unsealing, share=share.strip())
        click.echo(
            f"{state.given} of {state.needed} shares" if state.sealed else "the key server is unsealed"
        )
        return not state.sealed

    give_shares(give, Purpose.SYSTEM_KEY)


@keys_group.command("seal")
def seal() -> None:
    """Make the key server forget the system key; an administrator signs in."""
    settings = config.load()
    if not _custody().needs_people:
        raise Misconfigured(
            "each process unseals itself (CLOUDFILM_UNSEAL): stop the processes, and take away what unseals them"
        )
    account, password = click.prompt("account"), click.prompt("password", hide_input=True)
    code = click.prompt("code of the authenticator")
    visit = key_client(settings).ask(
        service.LOG_IN, service.LoggedIn, account=account, password=password, code=code
    )
    key_client(replace(settings, crypto_token=visit.token)).ask(service.SEAL, service.Unsealing)
    click.echo("the key server is sealed")


@keys_group.command("rotate")
@click.argument("name", default=DATA_KEK)
@click.option(
    "--system-key", is_flag=True, help="Another system key, and new shares: when a share is lost or known."
)
@click.option("--shares", type=Numbers(), help="With --system-key: how many shares, as 3/5.")
@_NO_TERMINAL
def rotate(name: str, system_key: bool, shares: tuple[int, int] | None, no_terminal: bool) -> None:
    """A new version of the key-encryption key NAME (data) seals from now on; `rewrap` brings what is stored under it."""
    custody = _custody()
    vault = custody.unseal()
    guard = custody.guard(sign_in)
    if system_key:
        new = _split(custody, shares, no_terminal) if custody.needs_people else custody.new_system_key()
        custody.change_system_key(guard, new)
        click.echo("the vault is under a new system key; processes that were unsealed must be unsealed anew")
        return
    version = guard.change("Administration.rotate_kek", name, lambda: vault.rotate_kek(name))
    click.echo(
        f"{name} version {version} seals from now on; make a backup, then `./cloudfilm keys rewrap {name}`"
    )


@keys_group.command("rewrap")
@click.argument("name", default=DATA_KEK)
def rewrap(name: str) -> None:
    """Bring what is stored under the newest version of NAME, for `data` the platform's rows too. Killed, it goes on."""
    custody = _custody()
    vault = custody.unseal()
    guard = custody.guard(sign_in)
    with progress(f"re-wrapping under {name}") as told:
        count = recorded(guard, "rewrap", name, lambda: vault.rewrap(name, told))
    click.echo(f"{count} keys came under {name} version {vault.kek_version(name)}")
    if name == DATA_KEK and custody.has_platform:
        _rewrap_platform(custody, guard)


@keys_group.command("backup")
@click.argument("path", type=_PATH)
@click.option("--new-shares", type=Numbers(), help="First make a new backup key and show its shares, as 3/5.")
@_NO_TERMINAL
def backup(path: Path, new_shares: tuple[int, int] | None, no_terminal: bool) -> None:
    """All keys into the archive PATH, sealed for the holders of the backup shares. Others may work meanwhile."""
    custody = _custody()
    custody.unseal()
    if path.exists():
        raise KeyRefused(f"{path} exists; it is not overwritten: name another file")
    if new_shares:
        require_private_output(no_terminal)
        guard = custody.guard(sign_in)
        ceremony = guard.change(
            "Administration.backup", "new shares", lambda: custody.backup.sets.begin(*new_shares)
        )
        show_shares(ceremony.shares, no_terminal)
        custody.backup.sets.finish(ceremony, clock.now().isoformat(timespec="seconds"))
    with disk_errors_told(path), progress("sealing", "reading back") as told:
        guard = custody.unattended_guard()
        manifest = recorded(guard, "backup", path.name, lambda: custody.backup.write(path, told))
    click.echo(
        f"{path}: {manifest.counts['keys']} keys, for {manifest.shares_needed} of the shares of set {manifest.share_set}"
    )
    click.echo(f"signed by {manifest.signer_fingerprint}: keep this with the shares")


@keys_group.command("verify")
@click.argument("path", type=_PATH)
def verify(path: Path) -> None:
    """Check the archive PATH: signature, digest, what it holds. Needs no secret and no vault."""
    _tell(_verified(_custody(), path))


@keys_group.command("restore")
@click.argument("path", type=_PATH)
@click.option(
    "--signer", default="", help="The fingerprint that was noted at the backup; another signer is refused."
)
@click.option("--shares", type=Numbers(), help="Of the new system key, with CLOUDFILM_UNSEAL=shares, as 3/5.")
@_NO_TERMINAL
def restore(path: Path, signer: str, shares: tuple[int, int] | None, no_terminal: bool) -> None:
    """The keys of the archive PATH onto this machine, which has none, under a new system key; asks for backup shares."""
    custody = _custody()
    target = custody.restore_target()
    archive = _verified(custody, path)
    _tell(archive)
    if signer and signer != archive.manifest.signer_fingerprint:
        raise KeyRefused(
            f"{path} was signed by {archive.manifest.signer_fingerprint}, not by {signer}: whose is it?"
        )
    backup_key = gather(Purpose.BACKUP_KEY)
    verify_key(archive, backup_key)
    system_key = _new_system_key(custody, shares, no_terminal)
    with disk_errors_told(path), progress("restoring") as told:
        target.restore(archive, backup_key, system_key, told, lambda vault: record_restore(vault, path.name))
    click.echo(f"{archive.manifest.counts['keys']} keys are here, under a new system key")


@keys_group.command("list")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]))
@click.option("--owner")
@click.option("--state", type=click.Choice([state.value for state in State]))
@click.option("--after", type=int, default=0, help="Go on after this number.")
def list_keys(kind: str | None, owner: str | None, state: str | None, after: int) -> None:
    """Keys without their secrets, oldest first, 200 at a time; also while sealed."""
    found = _custody().vault.records(
        kind=Kind(kind) if kind else None, owner=owner, state=State(state) if state else None, after=after
    )
    shown = list(islice(found, LIST_LIMIT + 1))
    for record in shown[:LIST_LIMIT]:
        click.echo(_line(record))
    if len(shown) > LIST_LIMIT:
        click.echo(f"there are more: --after {shown[LIST_LIMIT - 1].number}")


@keys_group.command("status")
def status() -> None:
    """How many keys there are, which shares open the archives, and whether the key server is unsealed."""
    settings, custody = config.load(), _custody()
    vault = custody.vault
    click.echo(f"vault {vault.set_id[:8]} at {settings.vault_path}, opened by {settings.unseal}")
    for (kind, state), count in vault.counts().items():
        click.echo(f"  {count:>8} {kind} {state}")
    click.echo(f"  {DATA_KEK} seals with version {vault.kek_version(DATA_KEK)}")
    standing = BackupSets(vault).standing()
    if standing:
        click.echo(
            f"  backups open with {standing.needed} of the {standing.made} shares of set {standing.share_set}, {standing.at}"
        )
    else:
        click.echo("  NO BACKUP: run `./cloudfilm keys backup PATH --new-shares 3/5`")
    if custody.needs_people:
        click.echo(f"  key server: {_server_state()}")


def _rewrap_platform(custody: Custody, guard: Guard) -> None:
    """Data keys of packs and sealed columns; what does not open is named, and the status is 1."""
    with progress("re-wrapping the platform's rows") as told:
        done = recorded(guard, "rewrap", "platform", lambda: custody.rewrap_platform(told))
    click.echo(f"{done.done} rows of the platform came under version {done.version}")
    for row in done.refused:
        click.echo(f"does not open, left as it is: {row}", err=True)
    if done.refused:
        sys.exit(1)


def _custody() -> Custody:
    return Custody(config.load(), lambda: gather(Purpose.SYSTEM_KEY))


def _new_system_key(custody: Custody, shares: tuple[int, int] | None, no_terminal: bool) -> bytes:
    """For a machine that has no vault yet: in its file, or in people's hands before anything is under it."""
    if custody.needs_people:
        return _split(custody, shares, no_terminal)
    if shares:
        raise Misconfigured("--shares is for CLOUDFILM_UNSEAL=shares; now nobody holds the system key")
    return custody.first_system_key()


def _split(custody: Custody, shares: tuple[int, int] | None, no_terminal: bool) -> bytes:
    if not shares:
        raise Misconfigured("say into how many shares the system key is split: --shares 3/5")
    require_private_output(no_terminal)
    key = custody.new_system_key()
    show_shares(split(key, *shares, Purpose.SYSTEM_KEY), no_terminal)
    return key


def _verified(custody: Custody, path: Path) -> Opened:
    if not path.exists():
        raise KeyRefused(f"{path}: there is no such archive")
    with disk_errors_told(path), progress("checking") as told:
        return custody.verify(path, told)


def _tell(archive: Opened) -> None:
    manifest = archive.manifest
    click.echo(
        f"{archive.path}: whole; {manifest.counts.get('keys', 0)} keys of vault {manifest.vault_id[:8]}, {manifest.made_at}"
    )
    click.echo(
        f"opens with {manifest.shares_needed} of {manifest.shares_made} shares of set {manifest.share_set}"
    )
    click.echo(f"signed by {manifest.signer_fingerprint}: compare it with what was noted at the backup")


def _line(record: KeyRecord) -> str:
    times = f"{record.created_at[:10]}{f' to {record.ended_at[:10]}' if record.ended_at else ''}"
    under = f" under {record.wrapped_by}/{record.wrapped_version}" if record.wrapped_by else ""
    what = f"{record.kind:3} {record.purpose:7} {record.state:11}"
    return f"{record.number:>8}  {record.id:32}  {what} {times}  {record.owner}{under}"


def _server_state() -> str:
    client = key_client(config.load(), is_patient=False)
    try:
        return "sealed" if client.ask(service.HEALTH, service.Health).sealed else "unsealed"
    except ServiceUnavailable as error:
        return str(error)
