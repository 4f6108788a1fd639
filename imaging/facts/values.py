"""Reading single elements. One that cannot be read counts as absent, whatever pydicom says of it."""

import math
from typing import Any

from pydicom.dataset import Dataset

from imaging.header_text import read_text

# Beyond 32 bits no count or number of DICOM means anything.
MAX_WHOLE = 2**31
MAX_NUMBERS = 64


def whole(header: Dataset, name: str, default: int = 0) -> int:
    """An integer between ±2³¹."""
    try:
        value = int(header.get(name) or default)
    except Exception:
        return default
    return value if abs(value) < MAX_WHOLE else default


def word(header: Dataset, name: str, most: int = 64) -> str:
    """One value of a code string, a UID or another element of ASCII."""
    try:
        return str(header.get(name) or "")[:most]
    except Exception:
        return ""


def text(header: Dataset, name: str, most: int = 64) -> str:
    """A text as people wrote it, in whatever character set."""
    try:
        return read_text(header, name)[:most]
    except Exception:
        return ""


def words(header: Dataset, name: str, most: int = 16) -> list[str]:
    """All values of a code string or text, up to `most`."""
    try:
        value = header.get(name)
        if value is None or value == "":
            return []
        values = [value] if isinstance(value, str) else list(value)
        return [str(item)[:64] for item in values[:most]]
    except Exception:
        return []


def numbers(header: Dataset, name: str, most: int = MAX_NUMBERS) -> list[float]:
    """All values of a numeric element; none of them when one is no finite number, or there are more than `most`."""
    try:
        value = header.get(name)
        if value is None or value == "":
            return []
        values = value if hasattr(value, "__iter__") and not isinstance(value, str) else [value]
        found = [float(item) for item in values]
        # NaN is a legal float and no JSON: a browser could not read the series.
        return found if len(found) <= most and all(map(math.isfinite, found)) else []
    except Exception:
        return []


def referenced_frames(header: Dataset, most: int) -> tuple[int, ...]:
    """Referenced Frame Number; empty means all frames.

    Raises ValueError for one that cannot be read: it means some frames, and other ones must not stand for them.
    """
    found = numbers(header, "ReferencedFrameNumber", most)
    if not found and header.get("ReferencedFrameNumber") not in (None, ""):
        raise ValueError("Referenced Frame Number cannot be read")
    return tuple(int(frame) for frame in found)


def exactly(count: int, values: list[float]) -> list[float] | None:
    """The values when they are so many, else None."""
    return values if len(values) == count else None


def positive(value: float) -> float | None:
    """The value when it is above zero, else None."""
    return value if value > 0 else None


def items(header: Dataset, name: str, most: int) -> list[Dataset]:
    """The items of a sequence, up to `most`; none when it is no sequence."""
    try:
        value: Any = header.get(name)
        return [item for item in value[:most] if isinstance(item, Dataset)] if value else []
    except Exception:
        return []


def first_item(header: Dataset, name: str) -> Dataset | None:
    """The first item of a sequence."""
    found = items(header, name, 1)
    return found[0] if found else None


def meaning(header: Dataset, name: str, most: int = 64) -> str:
    """Code Meaning of the first item of a code sequence (PS3.3 §8.8)."""
    item = first_item(header, name)
    return text(item, "CodeMeaning", most) if item is not None else ""
