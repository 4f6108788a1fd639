"""Looks every minute whether messages flow: an alarm when something begins to be wrong, its end when it is well again (S5).

Everything is read from the rows and from the moment that is given, nothing is remembered: a restart changes nothing.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import peewee

from core import alarms, db
from core.models import InboundMessage, MessageCount
from hl7_engine import outgoing_store
from hl7_engine.drain import REUSED_CONTROL_ID
from hl7_engine.site import ANYBODY, Peer, Site

PEER_SILENT = "peer_silent"
BACKLOG = "message_backlog"
OUTGOING_PARKED = "outgoing_parked"
OUTGOING_LATE = "outgoing_late"
# Alarms of states that are seen here; each ends when it is not seen any more.
WATCHED = (PEER_SILENT, BACKLOG, OUTGOING_PARKED, OUTGOING_LATE)

BACKLOG_MINUTES = 5
BACKLOG_MESSAGES = 1_000
OUTGOING_LATE_MINUTES = 15
REUSED_CONTROL_ID_HOURS = 1
# The one inbox of all peers.
INBOX = "inbox"


def look(site: Site, moment: datetime) -> int:
    """Begin the alarms of what is wrong at `moment`, end those of what is not any more. Returns 0: enough for now."""
    with db.transaction():
        wrong = {(kind, subject): text for kind, subject, text in _findings(site, moment)}
        for alarm in alarms.open_alarms():
            over = alarm.kind in WATCHED and (alarm.kind, alarm.subject) not in wrong
            if over or _is_past(alarm, moment):
                alarms.end(alarm.kind, alarm.subject)
        for (kind, subject), text in wrong.items():
            alarms.begin(kind, subject, text)
    return 0


def _is_past(alarm: alarms.Alarm, moment: datetime) -> bool:
    """What happens at one moment and has no end of its own is shown for a while."""
    shown = timedelta(hours=REUSED_CONTROL_ID_HOURS)
    return alarm.kind == REUSED_CONTROL_ID and alarm.created_at <= moment - shown


def _findings(site: Site, moment: datetime) -> Iterator[tuple[str, str, str]]:
    """(kind, subject, text) of everything that is wrong."""
    for peer in site.peers:
        if peer.silent_minutes and peer.sender and not _was_heard(peer, site, moment):
            yield PEER_SILENT, peer.name, f"{peer.name} 已超过 {peer.silent_minutes} 分钟没有发来消息"
    yield from _backlog(moment)
    late = moment - timedelta(minutes=OUTGOING_LATE_MINUTES)
    for name, depth in outgoing_store.depths().items():
        if depth.parked:
            yield OUTGOING_PARKED, name, f"{name} 有 {depth.parked} 条外发消息搁置，需要人工处理"
        if depth.oldest_at and depth.oldest_at <= late:
            yield (
                OUTGOING_LATE,
                name,
                f"{name} 有 {depth.queued} 条外发消息未送达，最早的已等待 {_minutes(moment - depth.oldest_at)}",
            )


def _backlog(moment: datetime) -> Iterator[tuple[str, str, str]]:
    count, oldest_at = (
        InboundMessage.select(peewee.fn.COUNT(InboundMessage.id), peewee.fn.MIN(InboundMessage.created_at))
        .where(InboundMessage.state == "received")
        .scalar(as_tuple=True)
    )
    if not count:
        return
    age = moment - oldest_at
    if count > BACKLOG_MESSAGES or age > timedelta(minutes=BACKLOG_MINUTES):
        yield BACKLOG, INBOX, f"有 {count:,} 条消息等待处理，最早的已等待 {_minutes(age)}"


def _was_heard(peer: Peer, site: Site, moment: datetime) -> bool:
    """Whether something came since: counted as handled or refused, or still waiting.

    The counters of earlier hours are left out: a replay of an old message counts there, and is not heard from the peer.
    """
    since = moment - timedelta(minutes=peer.silent_minutes)
    hour = since.replace(minute=0, second=0, microsecond=0)
    counted = MessageCount.select().where(
        MessageCount.hour >= hour, MessageCount.last_at >= since, _is_of(peer, site, MessageCount.peer)
    )
    waiting = InboundMessage.select(InboundMessage.id).where(
        InboundMessage.state == "received",
        InboundMessage.created_at >= since,
        _is_of(peer, site, InboundMessage.peer),
    )
    return bool(counted.exists() or waiting.exists())


def _is_of(peer: Peer, site: Site, column: peewee.Field) -> peewee.Expression:
    if peer.sender != ANYBODY:
        return column == peer.sender
    return column.not_in([other.sender for other in site.peers if other.sender != ANYBODY])


def _minutes(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    return f"{minutes} 分钟" if minutes < 120 else f"{minutes // 60} 小时"
