"""Messages by age without an index on their time: ids are given in the order of arrival, so time is found by halving."""

from datetime import datetime, timedelta

import peewee

from core.models import InboundMessage

# A row's time is taken before its id, and a writer may wait for the database in between.
SLACK = timedelta(minutes=2)


def first_id_since(moment: datetime) -> int:
    """An id below which every message is older than `moment`; those above it may be a little older, too."""
    cutoff = moment - SLACK
    newest = InboundMessage.select(peewee.fn.MAX(InboundMessage.id)).scalar()
    low, high = 0, (newest or 0) + 1
    while low < high:
        middle = (low + high) // 2
        # Pruning leaves gaps: the next row that is there.
        found = (
            InboundMessage.select(InboundMessage.id, InboundMessage.created_at)
            .where(InboundMessage.id >= middle)
            .order_by(InboundMessage.id)
            .first()
        )
        if found is None or found.created_at >= cutoff:
            high = middle
        else:
            low = found.id + 1
    return low
