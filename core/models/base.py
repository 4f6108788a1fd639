"""What every row has."""

import peewee

from core.clock import now
from core.db import database
from core.fields import UtcDateTimeField


class Record(peewee.Model):
    """Base of all models: bound to the one database, stamped at creation."""

    id = peewee.BigAutoField()
    created_at = UtcDateTimeField(default=now)

    class Meta:
        """Bound to the proxy; tables are named by the singular snake_case of the class."""

        database = database
        legacy_table_names = False
