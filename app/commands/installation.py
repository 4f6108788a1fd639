"""Commands of one installation: setup, preflight, messages, audit, unseal."""

import sys
from pathlib import Path

import click

from app import preflight as checks
from app.installation import set_up
from app.platform import build_platform
from core import audit, config, db, outbox
from core.errors import NotFound
from core.models import InboundMessage, IntakeProblem, OutboxEvent, Pack, Study

LIST_LIMIT = 200


@click.command()
def setup() -> None:
    """Create keys, tables and price list where they are missing."""
    made = set_up(config.load())
    for line in made or ["nothing to do: keys, tables and price list are there"]:
        click.echo(line)


@click.command()
def preflight() -> None:
    """Say what is wrong with this installation and what to do about it."""
    findings = checks.examine(config.load())
    for finding in findings:
        click.echo(f"{'ok  ' if finding.is_ok else 'FAIL'}  {finding.subject}: {finding.text}")
    if not all(finding.is_ok for finding in findings):
        sys.exit(1)


@click.command()
@click.option("--retry", "retry_id", type=int, help="Put one parked piece of work back, by its number.")
def messages(retry_id: int | None) -> None:
    """List what came and could not be used, and what waits for a person."""
    build_platform(config.load())
    with db.connection():
        if retry_id is not None:
            if not outbox.retry(retry_id):
                raise NotFound(f"no parked work {retry_id}: `./cloudfilm messages` lists the numbers")
            click.echo(f"work {retry_id} will run again")
            return
        lines = [*_problems(), *_messages(), *_parked_work(), *_unmatched()]
    for line in lines or ["nothing waits for a person"]:
        click.echo(line)


@click.group("audit")
def audit_group() -> None:
    """The access record."""


@audit_group.command("verify")
def audit_verify() -> None:
    """Walk the SM3 chain; fails naming the first row that was altered."""
    db.connect(config.load().database)
    with db.connection():
        count = audit.verify()
        seq, row_hash = audit.head()
    click.echo(f"audit chain of {count} events is whole; head {seq} {row_hash}")


@click.command()
@click.option("--series", "series_uid", default="", help="One Series Instance UID; all packs when not given.")
@click.option(
    "--out", "target", type=click.Path(path_type=Path), required=True, help="Directory for the ZIP files."
)
def unseal(series_uid: str, target: Path) -> None:
    """Open sealed packs into plain ZIP files of standard DICOM."""
    from core.models import Series
    from workflow.hand_back import unseal_pack

    platform = build_platform(config.load())
    target.mkdir(parents=True, exist_ok=True)
    with db.connection():
        packs = Pack.select().join(Series).order_by(Pack.id)
        if series_uid:
            packs = packs.where(Series.series_uid == series_uid)
        found = list(packs)
        if not found:
            raise NotFound(f"no pack of series {series_uid or '(any)'}")
        for pack in found:
            path = target / f"{pack.series.series_uid}-{pack.generation}.zip"
            unseal_pack(platform, pack, path)
            click.echo(str(path))


def _problems() -> list[str]:
    rows = IntakeProblem.select().where(IntakeProblem.resolved_at.is_null()).order_by(IntakeProblem.id.desc())
    return [
        f"{row.created_at:%F %T}  {row.source}  {row.peer}  {row.text}  {row.kept_at}"
        for row in rows.limit(LIST_LIMIT)
    ]


def _messages() -> list[str]:
    rows = InboundMessage.select().where(InboundMessage.state.in_(["parked", "refused"]))
    return [
        f"{row.created_at:%F %T}  hl7 {row.state}  {row.peer}  {row.message_type} {row.control_id}: {row.error}"
        for row in rows.order_by(InboundMessage.id.desc()).limit(LIST_LIMIT)
    ]


def _parked_work() -> list[str]:
    rows = OutboxEvent.select().where(OutboxEvent.state == "parked").order_by(OutboxEvent.id.desc())
    return [
        f"{row.created_at:%F %T}  work {row.id} parked  {row.kind} {row.key}: {row.last_error}"
        for row in rows.limit(LIST_LIMIT)
    ]


def _unmatched() -> list[str]:
    rows = Study.select().where(Study.exam.is_null()).order_by(Study.id.desc())
    return [
        f"{row.created_at:%F %T}  study {row.study_uid} belongs to no exam (accession number {row.accession_number!r})"
        for row in rows.limit(LIST_LIMIT)
    ]
