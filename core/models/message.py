"""Messages between hospital systems and us, as they were: stored before they are acknowledged (decision 2, 7)."""

import peewee

from core.fields import SealedBytesField, UtcDateTimeField
from core.models.base import Record


class InboundMessage(Record):
    """One received HL7 message. `state`: received → handled | parked (could not be applied) ; refused (never ACKed AA)."""

    peer = peewee.CharField(max_length=64)
    control_id = peewee.CharField(max_length=64)
    message_type = peewee.CharField(max_length=32, default="")
    charset = peewee.CharField(max_length=16, default="")
    body = SealedBytesField()
    body_sm3 = peewee.CharField(max_length=64)
    state = peewee.CharField(max_length=10, default="received", index=True)
    error = peewee.CharField(max_length=500, default="")
    handled_at = UtcDateTimeField(null=True)

    class Meta:
        """The same control id with another body is another message (sender bug seen in the field)."""

        indexes = ((("peer", "control_id", "body_sm3"), True),)


class OutboundMessage(Record):
    """One message that we owe a peer. `key` makes it once; `state`: queued → sent."""

    peer = peewee.CharField(max_length=64)
    key = peewee.CharField(max_length=96, unique=True)
    message_type = peewee.CharField(max_length=32)
    control_id = peewee.CharField(max_length=20, unique=True)
    body = SealedBytesField()
    state = peewee.CharField(max_length=10, default="queued", index=True)
    ack_code = peewee.CharField(max_length=2, default="")
    sent_at = UtcDateTimeField(null=True)


class IntakeProblem(Record):
    """Something that came and could not be used, for a person to look at; `reference` makes it once."""

    source = peewee.CharField(max_length=16)
    reference = peewee.CharField(max_length=128)
    peer = peewee.CharField(max_length=64, default="")
    text = peewee.CharField(max_length=500)
    kept_at = peewee.CharField(max_length=255, default="")
    resolved_at = UtcDateTimeField(null=True)

    class Meta:
        """Once per source and reference."""

        indexes = ((("source", "reference"), True),)
