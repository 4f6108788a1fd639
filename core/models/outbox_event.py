"""Work that a committed change owes to others (decision 1)."""

import peewee

from core.fields import UtcDateTimeField
from core.models.base import Record


class OutboxEvent(Record):
    """One piece of work. `state`: pending → done | parked. `stream` orders rows: only the oldest pending one runs."""

    kind = peewee.CharField(max_length=32)
    key = peewee.CharField(max_length=128)
    payload = peewee.TextField()
    stream = peewee.CharField(max_length=96, default="", index=True)
    state = peewee.CharField(max_length=8, default="pending")
    attempts = peewee.IntegerField(default=0)
    next_at = UtcDateTimeField()
    lease_until = UtcDateTimeField(null=True)
    last_error = peewee.CharField(max_length=500, default="")
    done_at = UtcDateTimeField(null=True)

    class Meta:
        """Work is asked for once; the relay reads by state and time."""

        indexes = ((("kind", "key"), True), (("state", "next_at"), False))
