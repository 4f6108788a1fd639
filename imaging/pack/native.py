"""Frames of native pixels that are kept as they came: colour, big endian, 32 bits (PS3.5 §8.1, §8.2)."""

from typing import Any

from imaging import codecs
from imaging.pack.part10 import Layout

BITS = frozenset({8, 16, 32})
# Two samples of luminance for one of each colour: 16 bits a pixel (PS3.3 §C.7.6.3.1.2).
HALF_COLOUR = "YBR_FULL_422"


def native_frames(layout: Layout, view: dict[str, Any], count: int) -> list[tuple[int, int]]:
    """(offset, length) of each frame, noting in `view` how its bytes are to be read; empty when they do not fit."""
    if view["bits_allocated"] not in BITS:
        return []
    pixels = view["rows"] * view["columns"]
    is_half = view["photometric"] == HALF_COLOUR and view["samples"] == 3
    if is_half and (view["bits_allocated"] != 8 or view["columns"] % 2):
        return []
    size = pixels * 2 if is_half else pixels * view["samples"] * view["bits_allocated"] // 8
    if count * size > layout.end - layout.value:
        return []
    if layout.transfer_syntax == codecs.EXPLICIT_BE:
        # Bytes in words are swapped too (PS3.5 §8.1.1); a frame that begins inside a word cannot be read alone.
        is_in_words = layout.pixel_vr == "OW"
        if view["bits_allocated"] == 8 and is_in_words and size % 2 and count > 1:
            return []
        view["big_endian"] = view["bits_allocated"] > 8 or is_in_words
        if view["bits_allocated"] == 8 and is_in_words and size % 2:
            size += 1
    view["planar"] = int(layout.header.get("PlanarConfiguration") or 0) & 1 if view["samples"] == 3 else 0
    return [(layout.value + index * size, size) for index in range(count)]
