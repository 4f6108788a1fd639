"""Column types that SQLite and PostgreSQL store alike: aware UTC times, sealed personal text, sealed bytes."""

from datetime import UTC, datetime
from typing import Any

import peewee
from peewee import FieldAccessor

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


class Sealed:
    """A sealed value of a row that nobody has read yet."""

    __slots__ = ("blob", "context")

    def __init__(self, blob: bytes, context: str) -> None:
        self.blob = blob
        self.context = context


class _OpenedWhenRead(FieldAccessor):
    """Opens a column at its first reading: most rows are read for other columns, and where the keys are with the key
    server, opening is a request."""

    def __get__(self, instance: Any, instance_type: Any = None) -> Any:
        value = super().__get__(instance, instance_type)
        if isinstance(value, Sealed):
            value = instance.__data__[self.name] = self.field.opened(value)
        return value


class SealedTextField(peewee.BlobField):
    """Personal text, SM4-GCM at rest (ARCHITECTURE decision 13). Look-ups go through a blind index column beside it.

    Reading the attribute raises `crypto.errors.CryptoError` for a value that was altered or moved.
    """

    accessor_class = _OpenedWhenRead

    def db_value(self, value: Any) -> Any:
        """Seal; what was not read goes back as it came."""
        if value is None:
            return None
        if isinstance(value, Sealed) and value.context == self._context():
            return super().db_value(value.blob)
        return super().db_value(self._sealed(value))

    def python_value(self, value: Any) -> Any:
        """Stored bytes, to be opened when they are read."""
        return None if value is None else Sealed(bytes(value), self._context())

    def opened(self, value: Sealed) -> Any:
        """The text."""
        return personal_data.open_text(value.blob, value.context)

    def _sealed(self, value: Any) -> bytes:
        return personal_data.seal_text(str(value), self._context())

    def _context(self) -> str:
        return f"{self.model._meta.table_name}.{self.name}"


class SealedBytesField(SealedTextField):
    """Personal bytes (a message, a PDF, a preview), sealed the same way."""

    def opened(self, value: Sealed) -> Any:
        """The bytes."""
        return personal_data.open_bytes(value.blob, value.context)

    def _sealed(self, value: Any) -> bytes:
        return personal_data.seal_bytes(bytes(value), self._context())
