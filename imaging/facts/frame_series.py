"""Frames of classic multi-frame objects: when each is shown, and where it lies (PS3.3 §C.7.6.5, §C.8.4.15, §C.8.8.3)."""

from itertools import accumulate
from typing import Any

from pydicom.dataset import Dataset

from imaging.facts.values import exactly, first_item, numbers, word, words

# A frame of less than a millisecond or more than a minute is a mistake.
MIN_MS, MAX_MS = 1.0, 60_000.0
NM, RT_DOSE = "1.2.840.10008.5.1.4.1.1.20", "1.2.840.10008.5.1.4.1.1.481.2"


def frame_time_ms(header: Dataset) -> float | None:
    """How long a frame is shown: the rate that is recommended, the time between frames, the rate of acquisition."""
    for name, is_rate in (
        ("RecommendedDisplayFrameRate", True),
        ("FrameTime", False),
        ("CineRate", True),
    ):
        value = numbers(header, name, 1)
        if value and value[0] > 0:
            time = 1000.0 / value[0] if is_rate else value[0]
            if MIN_MS <= time <= MAX_MS:
                return time
    return None


def time_facts(header: Dataset, count: int) -> list[dict[str, Any]]:
    """Time offsets by Frame Time Vector, whose values are the steps before each frame; empty without a whole one."""
    steps = numbers(header, "FrameTimeVector", count)
    if len(steps) != count or count < 2 or any(not 0 <= step <= MAX_MS for step in steps):
        return []
    shown = [*steps[1:], steps[-1]]
    return [
        {"time_offset_ms": offset, "frame_time_ms": time if time >= MIN_MS else None}
        for offset, time in zip(accumulate(steps), shown, strict=True)
    ]


def place_facts(header: Dataset, count: int) -> list[dict[str, Any]]:
    """Positions of the slices of a reconstructed NM tomogram or of a dose grid; empty where they are not told."""
    if count < 2:
        return []
    kind = word(header, "SOPClassUID")
    if kind == RT_DOSE:
        base, turned = header, header
        offsets = numbers(header, "GridFrameOffsetVector", count)
        # Some write distances from the first slice, others coordinates (PS3.3 §C.8.8.3.2): the differences agree.
        distances = [offset - offsets[0] for offset in offsets]
    elif kind == NM and "RECON TOMO" in words(header, "ImageType"):
        detector = first_item(header, "DetectorInformationSequence")
        base = turned = detector if detector is not None else header
        step, slices = numbers(header, "SpacingBetweenSlices", 1), numbers(header, "SliceVector", count)
        distances = [(number - 1) * step[0] for number in slices] if step else []
    else:
        return []
    position = exactly(3, numbers(base, "ImagePositionPatient"))
    orientation = exactly(6, numbers(turned, "ImageOrientationPatient"))
    if position is None or orientation is None or len(distances) != count:
        return []
    normal = cross(orientation[:3], orientation[3:])
    return [
        {
            "position": [p + n * distance for p, n in zip(position, normal, strict=True)],
            "orientation": orientation,
        }
        for distance in distances
    ]


def cross(a: list[float], b: list[float]) -> list[float]:
    """The vector product."""
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
