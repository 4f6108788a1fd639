"""Softcopy presentation states: window, turning, shutter and drawings for certain images (PS3.3 §A.33, §C.10, §C.11).

One state may say different things of different images: it becomes one presentation for each group of images of which it
says the same. What it says of single frames is one more, beside that of the whole image: a frame is meant by all of them.
Points in PIXEL are as ours: 0\\0 is the outer corner of the first pixel (§C.10.5.1.2).
"""

import json
from typing import Any

from pydicom.dataset import Dataset

from imaging.facts import windows
from imaging.facts.values import items, numbers, referenced_frames, text, whole, word, words

MAX_TARGETS, MAX_GRAPHICS, MAX_POINTS, MAX_TEXT = 4000, 500, 2000, 1000
GRAPHIC_TYPES = frozenset({"POINT", "POLYLINE", "INTERPOLATED", "CIRCLE", "ELLIPSE"})
UNITS = frozenset({"PIXEL", "DISPLAY"})
# Instance and frames; no frames: all of them.
Target = tuple[str, tuple[int, ...]]
# What images something is said of, a window, drawings.
Saying = tuple[list[Target], dict[str, float] | None, list[dict[str, Any]]]


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
    sayings: list[Saying] = [
        (_targets(item), _window(item), []) for item in items(header, "SoftcopyVOILUTSequence", MAX_TARGETS)
    ]
    sayings += [
        (_targets(item), None, _drawings(item))
        for item in items(header, "GraphicAnnotationSequence", MAX_GRAPHICS)
    ]
    groups: dict[str, dict[str, Any]] = {}
    for target in targets:
        for frames, heard in _heard(target, sayings).items():
            said = {
                "voi": next((voi for _, voi, _ in heard if voi), None),
                "graphics": [one for _, _, drawings in heard for one in drawings],
            }
            if len(said["graphics"]) > MAX_GRAPHICS:
                raise ValueError("more drawings than a picture can hold")
            group = groups.setdefault(json.dumps(said), {**common, "targets": [], **said})
            group["targets"].append({"instance": target[0], "frames": list(frames) or None})
    return list(groups.values())


def _targets(item: Dataset) -> list[Target]:
    found = []
    for image in items(item, "ReferencedImageSequence", MAX_TARGETS):
        found.append((word(image, "ReferencedSOPInstanceUID"), referenced_frames(image, MAX_TARGETS)))
    return found


def _heard(target: Target, sayings: list[Saying]) -> dict[tuple[int, ...], list[Saying]]:
    """What is said of all frames of a target, and beside it what of single ones."""
    heard: dict[tuple[int, ...], list[Saying]] = {target[1]: []}
    for saying in sayings:
        for frames in _frames_of(target, saying[0]):
            heard.setdefault(frames, []).append(saying)
    return heard


def _frames_of(target: Target, meant: list[Target]) -> list[tuple[int, ...]]:
    """Of which frames of a target something is said. What references no image is meant for all."""
    instance, shown = target
    named = [frames for uid, frames in meant if uid == instance]
    frames = {frame for some in named for frame in some}
    if not meant or (named and (not all(named) or (shown and frames >= set(shown)))):
        return [shown]
    return [(frame,) for frame in sorted(frames & set(shown) if shown else frames)]


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
