"""What was told to a patient, by which way, and what the provider answered (E1, E4)."""

import peewee

from core.fields import UtcDateTimeField
from core.models.base import Record
from core.models.exam import Exam


class Notification(Record):
    """Once per exam, kind and channel. `state`: queued → sent | failed."""

    exam = peewee.ForeignKeyField(Exam, backref="notifications")
    kind = peewee.CharField(max_length=16)
    channel = peewee.CharField(max_length=16)
    state = peewee.CharField(max_length=8, default="queued")
    provider_reference = peewee.CharField(max_length=96, default="")
    error = peewee.CharField(max_length=300, default="")
    sent_at = UtcDateTimeField(null=True)

    class Meta:
        """One per channel."""

        indexes = ((("exam", "kind", "channel"), True),)
