"""The JPEG of a frame against pydicom's own pipeline, for every photometric and function."""

import io
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, convert_color_space

from imaging import render
from imaging.pack.prepare import prepare
from imaging.render import MOST_SIDE, Window, render_jpeg, size_of
from tests.unit.imaging import dicom_files

# Quality 93 on smooth pictures.
TOLERANCE, MEAN_TOLERANCE = 6, 1.0


def rendered(content: bytes, window: Window | None = None, side: int = MOST_SIDE) -> np.ndarray:
    """Through the pack's own preparation, as the server does it."""
    made = prepare(content)
    offset, length = made.frames[0]
    facts = {**made.view, **(made.frame_views[0] if made.frame_views else {})}
    picture = render_jpeg(made.entry[offset : offset + length], facts, made.tables, window, side)
    return imagecodecs.jpeg8_decode(picture).astype(int)


def require_alike(picture: np.ndarray, wanted: np.ndarray) -> None:
    assert picture.shape == wanted.shape
    difference = np.abs(picture - np.rint(wanted))
    assert difference.max() <= TOLERANCE
    assert difference.mean() <= MEAN_TOLERANCE


def by_pydicom(content: bytes, window: Window | None = None) -> np.ndarray:
    """What pydicom shows: modality LUT, VOI, scaled to 0…255, inverted for MONOCHROME1."""
    dataset = pydicom.dcmread(io.BytesIO(content))
    if window is not None:
        dataset.WindowCenter, dataset.WindowWidth = window.center, window.width
    values = apply_modality_lut(dataset.pixel_array, dataset)
    shown = apply_voi_lut(values, dataset, prefer_lut=False).astype(float)
    least, most = _range(dataset)
    shown = (shown - least) * 255 / (most - least)
    return 255 - shown if dataset.PhotometricInterpretation == "MONOCHROME1" else shown


def _range(dataset: Dataset) -> tuple[float, float]:
    """The output range of pydicom's windowing: all stored values after rescale."""
    bits, signed = dataset.BitsStored, dataset.PixelRepresentation
    ends = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    slope, intercept = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
    return ends[0] * slope + intercept, ends[1] * slope + intercept


def smooth(kind: str = "<i2") -> np.ndarray:
    y, x = np.mgrid[0:96, 0:128]
    return (x * 5 + y * 3 - (200 if kind == "<i2" else 0)).astype(kind)


@pytest.mark.requirement("E1", "E13", "E15")
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("window", [None, Window(100, 400), Window(37.5, 80)])
def test_grey_is_what_pydicom_shows(photometric: str, function: str, window: Window | None) -> None:
    content = dicom_files.file(
        smooth(),
        PhotometricInterpretation=photometric,
        RescaleSlope="1.5",
        RescaleIntercept="-24",
        WindowCenter="120",
        WindowWidth="600",
        VOILUTFunction=function,
    )
    require_alike(rendered(content, window), by_pydicom(content, window))


@pytest.mark.requirement("E1", "E13")
def test_unsigned_twelve_bits_with_rubbish_above() -> None:
    pixels = smooth("<u2") | 0xA000
    content = dicom_files.file(pixels, BitsStored=12, HighBit=11, WindowCenter="400", WindowWidth="700")
    clean = dicom_files.file(smooth("<u2"), BitsStored=12, HighBit=11, WindowCenter="400", WindowWidth="700")
    require_alike(rendered(content), by_pydicom(clean))


def colour() -> np.ndarray:
    y, x = np.mgrid[0:96, 0:128]
    return np.stack([x * 2, y * 2, (x + y)], -1).astype("u1")


def colour_file(photometric: str, pixels: np.ndarray, planar: int = 0) -> bytes:
    data = np.moveaxis(pixels, -1, 0).tobytes() if planar else pixels.tobytes()
    made = dicom_files.dataset(pixels[..., 0])
    made.SamplesPerPixel, made.PhotometricInterpretation, made.PlanarConfiguration = 3, photometric, planar
    made.PixelData = data
    return dicom_files.part10(made)


