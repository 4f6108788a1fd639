"""Softcopy presentation states: window, turning, shutter and drawings for certain images (PS3.3 §A.33, §C.10, §C.11).

One state may say different things of different images: it becomes one presentation for each group of images of which it
says the same. Points in PIXEL are as ours: 0\\0 is the outer corner of the first pixel (§C.10.5.1.2).
"""

import json
from typing import Any

from pydicom.dataset import Dataset

from imaging.facts import windows
from imaging.facts.values import items, numbers, text, whole, word, words

MAX_TARGETS, MAX_GRAPHICS, MAX_POINTS, MAX_TEXT = 4000, 500, 2000, 1000
GRAPHIC_TYPES = frozenset({"POINT", "POLYLINE", "INTERPOLATED", "CIRCLE", "ELLIPSE"})
UNITS = frozenset({"PIXEL", "DISPLAY"})
Target = tuple[str, tuple[int, ...]]


def presentations(header: Dataset) -> list[dict[str, Any]]:
    """Presentations as in the film manifest. Raises ValueError for one that references no image or too many."""
    targets = [
        target
        for series in items(header, "ReferencedSeriesSequence", MAX_TARGETS)
        for target in _targets(series)
    ]
    if not 0 < len(targets) <= MAX_TARGETS:
        raise ValueError("a presentation state shows at least one image, and not thousands")
    common = {
        "uid": word(header, "SOPInstanceUID"),
        "label": text(header, "ContentDescription") or text(header, "ContentLabel") or "PR",
        "series": word(header, "SeriesInstanceUID"),
        "rotation": _rotation(header),
        "flip": word(header, "ImageHorizontalFlip", 1) == "Y",
        "inverse": word(header, "PresentationLUTShape", 16) == "INVERSE",
        "shutter": _shutter(header),
    }
    windows_of = [
        (_targets(item), _window(item)) for item in items(header, "SoftcopyVOILUTSequence", MAX_TARGETS)
    ]
    drawings_of = [
        (_targets(item), _drawings(item)) for item in items(header, "GraphicAnnotationSequence", MAX_GRAPHICS)
    ]
    groups: dict[str, dict[str, Any]] = {}
    for target in targets:
        said = {
            "voi": next((voi for meant, voi in windows_of if voi and _is_meant(target, meant)), None),
            "graphics": [one for meant, all_ in drawings_of if _is_meant(target, meant) for one in all_],
        }
        if len(said["graphics"]) > MAX_GRAPHICS:
            raise ValueError("more drawings than a picture can hold")
        group = groups.setdefault(json.dumps(said), {**common, "targets": [], **said})
        group["targets"].append({"instance": target[0], "frames": list(target[1]) or None})
    return list(groups.values())


def _targets(item: Dataset) -> list[Target]:
    found = []
    for image in items(item, "ReferencedImageSequence", MAX_TARGETS):
        frames = tuple(int(frame) for frame in numbers(image, "ReferencedFrameNumber", MAX_TARGETS))
        found.append((word(image, "ReferencedSOPInstanceUID"), frames))
    return found


def _is_meant(target: Target, meant: list[Target]) -> bool:
    """What references no image is meant for all."""
    if not meant:
        return True
    return any(
        instance == target[0] and (not frames or not target[1] or set(target[1]) <= set(frames))
        for instance, frames in meant
    )


def _rotation(header: Dataset) -> int:
    turned = whole(header, "ImageRotation")
    return turned if turned in (90, 180, 270) else 0


def _window(item: Dataset) -> dict[str, float] | None:
    window = windows.window(item)
    if not window["center"]:
        return None
    return {"center": window["center"][0], "width": window["width"][0]}


def _drawings(item: Dataset) -> list[dict[str, Any]]:
    lines = [_graphic(one) for one in items(item, "GraphicObjectSequence", MAX_GRAPHICS)]
    texts = [_text(one) for one in items(item, "TextObjectSequence", MAX_GRAPHICS)]
    return [drawing for drawing in lines + texts if drawing is not None]


def _graphic(item: Dataset) -> dict[str, Any] | None:
    kind, units = word(item, "GraphicType", 16), word(item, "GraphicAnnotationUnits", 16)
    points = _points(numbers(item, "GraphicData", 2 * MAX_POINTS))
    if kind not in GRAPHIC_TYPES or units not in UNITS or not points:
        return None
    is_filled = word(item, "GraphicFilled", 1) == "Y"
    return {"type": kind, "units": units, "points": points, "text": "", "filled": is_filled}


def _text(item: Dataset) -> dict[str, Any] | None:
    """The corners of its box, or its anchor where it has no box."""
    box = _points(
        numbers(item, "BoundingBoxTopLeftHandCorner") + numbers(item, "BoundingBoxBottomRightHandCorner")
    )
    anchor = _points(numbers(item, "AnchorPoint"))
    units = word(item, "BoundingBoxAnnotationUnits" if box else "AnchorPointAnnotationUnits", 16)
    written = text(item, "UnformattedTextValue", MAX_TEXT)
    if not written or units not in UNITS or not (box or anchor):
        return None
    return {"type": "TEXT", "units": units, "points": box or anchor, "text": written, "filled": False}


def _points(values: list[float]) -> list[list[float]]:
    # Single precision in the file: what is beyond four digits is noise.
    return [[round(x, 4), round(y, 4)] for x, y in zip(values[::2], values[1::2], strict=False)]


def _shutter(header: Dataset) -> dict[str, Any] | None:
    """Shapes outside of which nothing is shown. Rows and columns count from 1 (PS3.3 §C.7.6.11)."""
    shapes = words(header, "ShutterShape")
    found: dict[str, Any] = {}
    edges = [whole(header, f"Shutter{side}Edge") for side in ("LeftVertical", "UpperHorizontal")]
    ends = [whole(header, f"Shutter{side}Edge") for side in ("RightVertical", "LowerHorizontal")]
    if "RECTANGULAR" in shapes and ends[0] > edges[0] and ends[1] > edges[1]:
        found["rectangle"] = [edges[0] - 1, edges[1] - 1, *ends]
    center, radius = numbers(header, "CenterOfCircularShutter"), whole(header, "RadiusOfCircularShutter")
    if "CIRCULAR" in shapes and len(center) == 2 and radius > 0:
        found["circle"] = {"center": [center[1] - 0.5, center[0] - 0.5], "radius": radius}
    corners = _points(numbers(header, "VerticesOfThePolygonalShutter", 2 * MAX_POINTS))
    if "POLYGONAL" in shapes and len(corners) >= 3:
        found["polygon"] = [[column - 0.5, row - 0.5] for row, column in corners]
    return found or None
