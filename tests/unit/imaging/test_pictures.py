"""Preview and thumbnail: small enough for the first paint, and looking like the image on a film."""

from typing import Any

import imagecodecs
import numpy as np
import pytest

from imaging.pack.pictures import PREVIEW_BYTES, THUMBNAIL_BYTES, Pictures, draw
from tests.unit.imaging.dicom_files import noise

pytestmark = pytest.mark.requirement("E12", "K2")


def pictures(pixels: np.ndarray, **other: Any) -> Pictures | None:
    facts = {
        "codec": "raw", "rows": pixels.shape[0], "columns": pixels.shape[1], "samples": 3 if pixels.ndim == 3 else 1,
        "bits_allocated": pixels.dtype.itemsize * 8, "bits_stored": pixels.dtype.itemsize * 8,
        "signed": pixels.dtype.kind == "i", "photometric": "MONOCHROME2", "slope": 1.0, "intercept": 0.0,
        "center": [], "width": [], **other,
    }  # fmt: skip
    return draw(pixels.tobytes(), facts)


def seen(pixels: np.ndarray, **other: Any) -> np.ndarray:
    made = pictures(pixels, **other)
    assert made is not None
    return np.asarray(imagecodecs.webp_decode(made.preview)).astype(int)


def ramp(kind: str = "<i2") -> np.ndarray:
    return np.tile(np.arange(256), (256, 1)).astype(kind)


@pytest.mark.parametrize("shape", [(2000, 1500), (64, 4000), (512, 512), (33, 40), (8, 8)])
def test_even_noise_fits(shape: tuple[int, int]) -> None:
    made = pictures(noise(shape))
    assert made is not None
    assert len(made.preview) <= PREVIEW_BYTES and len(made.thumbnail) <= THUMBNAIL_BYTES
    assert max(imagecodecs.webp_decode(made.preview).shape[:2]) <= 512
    assert max(imagecodecs.webp_decode(made.thumbnail).shape[:2]) <= 128


def test_the_window_of_the_object_is_used_in_its_output_units() -> None:
    # Stored 0…255 is HU -100…155; the window shows -50…50.
    picture = seen(ramp(), intercept=-100.0, center=[0.0], width=[100.0])
    assert picture[128, 30].max() < 8 and picture[128, 200].min() > 247
    assert abs(picture[128, 100].mean() - 127) < 12


def test_without_a_window_the_picture_uses_its_range() -> None:
    picture = seen(ramp() * 40 - 5000)
    assert picture[128, 5].max() < 20 and picture[128, 250].min() > 235


def test_monochrome1_is_light_where_values_are_low() -> None:
    picture = seen(ramp(), photometric="MONOCHROME1")
    assert picture[128, 5].min() > 235 and picture[128, 250].max() < 20


def test_a_flat_picture_is_no_fault() -> None:
    assert pictures(np.full((40, 40), 7, "<i2")) is not None


@pytest.mark.parametrize(
    ("pixel", "kind", "other", "rgb"),
    [
        ((200, 30, 60), "<u1", {"photometric": "RGB"}, (200, 30, 60)),
        ((200 << 8, 30 << 8, 60 << 8), "<u2", {"photometric": "RGB"}, (200, 30, 60)),
        ((76, 85, 255), "<u1", {"photometric": "YBR_FULL"}, (254, 0, 0)),
    ],
)
def test_colours(pixel: tuple[int, ...], kind: str, other: dict[str, Any], rgb: tuple[int, ...]) -> None:
    picture = seen(np.full((64, 64, 3), pixel, kind), **other)
    assert np.abs(picture[32, 32, :3] - rgb).max() <= 6


def test_colours_in_a_palette_are_not_drawn_as_grey() -> None:
    assert pictures(ramp("<u1"), photometric="PALETTE COLOR") is None
