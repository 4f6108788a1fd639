"""What the first second of a film needs, kept in the database so that no store is asked for it (K2)."""

import peewee

from core.fields import SealedBytesField
from core.models.base import Record
from core.models.study import Pack


class PackView(Record):
    """The frame table (gzip JSON) and pictures (WebP) of one pack, sealed because they show a person."""

    pack = peewee.ForeignKeyField(Pack, unique=True, backref="view", on_delete="CASCADE")
    manifest = SealedBytesField()
    preview = SealedBytesField(null=True)
    thumbnail = SealedBytesField(null=True)
