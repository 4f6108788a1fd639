"""Files of real devices through the platform's own archive into the browser: the values are pydicom's."""

from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import Browser
from pydicom.pixels import pixel_array

from crypto.keyring import Keyring
from crypto.providers.portable import PortableProvider
from crypto.sm3 import sm3
from tests.browser.film_fixture import DIST
from tests.browser.packed_film import PackedFilm
from tests.shared_data import shared_dir

# One of each native layout of samples, byte order and sign, and of RLE: what pydicom reads without other libraries.
# Frames that came compressed: test_viewer_real_frames.py.
FILES = [
    "broken/SC_rgb_small_odd_big_endian.dcm",
    "broken/UnknownSopClassUid.dcm",
    "charset_cn/chrGB2312.dcm",
    "ct_headneck_cerr/IMG_00000.dcm",
    "ct_scout_phantom_philips/axial_5mm/I10",
    "modalities/DX_small_mono1.dcm",
    "modalities/US_palette.dcm",
    "modalities/US_rgb.dcm",
    "modalities/US_ybrfull_rle.dcm",
    "transfer_syntax/MR_small_RLE.dcm",
    "transfer_syntax/MR_small_bigendian.dcm",
    "transfer_syntax/MR_small_implicit.dcm",
    "transfer_syntax/SC_rgb_rle_16bit.dcm",
    "transfer_syntax/SC_ybr_full_422_uncompressed.dcm",
]

pytestmark = [
    pytest.mark.skipif(
        not (DIST / "film.js").exists(), reason="the viewer is not built: npm ci && npm run build in web/"
    ),
    pytest.mark.requirement("E13", "S1"),
]


def expected(path: Path) -> bytes:
    """Stored samples of the first frame, little-endian, colour by pixel, not converted."""
    dataset = pydicom.dcmread(path)
    samples = pixel_array(dataset, index=0, raw=True)
    kind = "i" if dataset.PixelRepresentation else "u"
    return samples.astype(f"<{kind}{dataset.BitsAllocated // 8}").tobytes()


def test_values_are_those_that_pydicom_reads(chromium: Browser, tmp_path: Path, keyring: Keyring) -> None:
    paths = [shared_dir("data", "dicom", *file.split("/")) for file in FILES]
    server = PackedFilm(tmp_path, [[path.read_bytes()] for path in paths], keyring, PortableProvider())
    page = chromium.new_page()
    with server.running():
        page.goto(f"{server.url}/film")
        found = {
            file: page.evaluate("(series) => cloudfilm.frameBytes(series, 0).catch(String)", index)
            for index, file in enumerate(FILES)
        }
        page.close()
    assert found == {file: sm3(expected(path)).hex() for file, path in zip(FILES, paths, strict=True)}
