"""Rescale and VOI windows, of an instance or of one frame's groups (PS3.3 §C.11.1, §C.11.2)."""

from typing import Any

from pydicom.dataset import Dataset

from imaging.facts.values import numbers, word, words

FUNCTIONS = frozenset({"LINEAR", "LINEAR_EXACT", "SIGMOID"})
MAX_WINDOWS = 16


def rescale(header: Dataset) -> dict[str, Any]:
    """slope, intercept and unit; a slope of zero would make every picture flat and is taken as absent."""
    slope, intercept = numbers(header, "RescaleSlope", 1), numbers(header, "RescaleIntercept", 1)
    return {
        "slope": slope[0] if slope and slope[0] else 1.0,
        "intercept": intercept[0] if intercept else 0.0,
        "unit": _unit(header),
    }


def window(header: Dataset) -> dict[str, Any]:
    """Centres and widths in pairs, their names, and the function that they are for."""
    centers, widths = (
        numbers(header, "WindowCenter", MAX_WINDOWS),
        numbers(header, "WindowWidth", MAX_WINDOWS),
    )
    if len(centers) != len(widths):
        centers, widths = [], []
    names = words(header, "WindowCenterWidthExplanation", MAX_WINDOWS)
    kept = [index for index, width in enumerate(widths) if width > 0]
    function = word(header, "VOILUTFunction", 16)
    return {
        "center": [centers[index] for index in kept],
        "width": [widths[index] for index in kept],
        "window_names": [names[index] for index in kept] if len(names) == len(centers) else [],
        "voi_function": function if function in FUNCTIONS else "LINEAR",
    }


def _unit(header: Dataset) -> str:
    """Rescale Type; PET says it in Units, and CT means HU where it says nothing (PS3.3 §C.8.2.1.1.2)."""
    said = word(header, "RescaleType", 16) or word(header, "Units", 16)
    if said or word(header, "Modality", 16) != "CT":
        return said
    return "HU" if numbers(header, "RescaleSlope", 1) else ""
