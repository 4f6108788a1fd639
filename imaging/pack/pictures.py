"""Preview and thumbnail of the key image as WebP: what the first paint needs (K2)."""

import base64
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np

from imaging import codecs

PREVIEW_BYTES, PREVIEW_SIDE = 15_000, 512
THUMBNAIL_BYTES, THUMBNAIL_SIDE = 4_000, 128
QUALITIES = (80, 65, 50, 35, 20, 8)


@dataclass(frozen=True)
class Pictures:
    """Two WebP files."""

    preview: bytes
    thumbnail: bytes


def draw(data: bytes, facts: dict[str, Any], tables: list[dict[str, Any]] | None = None) -> Pictures | None:
    """Decode one frame, apply its window, and shrink; None when nothing fits the sizes, or its palette is not known."""
    if facts["photometric"] == "PALETTE COLOR" and not facts.get("palette"):
        return None
    picture = _displayed(codecs.decode(data, facts), facts, tables or [])
    preview = _webp(picture, PREVIEW_SIDE, PREVIEW_BYTES)
    thumbnail = _webp(picture, THUMBNAIL_SIDE, THUMBNAIL_BYTES)
    return Pictures(preview, thumbnail) if preview and thumbnail else None


def as_jpeg(webp: bytes, most: int = PREVIEW_BYTES) -> bytes | None:
    """One of our pictures for a browser that knows no WebP, at half its size where it must be to fit `most` bytes."""
    picture = np.ascontiguousarray(imagecodecs.webp_decode(webp)[..., :3])
    for shrunk in (picture, np.ascontiguousarray(picture[::2, ::2])):
        for quality in QUALITIES:
            data = bytes(imagecodecs.jpeg8_encode(shrunk, level=quality))
            if len(data) <= most:
                return data
    return None


def _displayed(pixels: np.ndarray, facts: dict[str, Any], tables: list[dict[str, Any]]) -> np.ndarray:
    """8-bit RGB as a screen shows it (PS3.3 §C.11.2.1.2; linear exact and sigmoid are close enough for a picture)."""
    if pixels.ndim == 3:
        colours = (pixels >> max(0, facts["bits_stored"] - 8)).astype(np.uint8)
        is_ybr = facts["photometric"].startswith("YBR_FULL") and facts["codec"] != "jpeg"
        return rgb_of_ybr(colours) if is_ybr else colours
    stored = stored_values(pixels, facts)
    if facts.get("palette"):
        return np.stack([looked_up(stored, tables[index], 255) for index in facts["palette"]], -1).astype(
            np.uint8
        )
    if facts.get("modality_lut") is not None:
        stored = looked_up(stored, tables[facts["modality_lut"]], None)
    values = stored.astype(np.float32) * facts["slope"] + facts["intercept"]
    if facts["center"]:
        low, high = facts["center"][0] - facts["width"][0] / 2, facts["center"][0] + facts["width"][0] / 2
        grey = np.clip((values - low) * (255.0 / max(high - low, 1e-6)), 0, 255).astype(np.uint8)
    elif facts.get("voi_lut") is not None:
        grey = looked_up(values, tables[facts["voi_lut"]], 255).astype(np.uint8)
    else:
        low, high = (float(value) for value in np.percentile(values, (0.5, 99.5)))
        grey = np.clip((values - low) * (255.0 / max(high - low, 1e-6)), 0, 255).astype(np.uint8)
    if facts["photometric"] == "MONOCHROME1":
        grey = 255 - grey
    return np.repeat(grey[..., None], 3, axis=2)


def stored_values(pixels: np.ndarray, facts: dict[str, Any]) -> np.ndarray:
    """Without what lies above Bits Stored, such as old overlays (PS3.5 §8.1.1), and with the sign of its highest bit."""
    unused = facts["bits_allocated"] - facts["bits_stored"]
    return (pixels << unused) >> unused if unused > 0 else pixels


def looked_up(values: np.ndarray, table: dict[str, Any], most: int | None) -> np.ndarray:
    """Entries of a look-up table, scaled to `most`; values beyond its ends take the end's (PS3.3 §C.11.1.1)."""
    entries = np.frombuffer(base64.b64decode(table["data"]), "<u2").astype(np.float32)
    if most is not None:
        entries *= most / (2 ** table["bits"] - 1)
    return entries[np.clip(values.astype(np.int64) - table["first"], 0, len(entries) - 1)]


def rgb_of_ybr(pixels: np.ndarray) -> np.ndarray:
    """PS3.3 §C.7.6.3.1.2 YBR_FULL, undone; JPEG decoders do this themselves."""
    y, cb, cr = (pixels[..., index].astype(np.float32) for index in range(3))
    cb, cr = cb - 128, cr - 128
    rgb = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=-1)
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


def _webp(picture: np.ndarray, side: int, most: int) -> bytes | None:
    shrunk = _shrink(picture, side)
    while min(shrunk.shape[:2]) >= 1:
        for quality in QUALITIES:
            data = bytes(imagecodecs.webp_encode(np.ascontiguousarray(shrunk), level=quality))
            if len(data) <= most:
                return data
        if min(shrunk.shape[:2]) < 32:
            return None
        shrunk = shrunk[::2, ::2]
    return None


def _shrink(picture: np.ndarray, side: int) -> np.ndarray:
    """Box average by a whole factor, so that a fine pattern does not flicker."""
    factor = -(-max(picture.shape[:2]) // side)
    rows, columns = picture.shape[0] // factor, picture.shape[1] // factor
    if factor == 1 or not rows or not columns:
        return picture
    cut = picture[: rows * factor, : columns * factor].astype(np.uint16)
    return cut.reshape(rows, factor, columns, factor, 3).mean(axis=(1, 3)).astype(np.uint8)
