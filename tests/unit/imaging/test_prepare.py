"""One received file into one entry: HTJ2K where the way back is certain, else the file itself."""

import struct
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, generate_frames
from pydicom.filebase import DicomBytesIO

from imaging import codecs
from imaging.pack.entry_writer import CHUNK
from imaging.pack.part10 import read_layout
from imaging.pack.prepare import prepare
from imaging.pack.source import Prepared
from tests.unit.imaging import dicom_files
from tests.unit.imaging.dicom_files import NAME, dataset, element, noise, part10, slope

JPEG_BASELINE, JPEG_2000 = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90"


def pixels_of(prepared: Prepared, index: int = 0) -> np.ndarray:
    """A frame as a reader with the frame table sees it."""
    offset, length = prepared.frames[index]
    return codecs.decode(prepared.entry[offset : offset + length], prepared.view)


@pytest.mark.requirement("D3")
@pytest.mark.parametrize("syntax", ["explicit", "implicit"])
@pytest.mark.parametrize("kind", ["<u1", "<i1", "<u2", "<i2"])
def test_native_grey_becomes_htj2k(syntax: str, kind: str) -> None:
    pixels = noise((37, 41), kind)
    prepared = prepare(dicom_files.file(pixels, syntax=syntax))
    assert (prepared.flags, prepared.view["codec"], len(prepared.frames)) == ([], "htj2k", 1)
    assert np.array_equal(pixels_of(prepared), pixels)
    assert (prepared.original_head is None) == (syntax == "explicit")


@pytest.mark.requirement("D3")
def test_the_entry_is_a_standard_file() -> None:
    pixels = np.stack([slope(64, 48, shift) for shift in range(3)])
    prepared = prepare(dicom_files.file(pixels, syntax="implicit"))
    entry = pydicom.dcmread(DicomBytesIO(prepared.entry))
    assert entry.file_meta.TransferSyntaxUID == codecs.HTJ2K_LOSSLESS_RPCL
    assert (entry.PatientName, entry.Rows, entry.NumberOfFrames) == (NAME, 64, 3)
    assert "DataSetTrailingPadding" in entry
    streams = list(generate_frames(entry.PixelData, number_of_frames=3))
    assert np.array_equal([codecs.decode(stream, prepared.view) for stream in streams], pixels)


def test_the_head_of_an_explicit_file_is_kept_byte_for_byte() -> None:
    received = dicom_files.file(slope(16, 16))
    prepared = prepare(received)
    start, end = prepared.rebuild["head"]
    assert prepared.entry[start:end] in received
    assert prepared.entry[start:end].endswith(element(0x0028, 0x0103, "US", b"\1\0"))


@pytest.mark.parametrize("frames", [1, 3])
def test_pixels_reach_from_a_chunk_to_a_chunk(frames: int) -> None:
    prepared = prepare(dicom_files.file(np.stack([slope(30, 30, shift) for shift in range(frames)])))
    assert prepared.pixel_span == (prepared.frames[0][0], len(prepared.entry))
    assert (prepared.pixel_span[1] - prepared.pixel_span[0]) % CHUNK == 0
    assert NAME.encode() not in prepared.entry[prepared.pixel_span[0] :]


def test_an_odd_number_of_bytes_has_its_pad_noted() -> None:
    prepared = prepare(dicom_files.file(noise((3, 3), "<u1")))
    assert prepared.rebuild["pad"] == "00"


def verbatim(received: bytes, *flags: str) -> Prepared:
    """It is kept as it came, with these flags."""
    prepared = prepare(received)
    assert prepared.entry == received
    assert prepared.rebuild == {"kind": "verbatim"}
    assert prepared.flags == list(flags)
    return prepared


@pytest.mark.requirement("S1", "F2")
def test_what_came_compressed_is_kept_and_found() -> None:
    streams = [bytes([0xFF, 0xD8, number]) * 7 + b"\0" for number in range(3)]
    received = dicom_files.file(
        None, syntax=JPEG_BASELINE, Rows=8, Columns=8, SamplesPerPixel=1, BitsAllocated=8, BitsStored=8,
        NumberOfFrames=3, PixelRepresentation=0, PixelData=encapsulate(streams),
    )  # fmt: skip
    prepared = verbatim(received, "verbatim")
    assert [received[offset : offset + length] for offset, length in prepared.frames] == streams
    assert prepared.view["codec"] == "jpeg"


