"""What doctors draw on a film and keep with the exam (issue 4: measuring)."""

import peewee

from core.fields import SealedTextField, UtcDateTimeField
from core.models.access import Staff
from core.models.base import Record
from core.models.exam import Exam


class Annotation(Record):
    """One drawing or measurement; `body` is its JSON without uid, revision, author; sealed, for text may name a person.

    A removed one stays as an empty row, so that an older revision that comes late does not bring it back.
    """

    exam = peewee.ForeignKeyField(Exam, backref="annotations", on_delete="CASCADE")
    uid = peewee.CharField(max_length=64)
    revision = peewee.IntegerField()
    body = SealedTextField()
    author = peewee.ForeignKeyField(Staff)
    changed_at = UtcDateTimeField()
    removed_at = UtcDateTimeField(null=True)

    class Meta:
        """One row per exam and uid."""

        indexes = ((("exam", "uid"), True),)
