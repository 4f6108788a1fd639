"""Whole slide images: which picture of the slide an instance is, and how large (PS3.3 §C.8.12.4, §A.32.8)."""

from typing import Any

from pydicom.dataset import Dataset

from imaging.facts.values import whole, word, words

WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
# Pictures of the whole slide come before the levels of its pyramid.
ROLES = ("THUMBNAIL", "OVERVIEW", "LABEL", "VOLUME")


def slide_of(header: Dataset) -> dict[str, Any] | None:
    """`role` and the `columns` and `rows` of the whole level; None for what is no slide."""
    if word(header, "SOPClassUID") != WHOLE_SLIDE:
        return None
    kind = words(header, "ImageType")
    return {
        "role": next((role for role in ROLES if role in kind), "VOLUME"),
        "columns": whole(header, "TotalPixelMatrixColumns") or whole(header, "Columns"),
        "rows": whole(header, "TotalPixelMatrixRows") or whole(header, "Rows"),
    }


def is_whole(frame: dict[str, Any]) -> bool:
    """Whether one frame shows the whole of its level, so that it can be looked at alone."""
    slide = frame["slide"]
    return slide["columns"] <= frame["columns"] and slide["rows"] <= frame["rows"]


def slide_order(frame: dict[str, Any]) -> tuple[Any, ...]:
    """Overviews first, then levels from coarse to fine, in each the tiles by rows."""
    slide = frame["slide"]
    tile = frame.get("tile") or [0, 0]
    return (
        ROLES.index(slide["role"]),
        slide["columns"] * slide["rows"],
        frame["instance"],
        tile,
        frame["frame"],
    )