@pytest.mark.parametrize("has_table", [True, False])
@pytest.mark.parametrize("frames", [1, 3])
def test_frames_in_several_fragments_are_joined_beside_the_file(frames: int, has_table: bool) -> None:
    streams = [b"\xff\xd8" + bytes([number]) * 95 + b"\xff\xd9\x00" for number in range(frames)]
    pieces = encapsulate(streams, fragments_per_frame=2, has_bot=has_table)
    received = dicom_files.file(
        None, syntax=JPEG_2000, Rows=8, Columns=8, SamplesPerPixel=1, BitsAllocated=8, PixelData=pieces,
        NumberOfFrames=frames,
    )  # fmt: skip
    prepared = verbatim(received, "verbatim")
    assert (prepared.frames, prepared.joined) == ([], streams)


def test_fragments_that_fit_no_number_of_frames_are_not_served() -> None:
    received = dicom_files.file(
        None, syntax=JPEG_2000, Rows=8, Columns=8, SamplesPerPixel=1, BitsAllocated=8, NumberOfFrames=4,
        PixelData=encapsulate([b"\xff\xd8" * 50 + b"\xff\xd9"] * 3, fragments_per_frame=2),
    )  # fmt: skip
    assert verbatim(received, "verbatim", "frames-in-pieces").joined == []


def test_colour_is_served_in_place_by_pixel_and_by_plane() -> None:
    pixels = noise((5, 8 * 3), "<u1")
    colour = {"SamplesPerPixel": 3, "Columns": 8, "PhotometricInterpretation": "RGB"}
    received = dicom_files.file(pixels, **colour, PlanarConfiguration=0)
    prepared = verbatim(received, "verbatim")
    assert np.array_equal(pixels_of(prepared), pixels.reshape(5, 8, 3))
    planes = verbatim(dicom_files.file(pixels, **colour, PlanarConfiguration=1), "verbatim")
    assert planes.view["planar"] == 1
    assert np.array_equal(pixels_of(planes), np.moveaxis(pixels.reshape(3, 5, 8), 0, -1))


def test_big_endian_samples_are_served_as_they_came() -> None:
    prepared = verbatim(dicom_files.file(slope(4, 4).astype(">i2"), syntax="big"), "verbatim")
    assert prepared.view["big_endian"] is True
    assert np.array_equal(pixels_of(prepared), slope(4, 4))


TAIL = element(0x7FE1, 0x0010, "LO", b"DEVICE") + element(0x7FE1, 0x1001, "LO", NAME.encode() + b" ")
PADDING = struct.pack("<HH2sHI", 0xFFFC, 0xFFFC, b"OB", 0, 10) + b"\0" * 10


@pytest.mark.requirement("K5")
@pytest.mark.parametrize("tail", [TAIL, PADDING + TAIL, PADDING[:-1], b"\xfc\xff\xfc\xff"])
def test_pixels_with_something_behind_them_are_all_head(tail: bytes) -> None:
    prepared = verbatim(dicom_files.file(slope(16, 16)) + tail, "verbatim", "mixed")
    assert (prepared.pixel_span, prepared.frames) == (None, [])
    assert prepared.joined == [slope(16, 16).tobytes()], "a copy without names is served"


def test_trailing_padding_is_nothing() -> None:
    received = dicom_files.file(slope(16, 16)) + PADDING
    assert np.array_equal(pixels_of(verbatim(received, "verbatim")), slope(16, 16))


@pytest.mark.requirement("F2")
def test_what_has_no_pixels_is_kept() -> None:
    prepared = verbatim(dicom_files.file(Modality="SR"), "no-pixels")
    assert prepared.metadata["00080060"]["Value"] == ["SR"]


@pytest.mark.parametrize(
    ("elements", "flags"),
    [
        ({"Rows": 65535, "Columns": 65535}, ["verbatim", "frames-in-pieces"]),
        ({"NumberOfFrames": 2**31 - 1}, ["verbatim", "frames-in-pieces"]),
        ({"NumberOfFrames": -3}, ["verbatim", "frames-in-pieces"]),
        ({"BitsAllocated": 1}, ["verbatim", "frames-in-pieces"]),
        ({"BitsAllocated": 0}, ["verbatim", "frames-in-pieces"]),
        ({"Rows": 0}, ["verbatim", "frames-in-pieces"]),
        ({"Rows": 15}, ["verbatim"]),
    ],
)
def test_sizes_that_lie_are_kept_as_they_are(elements: dict[str, Any], flags: list[str]) -> None:
    prepared = verbatim(dicom_files.file(slope(16, 16), **elements), *flags)
    assert all(offset + length <= len(prepared.entry) for offset, length in prepared.frames)


