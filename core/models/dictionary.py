"""The hospital's code tables as its HIS tells them (MFN): staff, locations, items, prices."""

import peewee

from core.fields import UtcDateTimeField
from core.models.base import Record


class DictionaryItem(Record):
    """One entry. `kind`: staff | location | item | price | other."""

    kind = peewee.CharField(max_length=16)
    code = peewee.CharField(max_length=64)
    name = peewee.CharField(max_length=128, default="")
    is_active = peewee.BooleanField(default=True)
    said_at = UtcDateTimeField()

    class Meta:
        """One entry per code."""

        indexes = ((("kind", "code"), True),)
