"""What every row has, and the short ways to it."""

from typing import Any, Self

import peewee

from core import db, statements
from core.clock import now
from core.db import database
from core.fields import UtcDateTimeField


class Record(peewee.Model):
    """Base of all models: bound to the one database, stamped at creation.

    `get` and `get_or_none` by equal columns, `create` and `save` pass peewee's composing of SQL by (core/statements.py);
    everything else of peewee's is as it was.
    """

    id = peewee.BigAutoField()
    created_at = UtcDateTimeField(default=now)

    class Meta:
        """Bound to the proxy; tables are named by the singular snake_case of the class."""

        database = database
        legacy_table_names = False

    @classmethod
    def get(cls, *query: Any, **filters: Any) -> Self:
        """The first row that fits. Raises `DoesNotExist`."""
        columns = None if filters or not query else statements.equal_columns(cls, query)
        if columns is None:
            row: Self = super().get(*query, **filters)
            return row
        found = statements.select_equal(cls, columns, 1)
        if not found:
            model: Any = cls
            raise model.DoesNotExist(
                f"no {cls.__name__} with these {', '.join(field.name for field in columns)}"
            )
        first: Self = found[0]
        return first

    @classmethod
    def all_with(cls, *query: Any) -> list[Self]:
        """All rows whose columns equal what is given (`Charge.exam == exam`), the oldest first."""
        columns = statements.equal_columns(cls, query)
        if columns is None:
            raise ValueError("all_with takes equalities of this model's columns only")
        return statements.select_equal(cls, columns, None)

    @classmethod
    def add_if_new(cls, **values: Any) -> int | None:
        """Insert unless a unique column says that it is there already; return the new id, or None."""
        row = cls(**values)
        return statements.insert(cls, row._told(None), ignore=True)

    def locked(self) -> Self:
        """Hold the row until the transaction ends and return it as it now is.

        In SQLite the transaction has the whole database to itself since it began: the row is as it was read in it.
        """
        if db.is_sqlite():
            return self
        model = type(self)
        row: Self = model.select().where(model.id == self.id).for_update().get()
        return row

    # peewee's own set of the names of fields that were set since the row was read.
    _dirty: set[str]

    def save(self, force_insert: bool = False, only: Any = None) -> int:
        """Insert a new row; of a known one, write the fields that were set. Returns how many rows changed."""
        super()._populate_unsaved_relations(self.__data__)  # type: ignore[misc]
        row_id = self.get_id()
        if row_id is None or force_insert:
            self._pk = statements.insert(type(self), self._told(None))
            self._dirty.clear()
            return 1
        told = self._told({field.name for field in only} if only is not None else self._dirty)
        told.pop(type(self).id, None)
        if not told:
            return 0
        self._dirty -= {field.name for field in told}
        return statements.update(type(self), row_id, told)

    def _told(self, names: set[str] | None) -> dict[peewee.Field, Any]:
        """Fields and values; without `names` all that have one. In the order of the table: few distinct statements."""
        data = self.__data__
        return {
            field: data[field.name]
            for field in self._meta.sorted_fields
            if field.name in data
            and (names is None or field.name in names)
            and not (field.name == "id" and data["id"] is None)
        }
