"""Regions of ultrasound pictures with a scale of their own (PS3.3 §C.8.5.5)."""

from typing import Any

from pydicom.dataset import Dataset

from imaging.facts.values import items, numbers, whole

MAX_REGIONS = 64
# PS3.3 §C.8.5.5.1.15.
UNITS = {
    1: "%",
    2: "dB",
    3: "cm",
    4: "s",
    5: "Hz",
    6: "dB/s",
    7: "cm/s",
    8: "cm2",
    9: "cm2/s",
    10: "cm3",
    11: "cm3/s",
    12: "deg",
}


def regions(header: Dataset) -> list[dict[str, Any]] | None:
    """Rectangles (first and last pixel, from 0) with the physical step of a pixel; None when there are none."""
    found = [_region(item) for item in items(header, "SequenceOfUltrasoundRegions", MAX_REGIONS)]
    return [region for region in found if region is not None] or None


def _region(item: Dataset) -> dict[str, Any] | None:
    x0, y0 = whole(item, "RegionLocationMinX0"), whole(item, "RegionLocationMinY0")
    x1, y1 = whole(item, "RegionLocationMaxX1"), whole(item, "RegionLocationMaxY1")
    dx, dy = numbers(item, "PhysicalDeltaX", 1), numbers(item, "PhysicalDeltaY", 1)
    if not (0 <= x0 < x1 and 0 <= y0 < y1 and dx and dy and dx[0] and dy[0]):
        return None
    return {
        "x0": x0,
        "y0": y0,
        "x1": x1,
        "y1": y1,
        "dx": abs(dx[0]),
        "dy": abs(dy[0]),
        "unit_x": UNITS.get(whole(item, "PhysicalUnitsXDirection"), "none"),
        "unit_y": UNITS.get(whole(item, "PhysicalUnitsYDirection"), "none"),
    }
