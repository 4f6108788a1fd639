"""Messages between hospital systems and us, as they were: stored before they are acknowledged (decision 2, 7)."""

import peewee

from core.fields import SealedBytesField, UtcDateTimeField
from core.models.base import Record


class InboundMessage(Record):
    """One received message, and the work that it causes: the inbox is its own queue (ADR 5).

    `state`: received → handled | ignored (tells nothing that concerns us) | parked (could not be applied); refused (never
    acknowledged). Parked or refused → corrected, when a copy that a person mended has had its effect.

    `format`: er7 | v3 | json. `origin_id`: the message that this one corrects. What it is about (`order_number` …) is filled
    in when it is handled.
    """

    peer = peewee.CharField(max_length=64)
    channel = peewee.CharField(max_length=16, default="mllp")
    format = peewee.CharField(max_length=4, default="er7")
    address = peewee.CharField(max_length=64, default="")
    control_id = peewee.CharField(max_length=64)
    message_type = peewee.CharField(max_length=32, default="")
    charset = peewee.CharField(max_length=16, default="")
    body = SealedBytesField()
    body_sm3 = peewee.CharField(max_length=64)
    state = peewee.CharField(max_length=10, default="received")
    error = peewee.CharField(max_length=500, default="")
    attempts = peewee.IntegerField(default=0)
    next_at = UtcDateTimeField(null=True)
    stream = peewee.CharField(max_length=40, default="")
    order_number = peewee.CharField(max_length=64, null=True)
    accession_number = peewee.CharField(max_length=64, null=True)
    patient_number = peewee.CharField(max_length=64, null=True)
    outcome = peewee.CharField(max_length=128, default="")
    origin_id = peewee.BigIntegerField(null=True)
    handled_at = UtcDateTimeField(null=True)

    class Meta:
        """The same control id with another body is another message (sender bug seen in the field)."""

        indexes = ((("peer", "control_id", "body_sm3"), True), (("state", "id"), False))


# Only handled messages have these: a row that is just being stored pays for none of the three.
for _column in (InboundMessage.order_number, InboundMessage.accession_number, InboundMessage.patient_number):
    InboundMessage.add_index(_column, where=_column.is_null(False))


class OutboundMessage(Record):
    """One message that we owe a peer. `key` makes it once; `state`: queued → sent | parked (the peer does not want it)."""

    peer = peewee.CharField(max_length=64)
    key = peewee.CharField(max_length=96, unique=True)
    message_type = peewee.CharField(max_length=32)
    control_id = peewee.CharField(max_length=20, unique=True)
    body = SealedBytesField()
    state = peewee.CharField(max_length=10, default="queued", index=True)
    error = peewee.CharField(max_length=500, default="")
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


class MessageCount(Record):
    """How many messages of a kind came from a peer within one hour: kept when the messages themselves are pruned."""

    peer = peewee.CharField(max_length=64)
    channel = peewee.CharField(max_length=16)
    hour = UtcDateTimeField()
    message_type = peewee.CharField(max_length=32)
    outcome = peewee.CharField(max_length=10)
    count = peewee.IntegerField(default=0)
    last_at = UtcDateTimeField()

    class Meta:
        """One row per hour and kind."""

        indexes = ((("hour", "peer", "channel", "message_type", "outcome"), True),)


class ConnectorPosition(Record):
    """How far a connector has read in a source that forgets nothing (a database view)."""

    name = peewee.CharField(max_length=64, unique=True)
    position = peewee.TextField(default="")
