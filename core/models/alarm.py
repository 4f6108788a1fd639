"""What is wrong now, and what was: one row per episode, from its start to its end (S5)."""

import peewee

from core.fields import UtcDateTimeField
from core.models.base import Record


class Alarm(Record):
    """`created_at` is the start. While it lasts, `open_key` holds `kind:subject`; afterwards it is empty."""

    kind = peewee.CharField(max_length=32)
    subject = peewee.CharField(max_length=96)
    text = peewee.CharField(max_length=500)
    open_key = peewee.CharField(max_length=130, null=True, unique=True)
    ended_at = UtcDateTimeField(null=True)