def test_a_file_cut_in_its_pixels_is_kept_and_called_unreadable() -> None:
    verbatim(dicom_files.file(slope(16, 16))[:-100], "unreadable:ValueError")


def test_fragments_that_lie_are_kept() -> None:
    received = dicom_files.file(
        None, syntax=JPEG_2000, Rows=8, Columns=8, SamplesPerPixel=1, BitsAllocated=8,
        PixelData=encapsulate([b"abcd"]),
    )  # fmt: skip
    at = received.index(b"abcd") - 4
    verbatim(received[:at] + b"\xf0\xff\xff\x7f" + received[at + 4 :], "unreadable:ValueError")
    verbatim(received[:-8], "unreadable:error")


def test_a_file_that_does_not_parse_is_kept() -> None:
    prepared = prepare(dicom_files.part10(dataset()) + dicom_files.nested(2000))
    assert prepared.flags == ["unreadable:RecursionError"]


def test_the_view_tells_what_display_needs() -> None:
    received = dicom_files.file(
        slope(16, 16), WindowCenter=[40, -600], WindowWidth=[400, 1500], RescaleSlope=2, RescaleIntercept=-1024,
        PixelSpacing=[0.5, 0.6], ImagePositionPatient=[1, 2, 3], ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
    )  # fmt: skip
    view = prepare(received).view
    assert (view["center"], view["width"]) == ([40, -600], [400, 1500])
    assert (view["slope"], view["intercept"], view["signed"], view["bits_stored"]) == (2, -1024, True, 16)
    assert (view["spacing"], view["position"], view["orientation"]) == (
        [0.5, 0.6],
        [1, 2, 3],
        [1, 0, 0, 0, 1, 0],
    )
    odd = prepare(dicom_files.file(slope(16, 16), WindowCenter=[40, 50], WindowWidth=400)).view
    assert (odd["center"], odd["width"], odd["spacing"], odd["position"]) == ([], [], None, None)


def test_layout_of_a_native_file() -> None:
    received = part10(dataset(slope(4, 4)))
    layout = read_layout(received)
    assert received[layout.value : layout.end] == slope(4, 4).tobytes()
    assert (layout.end, layout.fragments) == (len(received), [])


def grainy() -> np.ndarray:
    """A picture of which a smaller copy is worth its place."""
    grain = np.random.default_rng(1).normal(0, 8, (128, 128))
    return (slope(128, 128) * 2 + grain).astype("<i2")


@pytest.mark.requirement("K2", "E13")
@pytest.mark.parametrize("what", ["overlay", "no sign"])
def test_words_that_are_more_than_values_get_no_coarse_and_no_lossy_picture(what: str) -> None:
    """Between 4095 (-1) and 0 lies no 2047, and an overlay's bit is no brightness."""
    plain = grainy() - 100
    words = plain & 0xFFF if what == "no sign" else (np.abs(plain) | 0x4000).astype("<i2")
    words[0, 0] = 0
    bits = {"BitsStored": 12, "HighBit": 11}
    prepared = prepare(dicom_files.file(words, **bits))
    assert np.array_equal(pixels_of(prepared), words)
    assert (prepared.lossy, prepared.levels, prepared.prefixes) == ([], [], [])
    usual = prepare(dicom_files.file(plain, **bits))
    assert usual.lossy[0] and usual.levels and usual.prefixes


@pytest.mark.requirement("K2", "E12")
def test_indexes_into_a_palette_get_no_lossy_copy() -> None:
    grey = prepare(dicom_files.file(grainy()))
    colour = prepare(dicom_files.file(grainy(), PhotometricInterpretation="PALETTE COLOR"))
    assert grey.lossy[0] and colour.lossy == [None]


@pytest.mark.requirement("E12")
@pytest.mark.parametrize("syntax", ["explicit", "big"])
def test_pixels_that_do_not_end_at_bit_0_are_a_file_to_download(syntax: str) -> None:
    """A picture of their low 12 bits would be noise that looks like one."""
    content = dicom_files.file(slope(16, 16), BitsStored=12, HighBit=15, syntax=syntax)
    prepared = prepare(content)
    assert (prepared.entry, prepared.view["codec"]) == (content, "unknown")
    assert "not-understood:HighBit" in prepared.flags
