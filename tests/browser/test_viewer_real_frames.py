"""Frames of real devices, as they came compressed, against imagecodecs (other builds of other libraries)."""

from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from playwright.sync_api import Browser
from pydicom.encaps import generate_frames
from pydicom.pixels import pixel_array

from tests.browser.film_fixture import DIST, FilmServer, Frame, Series, ct_series
from tests.shared_data import shared_dir

LOSSLESS_JPEG = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
CODECS = {
    "1.2.840.10008.1.2.4.50": "jpeg",
    "1.2.840.10008.1.2.4.57": "jpeg",
    "1.2.840.10008.1.2.4.70": "jpeg",
    "1.2.840.10008.1.2.4.80": "jpegls",
    "1.2.840.10008.1.2.4.81": "jpegls",
    "1.2.840.10008.1.2.4.90": "jpeg2000",
    "1.2.840.10008.1.2.4.91": "jpeg2000",
    "1.2.840.10008.1.2.4.201": "htj2k",
    "1.2.840.10008.1.2.5": "rle",
}
DECODERS = {"jpegls": "jpegls", "jpeg2000": "jpeg2k", "htj2k": "htj2k"}
CASES = [
    "modalities/MG_788x1318_jpegll_overlay_out_of_bounds.dcm",
    "modalities/PT_jpegll.dcm",
    "modalities/US_multiframe30_ybr422_jpeg.dcm",
    "modalities/US_ybrfull_rle.dcm",
    "modalities/XA_multiframe96_jpegbaseline_rubo.dcm",
    "modalities/XC_photo_ybr422_jpeg_with_icon.dcm",
    "transfer_syntax/693_J2KI.dcm",
    "transfer_syntax/CT0012.fragmented_no_bot_jpeg_lossless.57.dcm",
    "transfer_syntax/GDCMJ2K_TextGBR.dcm",
    "transfer_syntax/HTJ2KLossless_08_RGB.dcm",
    "transfer_syntax/JPEG2000.dcm",
    "transfer_syntax/JPEGLSNearLossless_16.dcm",
    "transfer_syntax/MR_small_RLE.dcm",
    "transfer_syntax/MR_small_jp2klossless.dcm",
    "transfer_syntax/MR_small_jpeg_ls_lossless.dcm",
    "transfer_syntax/SC_rgb_dcmtk_+eb+cr.dcm",
    "transfer_syntax/SC_rgb_jpeg_dcmtk.dcm",
    "transfer_syntax/SC_rgb_rle_16bit.dcm",
    "transfer_syntax/examples_jpeg2k.dcm",
]

pytestmark = [
    pytest.mark.skipif(
        not (DIST / "film.js").exists(), reason="the viewer is not built: npm ci && npm run build in web/"
    ),
    pytest.mark.requirement("E13", "S1"),
]


def read_frame(path: Path) -> Frame:
    """The first frame: its bytes as they came, its samples as another decoder finds them."""
    dataset = pydicom.dcmread(path)
    count = int(dataset.get("NumberOfFrames", 1))
    encoded = next(generate_frames(dataset.PixelData, number_of_frames=count))
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax in LOSSLESS_JPEG:
        samples = imagecodecs.jpegsof3_decode(encoded)
    elif CODECS[syntax] == "rle":
        samples = pixel_array(dataset, index=0, raw=True)
    elif CODECS[syntax] == "jpeg":
        is_rgb = dataset.PhotometricInterpretation == "RGB"
        samples = imagecodecs.jpeg8_decode(
            encoded, colorspace="RGB" if is_rgb else None, outcolorspace="RGB" if is_rgb else None
        )
    else:
        samples = getattr(imagecodecs, f"{DECODERS[CODECS[syntax]]}_decode")(encoded)
    kind = "i" if dataset.PixelRepresentation else "u"
    samples = samples.astype(f"<{kind}{dataset.BitsAllocated // 8}")
    return Frame(
        CODECS[syntax],
        encoded,
        samples,
        samples.shape,
        bits=dataset.BitsAllocated,
        signed=bool(dataset.PixelRepresentation),
        photometric=dataset.PhotometricInterpretation,
    )


@pytest.mark.parametrize("case", CASES)
def test_a_real_frame_decodes_as_elsewhere(case: str, chromium: Browser) -> None:
    frame = read_frame(shared_dir("data", "dicom", *case.split("/")))
    server = FilmServer([ct_series(1), Series("OT", case, [frame])])
    page = chromium.new_page()
    with server.running():
        page.goto(f"{server.url}/film")
        digest = page.evaluate("cloudfilm.frameBytes(1, 0)")
        page.evaluate("cloudfilm.goto(1, 0)")
        state = page.evaluate("cloudfilm.state()")
        page.close()
    assert digest == frame.digest
    assert (state["fault"], state["shown"]) == (None, {"series": 1, "frame": 0})
    assert np.ptp(frame.samples) > 0
