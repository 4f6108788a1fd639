"""The film fee (S3, P6▲). All money is integer fen; the HIS fee line id is the key of money."""

import peewee

from core.fields import UtcDateTimeField
from core.models.base import Record
from core.models.exam import Exam


class PriceItem(Record):
    """One line of the price catalogue with its validity; `valid_to` is exclusive and may be open."""

    code = peewee.CharField(max_length=32)
    name = peewee.CharField(max_length=64)
    amount_fen = peewee.BigIntegerField()
    valid_from = UtcDateTimeField()
    valid_to = UtcDateTimeField(null=True)

    class Meta:
        """One line per code and begin."""

        indexes = ((("code", "valid_from"), True),)


class Charge(Record):
    """One film fee line. `choice`: charge | waived | included; `state`: unpaid → paid → refunded; unpaid → cancelled."""

    fee_line_id = peewee.CharField(max_length=64, unique=True)
    placer_order_number = peewee.CharField(max_length=64, default="", index=True)
    exam = peewee.ForeignKeyField(Exam, null=True, backref="charges")
    exam_id: int | None
    item_code = peewee.CharField(max_length=32)
    amount_fen = peewee.BigIntegerField()
    collect_on_behalf = peewee.BooleanField(default=True)
    choice = peewee.CharField(max_length=8, default="charge")
    state = peewee.CharField(max_length=10, default="unpaid", index=True)
    paid_at = UtcDateTimeField(null=True)
    refunded_fen = peewee.BigIntegerField(default=0)
    channel = peewee.CharField(max_length=16, default="")


class Settlement(Record):
    """One payment or refund (`kind`) as it was told. `state`: waiting (for its line) → accepted | parked (see `reason`)."""

    kind = peewee.CharField(max_length=7, default="payment")
    source = peewee.CharField(max_length=32)
    key = peewee.CharField(max_length=64)
    fee_line_id = peewee.CharField(max_length=64, index=True)
    amount_fen = peewee.BigIntegerField()
    channel = peewee.CharField(max_length=16, default="")
    external_number = peewee.CharField(max_length=64, default="")
    paid_at = UtcDateTimeField()
    state = peewee.CharField(max_length=10)
    reason = peewee.CharField(max_length=200, default="")
    body_sm3 = peewee.CharField(max_length=64)

    class Meta:
        """A source tells each payment under one key."""

        indexes = ((("source", "key"), True),)


class LedgerEntry(Record):
    """Append-only double entry: each settlement writes lines whose debits equal their credits."""

    settlement = peewee.ForeignKeyField(Settlement, backref="entries")
    account = peewee.CharField(max_length=32)
    debit_fen = peewee.BigIntegerField(default=0)
    credit_fen = peewee.BigIntegerField(default=0)
