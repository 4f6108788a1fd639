"""A smaller copy of grey frames for slow networks: HTJ2K, 16 bits, irreversible (PS3.5 §A.4.11).

The step of quantisation follows the range that the frame's values really have: one step for all would take the picture
away from an MR whose values end at 500.
"""

from typing import Any

import imagecodecs
import numpy as np

# Steps across the range between the 0.1th and the 99.9th percentile; measured, see docs/sealed-pack.md.
STEPS = 140
# The quantisation step is told to the codec as a part of the 16 bits.
FULL_RANGE = 65536
# Not worth a place in the pack when it saves less than half.
WORTH = 0.5
# An error of so many steps is no quantisation but a mistake.
MAX_ERROR_STEPS = 64


def is_worth_it(view: dict[str, Any]) -> bool:
    """Whether frames of these facts get a smaller copy: grey, of more than 8 bits.

    Not indexes into a palette: beside one lies any other colour.
    """
    is_grey = view["samples"] == 1 and view["photometric"] != "PALETTE COLOR"
    return is_grey and view["bits_allocated"] == 16 and view["bits_stored"] > 8


def encode(pixels: np.ndarray, lossless_bytes: int) -> bytes | None:
    """The codestream of `pixels` (rows, columns), or None when it would not help or would not be the same picture."""
    low, high = np.percentile(pixels, (0.1, 99.9))
    step = max(1.0, float(high - low) / STEPS)
    stream = bytes(
        imagecodecs.htj2k_encode(pixels, reversible=False, level=step / FULL_RANGE, tlm=True, tilepart=1)
    )
    if len(stream) > WORTH * lossless_bytes:
        return None
    shown = np.asarray(imagecodecs.htj2k_decode(stream))
    if shown.shape != pixels.shape or shown.dtype != pixels.dtype:
        return None
    error = np.abs(shown.astype(np.int32) - pixels.astype(np.int32))
    return stream if int(error.max()) <= MAX_ERROR_STEPS * step else None
