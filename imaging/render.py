"""One frame as a JPEG for browsers that cannot decode DICOM (E1: IE11). Runs in a limited process.

The grey pipeline is that of PS3.4 §N.2: Modality LUT or rescale, VOI LUT or window, then the photometric's sense.
"""

from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image

from imaging import codecs
from imaging.pack.pictures import looked_up, rgb_of_ybr, stored_values

MOST_SIDE = 1024
QUALITY = 93
# Seen at all: no window was sent and none is in the header, and a few dead pixels shall not make it black.
FROM_PERCENT, TO_PERCENT = 0.5, 99.5
# Pixels made into numbers of 8 bytes at once: of a mammogram all at once would be a gigabyte.
AT_ONCE = 2**20


@dataclass(frozen=True)
class Window:
    """Centre and width in the values after the Modality LUT."""

    center: float
    width: float


def render_jpeg(
    data: bytes, facts: dict[str, Any], tables: list[dict[str, Any]], window: Window | None, side: int
) -> bytes:
    """The frame in the proportions of the body, its longer side at most `side` and never enlarged beyond its pixels."""
    pixels = displayed(codecs.decode(data, facts), facts, tables, window)
    columns, rows = size_of(facts, side)
    if (rows, columns) != pixels.shape[:2]:
        shrunk = Image.fromarray(pixels).resize((columns, rows), Image.Resampling.BOX, reducing_gap=None)
        pixels = np.asarray(shrunk)
    return bytes(imagecodecs.jpeg8_encode(np.ascontiguousarray(pixels), level=QUALITY, subsampling="444"))


def size_of(facts: dict[str, Any], side: int) -> tuple[int, int]:
    """Columns and rows of the picture: square pixels, whatever the image's are (PS3.3 §C.7.6.3.1.7, §10.7)."""
    vertical, horizontal = facts.get("spacing") or facts.get("pixel_aspect") or (1.0, 1.0)
    width = float(facts["columns"])
    height = facts["rows"] * vertical / horizontal
    # A mistake in a header must not make a thread out of a picture.
    if not 0.1 <= height / facts["rows"] <= 10:
        height = float(facts["rows"])
    factor = min(1.0, min(side, MOST_SIDE) / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))


def displayed(
    pixels: np.ndarray, facts: dict[str, Any], tables: list[dict[str, Any]], window: Window | None
) -> np.ndarray:
    """8 bits as a screen shows them: (rows, columns), colours (rows, columns, 3). Raises ValueError without a palette."""
    if pixels.ndim == 3:
        colours = (pixels >> max(0, facts["bits_stored"] - 8)).astype(np.uint8)
        is_ybr = facts["photometric"].startswith("YBR_FULL") and facts["codec"] != "jpeg"
        return rgb_of_ybr(colours) if is_ybr else colours
    if window is None and _has_no_window(facts):
        rows = pixels[:: max(1, pixels.size // AT_ONCE)]
        window = _suggested(_modality(stored_values(rows, facts), facts, tables))
        facts = {**facts, "voi_function": "LINEAR_EXACT"}
    step = max(1, AT_ONCE // pixels.shape[1])
    bands = [pixels[top : top + step] for top in range(0, len(pixels), step)]
    return np.concatenate([_band(band, facts, tables, window) for band in bands])


def _has_no_window(facts: dict[str, Any]) -> bool:
    has_table = facts.get("voi_lut") is not None or facts["photometric"] == "PALETTE COLOR"
    return not facts["center"] and not has_table


def _suggested(values: np.ndarray) -> Window:
    low, high = (float(value) for value in np.percentile(values, (FROM_PERCENT, TO_PERCENT)))
    return Window((low + high) / 2, max(high - low, 1e-6))


def _band(
    pixels: np.ndarray, facts: dict[str, Any], tables: list[dict[str, Any]], window: Window | None
) -> np.ndarray:
    stored = stored_values(pixels, facts)
    if facts["photometric"] == "PALETTE COLOR":
        if not facts.get("palette"):
            raise ValueError("the palette of these pixels cannot be read")
        # Entries of 16 bits: their high byte is what a screen of 8 bits shows.
        planes = [looked_up(stored, tables[index], 255) for index in facts["palette"]]
        return np.rint(np.stack(planes, -1)).astype(np.uint8)
    grey = _grey(_modality(stored, facts, tables), facts, tables, window)
    shown = np.rint(np.clip(grey, 0, 255)).astype(np.uint8)
    return 255 - shown if facts["photometric"] == "MONOCHROME1" else shown


def _modality(stored: np.ndarray, facts: dict[str, Any], tables: list[dict[str, Any]]) -> np.ndarray:
    if facts.get("modality_lut") is not None:
        return looked_up(stored, tables[facts["modality_lut"]], None).astype(np.float64)
    return stored.astype(np.float64) * facts["slope"] + facts["intercept"]


def _grey(
    values: np.ndarray, facts: dict[str, Any], tables: list[dict[str, Any]], window: Window | None
) -> np.ndarray:
    """0 to 255. What was asked for or what the pixels suggest, else the header's window, else its table."""
    if window is None and facts["center"]:
        window = Window(facts["center"][0], facts["width"][0])
    if window is None:
        return looked_up(values, tables[facts["voi_lut"]], 255)
    return windowed(values, window, facts.get("voi_function") or "LINEAR")


def windowed(values: np.ndarray, window: Window, function: str) -> np.ndarray:
    """PS3.3 §C.11.2.1.2.1 LINEAR, §C.11.2.1.3.1 SIGMOID, §C.11.2.1.3.2 LINEAR_EXACT, to 0…255."""
    center, width = window.center, window.width
    if function == "SIGMOID":
        exponent = np.clip(-4 * (values - center) / max(width, 1e-6), -500, 500)
        return 255.0 / (1 + np.exp(exponent))
    if function == "LINEAR_EXACT":
        return ((values - center) / max(width, 1e-6) + 0.5) * 255.0
    if width <= 1:
        return np.where(values > center - 0.5, 255.0, 0.0)
    return ((values - (center - 0.5)) / (width - 1) + 0.5) * 255.0
