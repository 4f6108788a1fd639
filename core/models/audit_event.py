"""Every access to a person's data, in an SM3 hash chain (F10, E25)."""

import peewee

from core.fields import UtcDateTimeField
from core.models.base import Record


class AuditEvent(Record):
    """Row `seq` of the chain: `row_hash` = SM3(`previous_hash` ‖ canonical JSON of the other columns)."""

    seq = peewee.BigIntegerField(unique=True)
    at = UtcDateTimeField(index=True)
    actor = peewee.CharField(max_length=96)
    action = peewee.CharField(max_length=32)
    subject = peewee.CharField(max_length=96, index=True)
    address = peewee.CharField(max_length=64, default="")
    detail = peewee.TextField(default="{}")
    previous_hash = peewee.CharField(max_length=64)
    row_hash = peewee.CharField(max_length=64)


class AuditHead(Record):
    """The one row that writers lock: sequence number and hash of the newest event."""

    seq = peewee.BigIntegerField()
    row_hash = peewee.CharField(max_length=64)
