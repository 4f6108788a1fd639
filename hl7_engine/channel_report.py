"""How the traffic of each peer stands, by channel: counts, rate, what waits, what is owed. For pages and `hl7 stats`."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import peewee

from core.models import InboundMessage, MessageCount
from hl7_engine import outgoing_store
from hl7_engine.message_age import first_id_since
from hl7_engine.outgoing_store import Depth
from hl7_engine.site import ANYBODY, Site

HOURS = 24
RATE_MINUTES = 5
# The day of the counts is the hospital's.
_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass
class Channel:
    """One way of one sender. `day` counts by outcome since midnight, `last_day` over 24 hours, `hourly` oldest first."""

    sender: str
    channel: str
    day: Counter[str] = field(default_factory=Counter)
    last_day: Counter[str] = field(default_factory=Counter)
    hourly: list[int] = field(default_factory=lambda: [0] * HOURS)
    per_minute: float = 0.0
    last_at: datetime | None = None
    waiting: int = 0
    oldest_at: datetime | None = None


@dataclass
class PeerReport:
    """One peer of the site, or a sender that the site's file does not name (`is_known` is false)."""

    name: str
    is_known: bool = False
    channels: list[Channel] = field(default_factory=list)
    owed: Depth = field(default_factory=Depth)

    @property
    def day(self) -> Counter[str]:
        """Counts by outcome since midnight, over all channels."""
        return sum((channel.day for channel in self.channels), Counter())

    @property
    def last_day(self) -> Counter[str]:
        """Counts by outcome over the last 24 hours, over all channels."""
        return sum((channel.last_day for channel in self.channels), Counter())

    @property
    def hourly(self) -> list[int]:
        """Messages in each of the last 24 hours, the oldest first."""
        return [sum(hour) for hour in zip(*(channel.hourly for channel in self.channels), strict=True)]

    @property
    def per_minute(self) -> float:
        """Messages per minute over the last few."""
        return sum(channel.per_minute for channel in self.channels)

    @property
    def last_at(self) -> datetime | None:
        """When the newest message came; None when none is known."""
        return max(_known(channel.last_at for channel in self.channels), default=None)

    @property
    def waiting(self) -> int:
        """How many messages wait for the drain."""
        return sum(channel.waiting for channel in self.channels)

    @property
    def oldest_at(self) -> datetime | None:
        """Since when the oldest of them waits."""
        return min(_known(channel.oldest_at for channel in self.channels), default=None)


def report(site: Site, moment: datetime) -> list[PeerReport]:
    """All peers: the senders of the site's file in its order, then the others by name, then those that we only owe."""
    channels: dict[tuple[str, str], Channel] = {}
    _count(channels, moment)
    _add_waiting(channels)
    _add_rates(channels, moment)
    named = [peer.name for peer in site.peers if peer.sender and peer.sender != ANYBODY]
    peers = {name: PeerReport(name, is_known=True) for name in named}
    for channel in sorted(channels.values(), key=lambda one: (one.sender, one.channel)):
        name = _peer_name(site, channel.sender)
        # A site that names nobody has no strangers.
        peers.setdefault(name, PeerReport(name, is_known=not named)).channels.append(channel)
    for name, depth in sorted(outgoing_store.depths().items()):
        peers.setdefault(name, PeerReport(name, is_known=True)).owed = depth
    return list(peers.values())


def _peer_name(site: Site, sender: str) -> str:
    peer = site.peer_of(sender)
    return sender if peer.sender == ANYBODY or peer.name == ANYBODY else peer.name


def _channel(channels: dict[tuple[str, str], Channel], sender: str, channel: str) -> Channel:
    return channels.setdefault((sender, channel), Channel(sender, channel))


def _count(channels: dict[tuple[str, str], Channel], moment: datetime) -> None:
    hour = moment.replace(minute=0, second=0, microsecond=0)
    first = hour - timedelta(hours=HOURS - 1)
    # The zone is whole hours from UTC, so a day begins where an hour does.
    midnight = moment.astimezone(_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = MessageCount.select(
        MessageCount.peer,
        MessageCount.channel,
        MessageCount.hour,
        MessageCount.outcome,
        MessageCount.count,
        MessageCount.last_at,
    ).where(MessageCount.hour >= first)
    for row in rows:
        found = _channel(channels, row.peer, row.channel)
        found.last_day[row.outcome] += row.count
        if row.hour >= midnight:
            found.day[row.outcome] += row.count
        place = int((row.hour - first) / timedelta(hours=1))
        if place < HOURS:
            found.hourly[place] += row.count
        found.last_at = max(_known((found.last_at, row.last_at)))


def _add_waiting(channels: dict[tuple[str, str], Channel]) -> None:
    rows: Any = (
        InboundMessage.select(
            InboundMessage.peer,
            InboundMessage.channel,
            peewee.fn.COUNT(InboundMessage.id),
            peewee.fn.MIN(InboundMessage.created_at),
            peewee.fn.MAX(InboundMessage.created_at),
        )
        .where(InboundMessage.state == "received")
        .group_by(InboundMessage.peer, InboundMessage.channel)
        .tuples()
    )
    for sender, channel, count, oldest_at, newest_at in rows:
        found = _channel(channels, sender, channel)
        found.waiting, found.oldest_at = count, oldest_at
        found.last_at = max(_known((found.last_at, newest_at)))


def _add_rates(channels: dict[tuple[str, str], Channel], moment: datetime) -> None:
    since = moment - timedelta(minutes=RATE_MINUTES)
    rows: Any = (
        InboundMessage.select(InboundMessage.peer, InboundMessage.channel, peewee.fn.COUNT(InboundMessage.id))
        .where(InboundMessage.id >= first_id_since(since), InboundMessage.created_at >= since)
        .group_by(InboundMessage.peer, InboundMessage.channel)
        .tuples()
    )
    for sender, channel, count in rows:
        _channel(channels, sender, channel).per_minute = count / RATE_MINUTES


def _known(moments: Iterable[datetime | None]) -> list[datetime]:
    return [moment for moment in moments if moment is not None]
