"""One series of a film from the views of its packs: film manifest, version 2 (K2, E12–E14)."""

from typing import Any

from imaging.facts.slide import is_whole
from imaging.frame_columns import DEFAULTS, compact, expand, joined_tables
from imaging.frame_table import in_order_of_space, moved_indexes

# Facts of frames that are told of the series, or only order its frames.
OF_THE_SERIES = ("frame_of_reference", "body_part", "slide", "tile", "low")
# The viewer takes no more; slides of many levels may have more tiles, the finest of which come last.
MAX_FRAMES = 50_000
# A picture of a slide that shows what it is, and is not too much for a phone.
MAX_SLIDE_SIDE = 4096


def series_of(views: list[dict[str, Any]]) -> dict[str, Any]:
    """The entry's facts of frames: count, common, columns, instance_prefix, tables, low, notice, frame_of_reference,
    body_part, and `key`, the index of the frame to show first. `views`: of the packs in their order."""
    tables: list[dict[str, Any]] = []
    if len(views) == 1 and views[0].get("version") == 2:
        # In order and in columns since it was packed: the usual case costs nothing.
        block, tables = {**views[0]}, views[0]["tables"]
        block["common"] = {**DEFAULTS, **views[0]["common"], "pack": 0}
        block["common"] = {k: v for k, v in block["common"].items() if k not in block["columns"]}
    else:
        frames: list[dict[str, Any]] = []
        for pack, view in enumerate(views):
            places = joined_tables(tables, view.get("tables", []))
            frames += [
                moved_indexes({**DEFAULTS, **frame, "pack": pack}, places) for frame in frames_of(view)
            ]
        block = compact(in_order_of_space(frames))
    block = _cut(block)
    told = {name: _values(block, name) for name in OF_THE_SERIES}
    return {
        "count": block["count"],
        "common": _without(block["common"]),
        "columns": _without(block["columns"]),
        "instance_prefix": block["instance_prefix"],
        "tables": tables,
        "low": _low(views, told["low"], _values(block, "pack")),
        "notice": _slide_notice(told["slide"]),
        "frame_of_reference": _same(told["frame_of_reference"]),
        "body_part": _same(told["body_part"]) or "",
        "key": _key_frame(block),
    }


def frames_of(view: dict[str, Any]) -> list[dict[str, Any]]:
    """The frames of one pack's view, of whichever version."""
    if view.get("version") == 2:
        return expand(view)
    return [{**frame, "spacing_kind": "patient" if frame["spacing"] else "none"} for frame in view["frames"]]


def _cut(block: dict[str, Any]) -> dict[str, Any]:
    if block["count"] <= MAX_FRAMES:
        return block
    columns = {name: values[:MAX_FRAMES] for name, values in block["columns"].items()}
    return {**block, "count": MAX_FRAMES, "columns": columns}


def _values(block: dict[str, Any], name: str) -> list[Any]:
    if name in block["columns"]:
        found: list[Any] = block["columns"][name]
        return found
    return [block["common"].get(name)] * block["count"]


def _without(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in OF_THE_SERIES}


def _same(values: list[Any]) -> Any:
    return values[0] if values and all(value == values[0] for value in values) else None


def _low(views: list[dict[str, Any]], parts: list[Any], packs: list[int]) -> dict[str, Any] | None:
    """The coarse levels of the first pack that has them; frames of other packs have none there."""
    pack = next((index for index, view in enumerate(views) if view.get("low")), None)
    if pack is None:
        return None
    own = [part if of == pack else None for part, of in zip(parts, packs, strict=True)]
    return {"pack": pack, **views[pack]["low"], "parts": own} if any(own) else None


def _slide_notice(slides: list[dict[str, Any] | None]) -> str | None:
    levels = {
        (slide["columns"], slide["rows"])
        for slide in slides
        if slide is not None and slide["role"] == "VOLUME"
    }
    if not any(slides):
        return None
    if not levels:
        return "病理切片：概览图。"
    columns, rows = max(levels)
    return (
        f"病理切片：先列概览图，再由粗到细列 {len(levels)} 级图像；细的各级由拼块组成，按行逐块显示。"
        f"最细一级共 {columns}×{rows} 像素。"
    )


def _key_frame(block: dict[str, Any]) -> int:
    """The middle of the stack; of a slide the finest picture that shows it whole."""
    slides = _values(block, "slide")
    if not block["count"] or not all(slides):
        return int(block["count"]) // 2
    sizes = [
        columns * rows if is_whole({"slide": slide, "columns": columns, "rows": rows}) else 0
        for slide, columns, rows in zip(
            slides, _values(block, "columns"), _values(block, "rows"), strict=True
        )
    ]
    roles = [slide["role"] == "LABEL" for slide in slides]
    usable = [
        (0 if is_label or size > MAX_SLIDE_SIDE**2 else size, -index)
        for index, (size, is_label) in enumerate(zip(sizes, roles, strict=True))
    ]
    return -max(usable)[1]
