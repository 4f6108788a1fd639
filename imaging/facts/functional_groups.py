"""Functional groups of enhanced multi-frame objects (PS3.3 §C.7.6.16): what one frame says beyond its instance."""

from typing import Any

from pydicom.dataset import Dataset

from imaging.facts import windows
from imaging.facts.values import exactly, first_item, items, numbers, whole, word, words

FRAME_TYPES = (
    "CTImageFrameTypeSequence",
    "MRImageFrameTypeSequence",
    "PETFrameTypeSequence",
    "XRay3DFrameTypeSequence",
    "ParametricMapFrameTypeSequence",
    "WholeSlideMicroscopyImageFrameTypeSequence",
)


def shared_facts(header: Dataset) -> dict[str, Any]:
    """Facts of the shared groups."""
    group = first_item(header, "SharedFunctionalGroupsSequence")
    return facts_of(group) if group is not None else {}


def per_frame_facts(header: Dataset, count: int) -> list[dict[str, Any]]:
    """Facts of each frame's own groups; empty when there is not one item for every frame."""
    groups = items(header, "PerFrameFunctionalGroupsSequence", count + 1)
    return [facts_of(group) for group in groups] if len(groups) == count else []


def facts_of(group: Dataset) -> dict[str, Any]:
    """The facts that one item tells, and no others."""
    found: dict[str, Any] = {}
    for read in (_measures, _plane, _values, _window, _anatomy, _time, _tile):
        found.update(read(group))
    return found


def _measures(group: Dataset) -> dict[str, Any]:
    item = first_item(group, "PixelMeasuresSequence")
    spacing = exactly(2, numbers(item, "PixelSpacing")) if item is not None else None
    if spacing is None or min(spacing) <= 0:
        return {}
    return {"spacing": spacing, "spacing_kind": "patient"}


def _plane(group: Dataset) -> dict[str, Any]:
    found: dict[str, Any] = {}
    position, orientation = (
        first_item(group, "PlanePositionSequence"),
        first_item(group, "PlaneOrientationSequence"),
    )
    if position is not None:
        found["position"] = exactly(3, numbers(position, "ImagePositionPatient"))
    if orientation is not None:
        found["orientation"] = exactly(6, numbers(orientation, "ImageOrientationPatient"))
    return {name: value for name, value in found.items() if value is not None}


def _values(group: Dataset) -> dict[str, Any]:
    item = first_item(group, "PixelValueTransformationSequence")
    return windows.rescale(item) if item is not None else {}


def _window(group: Dataset) -> dict[str, Any]:
    item = first_item(group, "FrameVOILUTSequence")
    found = windows.window(item) if item is not None else {}
    return found if found.get("center") else {}


def _anatomy(group: Dataset) -> dict[str, Any]:
    found: dict[str, Any] = {}
    anatomy = first_item(group, "FrameAnatomySequence")
    if anatomy is not None and word(anatomy, "FrameLaterality"):
        found["laterality"] = word(anatomy, "FrameLaterality", 16)
    turned = first_item(group, "PatientOrientationInFrameSequence")
    if turned is not None and len(words(turned, "PatientOrientation")) == 2:
        found["patient_orientation"] = words(turned, "PatientOrientation")
    for name in FRAME_TYPES:
        kind = first_item(group, name)
        if kind is not None and words(kind, "FrameType"):
            found["image_type"] = words(kind, "FrameType")
    return found


def _time(group: Dataset) -> dict[str, Any]:
    for sequence, name, unit in (
        ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime", 1.0),
        ("TemporalPositionSequence", "TemporalPositionTimeOffset", 1000.0),
    ):
        item = first_item(group, sequence)
        value = numbers(item, name, 1) if item is not None else []
        if value:
            return {"time_offset_ms": value[0] * unit}
    return {}


def _tile(group: Dataset) -> dict[str, Any]:
    """Row and column of a tile of a slide in the whole of its level, from 1 (PS3.3 §C.8.12.6)."""
    item = first_item(group, "PlanePositionSlideSequence")
    if item is None:
        return {}
    row, column = (
        whole(item, "RowPositionInTotalImagePixelMatrix"),
        whole(item, "ColumnPositionInTotalImagePixelMatrix"),
    )
    return {"tile": [row, column]}
