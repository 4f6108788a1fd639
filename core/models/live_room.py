"""Rooms in which several people look at one exam together (K4)."""

import peewee

from core.clock import now
from core.fields import UtcDateTimeField
from core.models.access import Session
from core.models.base import Record
from core.models.exam import Exam


class LiveRoom(Record):
    """Who knows its token and may open the exam may enter; only the SM3 of the token is kept.

    It is over when it was closed, at `expires_at`, or when nobody has been in it for a while since `used_at`.
    """

    token_sm3 = peewee.CharField(max_length=64, unique=True)
    exam = peewee.ForeignKeyField(Exam, on_delete="CASCADE")
    owner = peewee.ForeignKeyField(Session, on_delete="CASCADE")
    used_at = UtcDateTimeField(default=now)
    expires_at = UtcDateTimeField()
    closed_at = UtcDateTimeField(null=True)
