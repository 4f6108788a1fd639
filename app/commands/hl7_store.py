"""`./cloudfilm hl7 stats|messages|show|replay-stored|prune`: looking after the messages of this installation."""

import getpass
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click

from app.platform import build_platform
from core import alarms, audit, config, db
from core.clock import now
from core.errors import CloudFilmError
from core.logs import mask_text
from core.models import InboundMessage
from hl7_engine import message_store, pruning, replaying
from hl7_engine.channel_report import PeerReport, report
from hl7_engine.explanation import Explanation, explain, masked
from hl7_engine.message_store import PROBLEM, STATES, Criteria
from hl7_engine.pruning import Retention
from workflow.context import Platform

_ZONE = ZoneInfo("Asia/Shanghai")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def stats(as_json: bool) -> None:
    """Show for each peer what came, what waits, what is owed, and what is wrong."""
    platform = build_platform(config.load())
    moment = now()
    with db.connection():
        peers = report(platform.site, moment)
        wrong = alarms.open_alarms()
    if as_json:
        found = {
            "peers": [_peer_data(peer) for peer in peers],
            "alarms": [
                {"kind": one.kind, "subject": one.subject, "text": one.text, "since": one.created_at}
                for one in wrong
            ],
        }
        click.echo(json.dumps(found, ensure_ascii=False, indent=1, default=_as_json))
        return
    for alarm in wrong:
        click.echo(f"ALARM {_local(alarm.created_at)}  {alarm.kind} {alarm.subject}: {alarm.text}")
    for peer in peers:
        for line in _peer_lines(peer, moment):
            click.echo(line)
    if not peers:
        click.echo("no message came in the last 24 hours, and none is owed")


@click.command()
@click.option("--patient", "patient_number", default="", help="Patient number.")
@click.option("--order", "order_number", default="", help="Order number.")
@click.option("--accession", "accession_number", default="", help="Accession number.")
@click.option("--peer", default="", help="MSH-3|MSH-4 of the sender.")
@click.option("--channel", default="", help="mllp, soap, rest, rabbitmq, redis, folder, view or file.")
@click.option("--type", "message_type", default="", help="ADT, or ADT^A04.")
@click.option(
    "--state", type=click.Choice([*STATES, PROBLEM]), default=None, help="problem: parked and refused."
)
@click.option("--hours", type=float, default=0, help="Of the last so many hours; 0: of any age.")
@click.option("--text", default="", help="A text inside the message.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--before", type=int, default=0, help="Go on before this id, as the last line says.")
def messages(state: str | None, hours: float, limit: int, before: int, **words: str) -> None:
    """List stored messages, the newest first."""
    build_platform(config.load())
    since = now() - timedelta(hours=hours) if hours else None
    with db.connection():
        page = message_store.search(
            Criteria(**words, state=state or "", since=since), before=before, limit=limit
        )
    for row in page.rows:
        click.echo(_row_line(row))
    if page.looked:
        click.echo(f"looked into {page.looked} messages")
    if page.next_before:
        click.echo(f"there are older ones: --before {page.next_before}")


@click.command()
@click.argument("message_id", type=int)
@click.option("--masked/--plain", "is_masked", default=True, help="--plain shows all of it, and is audited.")
def show(message_id: int, is_masked: bool) -> None:
    """Lay one message open: its segments, the names of its fields, and what is read from them."""
    platform = build_platform(config.load())
    with db.transaction():
        row = message_store.find(message_id)
        explanation = explain(row, platform.site)
        if not is_masked:
            audit.append(_actor(), "read_message", replaying.subject_of(message_id))
    click.echo(_row_line(row))
    for line in _explained(masked(explanation) if is_masked else explanation):
        click.echo(line)