@pytest.mark.requirement("E1", "E13")
@pytest.mark.parametrize("planar", [0, 1])
def test_rgb_and_ybr(planar: int) -> None:
    require_alike(rendered(colour_file("RGB", colour(), planar)), colour().astype(float))
    ybr = convert_color_space(colour(), "RGB", "YBR_FULL")
    wanted = convert_color_space(ybr, "YBR_FULL", "RGB")
    require_alike(rendered(colour_file("YBR_FULL", ybr, planar)), wanted.astype(float))


@pytest.mark.requirement("E1", "E13")
def test_palette() -> None:
    ramp = np.arange(256, dtype="<u2")
    tables = {"Red": ramp * 257, "Green": (255 - ramp) * 257, "Blue": ramp // 2 * 257}
    elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for name, table in tables.items():
        elements[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        elements[f"{name}PaletteColorLookupTableData"] = table.tobytes()
    y, x = np.mgrid[0:96, 0:128]
    content = dicom_files.file((x + y).astype("u1"), **elements)
    dataset = pydicom.dcmread(io.BytesIO(content))
    require_alike(rendered(content), apply_color_lut(dataset.pixel_array, dataset) / 257)


@pytest.mark.requirement("E1")
def test_proportions_are_those_of_the_body_and_sizes_are_bounded() -> None:
    tall = {"rows": 100, "columns": 200, "spacing": [2.0, 1.0]}
    assert size_of(tall, 1024) == (200, 200)
    assert size_of({"rows": 4000, "columns": 3000, "spacing": None}, 9999) == (768, 1024)
    assert size_of({"rows": 10, "columns": 10, "spacing": [50.0, 0.1]}, 1024) == (10, 10)
    content = dicom_files.file(smooth(), PixelSpacing=["2", "1"], WindowCenter="100", WindowWidth="400")
    assert rendered(content, side=64).shape == (64, 43)


@pytest.mark.requirement("E1", "K5")
def test_a_palette_that_is_gone_gives_no_picture() -> None:
    content = dicom_files.file((smooth("<u2") & 255).astype("u1"), PhotometricInterpretation="PALETTE COLOR")
    with pytest.raises(ValueError, match="palette"):
        rendered(content)


@pytest.mark.requirement("E1", "K5")
@pytest.mark.parametrize("told", [{}, {"WindowCenter": "200", "WindowWidth": "300"}])
def test_a_large_picture_is_made_in_bands(monkeypatch: pytest.MonkeyPatch, told: dict[str, Any]) -> None:
    """Numbers of 8 bytes for a whole mammogram would be a gigabyte of the server's memory."""
    content = dicom_files.file(smooth(), **told)
    whole = rendered(content)
    monkeypatch.setattr(render, "AT_ONCE", 4000)
    # What the pixels suggest is asked of every third row.
    assert np.abs(rendered(content) - whole).max() <= (0 if told else 2 * TOLERANCE)


@pytest.mark.parametrize("codec", ["jpegls", "jpeg2000"])
def test_colours_that_a_codec_leaves_as_ybr_are_undone(codec: str) -> None:
    """Only a JPEG decoder makes RGB of them by itself."""
    ybr = np.full((16, 16, 3), (82, 104, 212), "u1")
    encoded = {
        "jpegls": lambda: imagecodecs.jpegls_encode(ybr),
        "jpeg2000": lambda: imagecodecs.jpeg2k_encode(ybr, mct=False, reversible=True),
    }[codec]()
    facts = {
        "codec": codec,
        "rows": 16,
        "columns": 16,
        "samples": 3,
        "bits_allocated": 8,
        "bits_stored": 8,
        "signed": False,
        "photometric": "YBR_FULL",
    }
    shown = imagecodecs.jpeg8_decode(render_jpeg(bytes(encoded), facts, [], None, 64))
    assert np.abs(shown[8, 8].astype(int) - (200, 30, 40)).max() <= TOLERANCE
