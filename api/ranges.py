"""One byte range of a sealed object (RFC 9110 §14.1.2): what the viewer asks for."""

import re
from dataclasses import dataclass

from core.errors import CloudFilmError

# first-byte "-" [last-byte], or "-" suffix-length; 19 digits are more than any object has.
_RANGE = re.compile(r"bytes=(?:(\d{1,19})-(\d{1,19})?|-(\d{1,19}))", re.ASCII)


class RangeNotSatisfiable(CloudFilmError):
    """The header asks for something that is not one range inside the object."""


@dataclass(frozen=True)
class ByteRange:
    """Bytes `start` to `stop`, exclusive, of `length`."""

    start: int
    stop: int
    length: int

    @property
    def size(self) -> int:
        """How many bytes."""
        return self.stop - self.start

    @property
    def content_range(self) -> str:
        """The Content-Range header of a 206 answer."""
        return f"bytes {self.start}-{self.stop - 1}/{self.length}"


def parse_range(header: str | None, length: int) -> ByteRange | None:
    """The range that `header` asks for; None (the whole object) without header or with a unit that is not
    ours.

    Several ranges at once and malformed ones raise `RangeNotSatisfiable` like those outside: RFC 9110 §14.2
    allows it, and a hundred megabytes by mistake help nobody.
    """
    if header is None or not header.lower().startswith("bytes="):
        return None
    found = _RANGE.fullmatch(header.strip())
    if found is None:
        raise RangeNotSatisfiable(f"{header[:64]!r}: ask for one range, bytes=first-last")
    first, last, suffix = found.groups()
    if suffix is not None:
        start, stop = max(0, length - int(suffix)), length
    else:
        start, stop = int(first), min(int(last) + 1, length) if last else length
    if start >= stop:
        raise RangeNotSatisfiable(f"{header[:64]!r}: the object has {length} bytes")
    return ByteRange(start, stop, length)