@click.command("replay-stored")
@click.argument("message_ids", type=int, nargs=-1, required=True)
@click.option("--reason", required=True, help="Why, for the access record.")
def replay_stored(message_ids: tuple[int, ...], reason: str) -> None:
    """Have stored messages acted upon again."""
    platform = build_platform(config.load())
    with db.connection():
        for message_id in message_ids:
            try:
                receipt = replaying.replay(message_id, _actor(), reason, site=platform.site)
            except CloudFilmError as error:
                click.echo(f"{message_id}: {error}")
                continue
            as_other = f" as {receipt.message_id}" if receipt.message_id != message_id else ""
            told = f": {receipt.reason}" if receipt.reason else ""
            click.echo(f"{message_id}: {receipt.state}{as_other}{told}")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say how many there are.")
def prune(dry_run: bool) -> None:
    """Delete messages that are past their time (CLOUDFILM_MESSAGE_DAYS). The relay does it every day."""
    platform = build_platform(config.load())
    moment = now()
    with db.connection():
        found = pruning.prunable(_retention(platform), moment)
        click.echo(
            f"past their time: {found.done} handled or ignored, {found.problems} parked or refused; "
            f"content of {found.outgoing} sent"
        )
        if not dry_run:
            total = 0
            while number := pruning.prune(_retention(platform), moment):
                total += number
            click.echo(f"deleted: {total}")


COMMANDS = (stats, messages, show, replay_stored, prune)


def _retention(platform: Platform) -> Retention:
    return Retention(platform.settings.message_days, platform.settings.message_problem_days)


def _actor() -> str:
    """Who is at the keyboard, for the access record."""
    return f"cli:{getpass.getuser()}"[:96]


def _peer_lines(peer: PeerReport, moment: datetime) -> Iterator[str]:
    last = f"last {_local(peer.last_at)}" if peer.last_at else "nothing in 24 hours"
    yield f"{peer.name}: {last}, {peer.per_minute:g} per minute, waiting {peer.waiting}{_age(peer.oldest_at, moment)}"
    for channel in peer.channels:
        counts = ", ".join(f"{name} {count}" for name, count in sorted(channel.day.items())) or "none"
        yield f"  {channel.sender} by {channel.channel}: today {counts}; 24 hours {sum(channel.last_day.values())}"
    if peer.owed.queued or peer.owed.parked:
        yield f"  owed {peer.owed.queued}{_age(peer.owed.oldest_at, moment)}, parked {peer.owed.parked}"


def _peer_data(peer: PeerReport) -> dict[str, Any]:
    return {
        "name": peer.name,
        "per_minute": peer.per_minute,
        "last_at": peer.last_at,
        "waiting": peer.waiting,
        "oldest_at": peer.oldest_at,
        "owed": {
            "queued": peer.owed.queued,
            "oldest_at": peer.owed.oldest_at,
            "parked": peer.owed.parked,
        },
        "channels": [vars(channel) for channel in peer.channels],
    }


def _age(since: datetime | None, moment: datetime) -> str:
    return f" (the oldest for {int((moment - since).total_seconds() // 60)} min)" if since else ""


def _row_line(row: InboundMessage) -> str:
    numbers = " ".join(filter(None, (row.patient_number, row.order_number, row.accession_number)))
    told = row.error or row.outcome
    return mask_text(
        f"{row.id}  {_local(row.created_at)}  {row.state}  {row.peer} {row.channel}  {row.message_type} "
        f"{row.control_id}  {numbers}  {told}".rstrip()
    )


def _explained(explanation: Explanation) -> Iterator[str]:
    for segment in explanation.segments:
        yield f"{segment.name} {segment.title}".rstrip()
        for field in segment.fields:
            read = f"  ← {', '.join(field.facts)}" if field.facts else ""
            values = "; ".join(f"{part.path}={part.value}" for part in field.parts)
            yield f"  {field.path} {field.name}: {values}{read}"
    if explanation.text:
        yield explanation.text


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(_ZONE):%F %T}"


def _as_json(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{type(value).__name__} in the report")
