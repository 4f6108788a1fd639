"""Column types that SQLite and PostgreSQL store alike: aware UTC times, sealed personal text, sealed bytes."""

from datetime import UTC, datetime
from typing import Any

import peewee

from core import personal_data


class UtcDateTimeField(peewee.Field):
    """An aware UTC time; ISO text of fixed width in SQLite (so that text order is time order), timestamptz in PostgreSQL."""

    field_type = "TIMESTAMPTZ"

    def db_value(self, value: Any) -> Any:
        """Aware datetime → ISO 8601 with microseconds. A naive one is a bug and raises ValueError."""
        if value is None or isinstance(value, str):
            return value
        if value.tzinfo is None:
            raise ValueError(f"{self.name}: a time without zone; use core.clock.now()")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def python_value(self, value: Any) -> Any:
        """Stored value → aware UTC datetime."""
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.astimezone(UTC)


class SealedTextField(peewee.BlobField):
    """Personal text, SM4-GCM at rest (ARCHITECTURE decision 13). Look-ups go through a blind index column beside it."""

    def db_value(self, value: Any) -> Any:
        """Seal."""
        if value is None:
            return None
        return super().db_value(personal_data.seal_text(str(value), self._context()))

    def python_value(self, value: Any) -> Any:
        """Open."""
        if value is None:
            return None
        return personal_data.open_text(bytes(value), self._context())

    def _context(self) -> str:
        return f"{self.model._meta.table_name}.{self.name}"


class SealedBytesField(SealedTextField):
    """Personal bytes (a message, a PDF, a preview), sealed the same way."""

    def db_value(self, value: Any) -> Any:
        """Seal."""
        if value is None:
            return None
        return peewee.BlobField.db_value(self, personal_data.seal_bytes(bytes(value), self._context()))

    def python_value(self, value: Any) -> Any:
        """Open."""
        if value is None:
            return None
        return personal_data.open_bytes(bytes(value), self._context())
