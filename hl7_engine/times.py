"""HL7 time stamps (v2.5.1 chapter 2A.22 DTM, 2A.88 TS) and aware UTC times."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone

from hl7_engine.errors import Unreadable, quoted

# What a time without a zone means here. China has one zone and, since 1992, no summer time.
SHANGHAI = timezone(timedelta(hours=8))

_STAMP = re.compile(
    r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6}))?)?)?)?)?)?([+-]\d{4})?",
    re.ASCII,
)


def parse_moment(text: str, place: str, formats: Sequence[str] = ()) -> datetime:
    """`YYYY[MM[DD[HH[MM[SS[.S…]]]]]][±ZZZZ]`, or one of `formats` (strptime), as aware UTC.

    Raises `Unreadable` naming the field `place`.
    """
    match = _STAMP.fullmatch(text)
    if match is None:
        other = _by_format(text, formats)
        if other is not None:
            return other.astimezone(UTC)
        raise Unreadable(f"{place} is {quoted(text)}: a time is YYYYMMDDHHMMSS")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "0").ljust(6, "0")),
            tzinfo=_zone(zone) if zone else SHANGHAI,
        )
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable(f"{place} is {quoted(text)}: there is no such time") from None


def parse_date(text: str, formats: Sequence[str] = ()) -> str:
    """The day of a time stamp as YYYY-MM-DD; empty when it is no real day."""
    match = _STAMP.fullmatch(text)
    if match is None:
        other = _by_format(text, formats)
        return other.date().isoformat() if other else ""
    if match[3] is None:
        return ""
    try:
        return date(int(match[1]), int(match[2]), int(match[3])).isoformat()
    except ValueError:
        return ""


def format_moment(moment: datetime) -> str:
    """To the second, with the zone of Shanghai: 20261124101530+0800."""
    return moment.astimezone(SHANGHAI).strftime("%Y%m%d%H%M%S%z")


def _by_format(text: str, formats: Sequence[str]) -> datetime | None:
    """The time in the first of the notations that fits; in Shanghai's zone when it has none."""
    for notation in formats:
        try:
            moment = datetime.strptime(text, notation)  # noqa: DTZ007 — the zone is added below
            zoned = moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)
            zoned.astimezone(UTC)
        except (ValueError, OverflowError):
            # Overflow: 0001-01-01, which some systems write for "not known", lies before the beginning in UTC.
            continue
        return zoned
    return None


def _zone(text: str) -> timezone:
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))
    return timezone(offset if text[0] == "+" else -offset)
