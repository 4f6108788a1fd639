"""Preview and thumbnail of the key image as WebP: what the first paint needs (K2)."""

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


def draw(data: bytes, facts: dict[str, Any]) -> Pictures | None:
    """Decode one frame, apply its window, and shrink; None when nothing fits the sizes, or colours are in a palette."""
    if facts["photometric"] == "PALETTE COLOR":
        return None
    picture = _displayed(codecs.decode(data, facts), facts)
    preview = _webp(picture, PREVIEW_SIDE, PREVIEW_BYTES)
    thumbnail = _webp(picture, THUMBNAIL_SIDE, THUMBNAIL_BYTES)
    return Pictures(preview, thumbnail) if preview and thumbnail else None


def _displayed(pixels: np.ndarray, facts: dict[str, Any]) -> np.ndarray:
    """8-bit RGB as a screen shows it (PS3.3 §C.11.2.1.2; linear exact is close enough for a picture)."""
    if pixels.ndim == 3:
        colours = (pixels >> max(0, facts["bits_stored"] - 8)).astype(np.uint8)
        is_ybr = facts["photometric"] == "YBR_FULL" and facts["codec"] in ("raw", "rle")
        return _rgb_of_ybr(colours) if is_ybr else colours
    values = pixels.astype(np.float32) * facts["slope"] + facts["intercept"]
    if facts["center"]:
        low, high = facts["center"][0] - facts["width"][0] / 2, facts["center"][0] + facts["width"][0] / 2
    else:
        low, high = (float(value) for value in np.percentile(values, (0.5, 99.5)))
    grey = np.clip((values - low) * (255.0 / max(high - low, 1e-6)), 0, 255).astype(np.uint8)
    if facts["photometric"] == "MONOCHROME1":
        grey = 255 - grey
    return np.repeat(grey[..., None], 3, axis=2)


def _rgb_of_ybr(pixels: np.ndarray) -> np.ndarray:
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
