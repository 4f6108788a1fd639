"""Pixels go through the codec and come back the same, whatever they are."""

import struct

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from imaging import codecs
from imaging.pack.entry_writer import level_ends, level_prefixes
from tests.unit.imaging.dicom_files import dataset, slope

pytestmark = pytest.mark.requirement("D3")

KINDS = ("<u1", "<i1", "<u2", "<i2")


def facts(pixels: np.ndarray, codec: str = "htj2k", samples: int = 1) -> dict[str, object]:
    return {
        "codec": codec,
        "rows": pixels.shape[0],
        "columns": pixels.shape[1],
        "samples": samples,
        "bits_allocated": pixels.dtype.itemsize * 8,
        "signed": pixels.dtype.kind == "i",
        "photometric": "MONOCHROME2",
    }


@given(
    st.sampled_from(KINDS).flatmap(
        lambda kind: nps.arrays(np.dtype(kind), st.tuples(st.integers(1, 70), st.integers(1, 70)))
    )
)
def test_htj2k_is_lossless_for_any_pixels(pixels: np.ndarray) -> None:
    assert np.array_equal(codecs.decode(codecs.encode(pixels), facts(pixels)), pixels)


def test_the_codestream_is_htj2k_with_rpcl_and_tlm() -> None:
    stream = codecs.encode(slope(128, 96))
    assert stream[:4] == b"\xff\x4f\xff\x51", "SOC, SIZ"
    cap = stream.index(b"\xff\x50")
    assert struct.unpack_from(">I", stream, cap + 4)[0] & 0x00020000, "Part 15 is needed to read it"
    cod = stream.index(b"\xff\x52")
    assert stream[cod + 5] == 2, "RPCL"
    assert stream[cod + 13] == 1, "reversible 5/3"
    assert b"\xff\x55" in stream[:200], "TLM"


@pytest.mark.parametrize(("rows", "columns"), [(512, 512), (511, 300), (64, 64), (20, 30), (1, 1000)])
def test_a_prefix_of_the_codestream_holds_the_small_levels(rows: int, columns: int) -> None:
    stream = codecs.encode(slope(rows, columns))
    ends = level_ends(stream)
    assert ends == sorted(ends) and ends[-1] == len(stream)
    low, mid = level_prefixes(ends, dataset(slope(rows, columns)))
    assert 0 < low <= mid <= len(stream)
    assert stream[low : low + 2] in (b"\xff\x90", b""), "a tile-part or the end begins there"
    if max(rows, columns) > 64:
        assert mid < len(stream)


def test_raw_pixels_are_little_endian() -> None:
    pixels = slope(3, 5)
    assert np.array_equal(codecs.decode(pixels.tobytes(), facts(pixels, "raw")), pixels)


def test_rle_gives_samples_by_pixel() -> None:
    # PS3.5 §G: header of three segments, each a literal run of two bytes.
    plane = b"\x01"
    data = struct.pack("<16I", 3, 64, 68, 72, *[0] * 12)
    data += b"".join(plane + bytes(pair) + b"\0" for pair in ((1, 2), (11, 12), (21, 22)))
    shape = np.zeros((1, 2), np.uint8)
    assert codecs.decode(data, facts(shape, "rle", samples=3)).tolist() == [[[1, 11, 21], [2, 12, 22]]]


def test_a_stream_of_other_size_than_the_header_says_is_refused() -> None:
    with pytest.raises(ValueError, match="reshape"):
        codecs.decode(codecs.encode(slope(64, 64)), facts(slope(64, 65)))


def test_no_decoder_no_pixels() -> None:
    with pytest.raises(ValueError, match="no decoder"):
        codecs.decode(b"", facts(slope(1, 1), "mpeg"))


@pytest.mark.requirement("E12")
def test_a_jpeg_of_rgb_that_does_not_say_so_keeps_its_colours() -> None:
    """Photometric Interpretation governs; the library alone would make green of red."""
    red = np.full((32, 32, 3), (200, 30, 40), "u1")
    stream = bytearray(imagecodecs.jpeg8_encode(red, colorspace="rgb", outcolorspace="rgb"))
    adobe = stream.index(b"\xff\xee")
    del stream[adobe : adobe + 2 + int.from_bytes(stream[adobe + 2 : adobe + 4], "big")]
    for place in (stream.index(b"\xff\xc0") + 10, stream.index(b"\xff\xda") + 5):
        step = 3 if stream[place - 9] == 0xC0 else 2
        stream[place : place + 3 * step : step] = bytes(
            (1, 2, 3)
        )  # components named R, G, B would say it too
    told = facts(red, "jpeg", 3) | {"photometric": "RGB"}
    assert np.abs(codecs.decode(bytes(stream), told)[5, 5].astype(int) - red[5, 5]).max() <= 2
    assert not np.allclose(
        codecs.decode(bytes(stream), told | {"photometric": "YBR_FULL_422"})[5, 5], red[5, 5], atol=9
    )
