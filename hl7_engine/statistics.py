"""How much came from whom: counted by the hour as messages are handled, and kept when they are pruned."""

from collections import Counter
from datetime import datetime
from typing import NamedTuple

from core.clock import now
from core.models import InboundMessage, MessageCount


class Kind(NamedTuple):
    """What is counted together."""

    hour: datetime
    peer: str
    channel: str
    message_type: str
    outcome: str


def kind_of(row: InboundMessage, outcome: str) -> Kind:
    """Where a message counts: in the hour in which it came."""
    hour = row.created_at.replace(minute=0, second=0, microsecond=0)
    return Kind(hour, row.peer, row.channel, row.message_type, outcome)


def add(counts: Counter[Kind]) -> None:
    """Add to the counters, in the transaction of what is counted."""
    moment = now()
    for kind, number in sorted(counts.items()):
        MessageCount.insert(**kind._asdict(), count=number, last_at=moment, created_at=moment).on_conflict(
            conflict_target=[
                MessageCount.hour,
                MessageCount.peer,
                MessageCount.channel,
                MessageCount.message_type,
                MessageCount.outcome,
            ],
            update={MessageCount.count: MessageCount.count + number, MessageCount.last_at: moment},
        ).execute()
