"""The only reader of the wall clock, so that time is always aware UTC and a test can hold it still."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current time, aware UTC."""
    return datetime.now(UTC)
