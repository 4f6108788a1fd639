"""From pack manifests to what the viewer reads: frames in the order of space, documents by their kind (K2, E12, E13)."""

from typing import Any

VIEWABLE = frozenset({"htj2k", "jpeg", "jpegls", "jpeg2000", "rle", "raw"})
# Scanners write the cosines of one volume with differences in the last digits; this is 0.06°.
SAME_DIRECTION = 1e-3
VIEW_BITS, VIEW_SAMPLES = frozenset({8, 16, 32}), frozenset({1, 3})


def pack_view(manifest: dict[str, Any]) -> dict[str, Any]:
    """The part of a pack's manifest that the viewer may have: frames with offsets, and what is no image."""
    frames, documents = [], []
    for row in manifest["instances"]:
        view = row["view"]
        if row["frames"] and is_viewable(view):
            for number, (offset, length) in enumerate(row["frames"], start=1):
                frames.append({**view, "offset": offset, "length": length, "frame": number, "levels": None})
        else:
            documents.append({"sop_uid": row["sop_uid"], "flags": row["flags"], "number": row["number"]})
    return {"frames": frames, "documents": documents}


def is_viewable(view: dict[str, Any]) -> bool:
    """Whether the viewer can draw these frames."""
    return (
        view.get("codec") in VIEWABLE
        and view["bits_allocated"] in VIEW_BITS
        and view["samples"] in VIEW_SAMPLES
    )


def in_order_of_space(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Along the slice normal when every frame has the same orientation and a position, else by instance number."""
    first = frames[0]["orientation"] if frames else None
    if first is None or not all(_is_parallel(frame, first) for frame in frames):
        return sorted(frames, key=lambda frame: (frame["number"], frame["instance"], frame["frame"]))
    normal = _cross(first[:3], first[3:])
    return sorted(
        frames,
        key=lambda frame: (
            round(sum(n * p for n, p in zip(normal, frame["position"], strict=True)), 4),
            frame["number"],
            frame["frame"],
        ),
    )


def _is_parallel(frame: dict[str, Any], orientation: list[float]) -> bool:
    own = frame["orientation"]
    return (
        frame["position"] is not None
        and own is not None
        and all(abs(a - b) <= SAME_DIRECTION for a, b in zip(own, orientation, strict=True))
    )


def _cross(a: list[float], b: list[float]) -> list[float]:
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
