"""Frames as columns: what all have in common once, the rest as one list a field. A third of the bytes of rows (K2)."""

from typing import Any

# What frames mean that were archived before a field was known.
DEFAULTS: dict[str, Any] = {
    "pixel_aspect": None,
    "spacing_kind": None,
    "voi_function": "LINEAR",
    "window_names": [],
    "voi_lut": None,
    "modality_lut": None,
    "palette": None,
    "frame_time_ms": None,
    "time_offset_ms": None,
    "unit": "",
    "regions": None,
    "laterality": "",
    "view_position": "",
    "patient_orientation": None,
    "image_type": [],
    "received_lossy": False,
    "planar": 0,
    "big_endian": False,
    "levels": None,
    "lossy": None,
    "low": None,
    "tile": None,
    "slide": None,
    "frame_of_reference": None,
    "body_part": "",
}


def compact(frames: list[dict[str, Any]]) -> dict[str, Any]:
    """{count, common, columns, instance_prefix}: the frames in their order."""
    prefix = common_prefix([frame["instance"] for frame in frames])
    names = list(dict.fromkeys(name for frame in frames for name in frame))
    common: dict[str, Any] = {}
    columns: dict[str, list[Any]] = {}
    for name in names:
        values: list[Any] = [frame.get(name, DEFAULTS.get(name)) for frame in frames]
        if name == "instance":
            values = [value[len(prefix) :] for value in values]
        if all(value == values[0] for value in values):
            common[name] = values[0]
        else:
            columns[name] = values
    return {"count": len(frames), "common": common, "columns": columns, "instance_prefix": prefix}


def expand(block: dict[str, Any]) -> list[dict[str, Any]]:
    """The frames of what `compact` gave."""
    columns: dict[str, list[Any]] = block["columns"]
    frames: list[dict[str, Any]] = [
        {**block["common"], **dict(zip(columns, values, strict=True))}
        for values in (zip(*columns.values(), strict=True) if columns else [()] * block["count"])
    ]
    for frame in frames:
        frame["instance"] = block["instance_prefix"] + frame["instance"]
    return frames


def joined_tables(tables: list[dict[str, Any]], more: list[dict[str, Any]]) -> list[int]:
    """Add `more` to `tables`, the same table once; the place of each."""
    places = []
    for table in more:
        if table not in tables:
            tables.append(table)
        places.append(tables.index(table))
    return places


def common_prefix(names: list[str]) -> str:
    """What all of them begin with."""
    if not names:
        return ""
    first, last = min(names), max(names)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[: min(same, len(first), len(last))]
