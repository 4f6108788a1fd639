"""From pack manifests to what the viewer reads: frames in the order of space, documents by their kind (K2, E12, E13)."""

from collections.abc import Iterator
from typing import Any

from imaging.facts.frame_series import cross
from imaging.facts.slide import slide_order
from imaging.frame_columns import compact, joined_tables

VIEWABLE = frozenset({"htj2k", "jpeg", "jpegls", "jpeg2000", "rle", "raw"})
# Scanners write the cosines of one volume with differences in the last digits; this is 0.06°.
SAME_DIRECTION = 1e-3
VIEW_BITS, VIEW_SAMPLES = frozenset({8, 16, 32}), frozenset({1, 3})
# 16384²: more than any detector has, less than a phone's memory; the viewer refuses more.
MAX_SAMPLES = 2**28
TABLE_INDEXES = ("voi_lut", "modality_lut", "palette")


def pack_view(manifest: dict[str, Any]) -> dict[str, Any]:
    """The part of a pack's manifest that the viewer may have: frames in columns, tables, and what is no picture."""
    tables: list[dict[str, Any]] = []
    frames, documents = [], []
    low = iter((manifest.get("low") or {}).get("frames", []))
    for row in manifest["instances"]:
        own = frames_of_row(row, low)
        if own and is_viewable(row["view"]):
            frames += _with_tables(own, row.get("tables", []), tables)
        else:
            documents.append(_document(row))
    low_table = manifest.get("low")
    return {
        "version": 2,
        **compact(in_order_of_space(frames)),
        "tables": tables,
        "low": _low(low_table) if low_table else None,
        "documents": documents,
    }


def frames_of_row(row: dict[str, Any], low: Iterator[list[int]]) -> list[dict[str, Any]]:
    """The frames of one instance of a pack's manifest. `low`: the rows of the table of low.bin that are still to come."""
    own_facts, levels = row.get("frame_views") or [], row.get("levels") or []
    lossy = row.get("lossy") or []
    frames = []
    for index, (offset, length) in enumerate(row["frames"]):
        smaller = lossy[index] if lossy else None
        frames.append(
            {
                **row["view"],
                **(own_facts[index] if own_facts else {}),
                "offset": offset,
                "length": length,
                "frame": index + 1,
                "levels": levels[index] if levels else None,
                "lossy": {"offset": smaller[0], "length": smaller[1]} if smaller else None,
                "low": next(low, None) if levels else None,
            }
        )
    return frames


def is_viewable(view: dict[str, Any]) -> bool:
    """Whether the viewer can draw these frames."""
    return (
        view.get("codec") in VIEWABLE
        and view["bits_allocated"] in VIEW_BITS
        and view["samples"] in VIEW_SAMPLES
        and 0 < view["rows"] * view["columns"] * view["samples"] <= MAX_SAMPLES
    )


def in_order_of_space(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Along the slice normal when every frame has the same orientation and a position, else by instance number.

    Slides have an order of their own.
    """
    if frames and all(frame.get("slide") for frame in frames):
        return sorted(frames, key=slide_order)
    first = frames[0]["orientation"] if frames else None
    if first is None or not all(_is_parallel(frame, first) for frame in frames):
        return sorted(frames, key=lambda frame: (frame["number"], frame["instance"], frame["frame"]))
    normal = cross(first[:3], first[3:])
    return sorted(
        frames,
        key=lambda frame: (
            round(sum(n * p for n, p in zip(normal, frame["position"], strict=True)), 4),
            frame["number"],
            frame["frame"],
        ),
    )


def _with_tables(
    frames: list[dict[str, Any]], own: list[dict[str, Any]], tables: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The frames with their indexes into `tables`, to which the tables of their instance were added."""
    places = joined_tables(tables, own)
    return [moved_indexes(frame, places) for frame in frames] if own else frames


def moved_indexes(frame: dict[str, Any], places: list[int]) -> dict[str, Any]:
    """The frame with each index into its tables replaced by the table's new place."""
    moved = {
        name: [places[index] for index in frame[name]] if name == "palette" else places[frame[name]]
        for name in TABLE_INDEXES
        if frame.get(name) is not None
    }
    return {**frame, **moved}


def _low(table: dict[str, Any]) -> dict[str, Any]:
    """Where low.bin lies; `small`: the bytes of its first part, behind which the second begins."""
    return {"offset": table["offset"], "length": table["length"], "small": table["frames"][0][2]}


def _document(row: dict[str, Any]) -> dict[str, Any]:
    told = row.get("document") or {}
    return {
        "sop_uid": row["sop_uid"],
        "flags": row["flags"],
        "number": row["number"],
        "pieces": row.get("pieces") or [],
        **told,
    }


def _is_parallel(frame: dict[str, Any], orientation: list[float]) -> bool:
    own = frame["orientation"]
    return (
        frame["position"] is not None
        and own is not None
        and all(abs(a - b) <= SAME_DIRECTION for a, b in zip(own, orientation, strict=True))
    )
