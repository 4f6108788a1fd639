"""Which bytes a GET asks for, and whether the client has them already: Range, If-Match, If-None-Match."""

import re

from simulators.oss.errors import OssError

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def is_unchanged(etag: str, if_match: str | None, if_none_match: str | None) -> bool:
    """Whether the client has this version already (304). Raises `OssError` 412 when it expected another."""
    if if_match is not None and if_match.strip('"') != etag:
        raise OssError(
            412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold."
        )
    return if_none_match is not None and if_none_match.strip('"') == etag


def span(header: str | None, size: int, is_standard: bool) -> tuple[int, int] | None:
    """The (start, length) that a Range header asks of `size` bytes, or None for the whole object.

    OSS answers a range that is not wholly inside the object with 200 and everything, unless the client sent
    `x-oss-range-behavior: standard` (`is_standard`); then RFC 9110 §14 holds: `OssError` 416 is raised for a
    range that begins behind the end. Of several ranges the first counts.
    """
    found = _RANGE.fullmatch(header.split(",")[0].strip()) if header is not None else None
    if found is None or not (found[1] or found[2]):
        return None
    if found[1]:
        start, end = int(found[1]), int(found[2] or max(size - 1, int(found[1])))
        if start > end:
            return None
    else:
        start, end = size - int(found[2]), size - 1
    if 0 <= start <= end < size:
        return start, end - start + 1
    if not is_standard:
        return None
    start, end = max(start, 0), min(end, size - 1)
    if start > end:
        raise OssError(
            416, "InvalidRange", "The requested range cannot be satisfied.", ActualObjectSize=str(size)
        )
    return start, end - start + 1
