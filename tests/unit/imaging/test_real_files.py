"""Files of real devices through the pack: facts are those that pydicom reads, pixels those that it decodes."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.pixels import pixel_array

from imaging import codecs
from imaging.film_series import series_of
from imaging.frame_table import frames_of_row, is_viewable, pack_view
from imaging.pack.pictures import draw
from imaging.pack.prepare import prepare
from tests.shared_data import SHARED, shared_dir

pytestmark = pytest.mark.requirement("E13", "S1", "F2")

FOLDERS = ("modalities", "transfer_syntax", "pathology_wsi_cmu1_small", "ct_scout_phantom_philips/scout")
FILES = [
    f"{folder}/{path.name}"
    for folder in FOLDERS
    for path in sorted((SHARED / "data" / "dicom" / folder).glob("*"))
    if path.is_file()
] or ["modalities"]
# No pictures, or none that a browser can be given: 1-bit segmentations, deflated data sets, which no sender may use.
NOT_VIEWABLE = {
    "modalities/DOC_encapsulated_pdf.dcm",
    "modalities/ECG_waveform.dcm",
    "modalities/SEG_liver_1frame.dcm",
    "modalities/SR_features.dcm",
    "modalities/SR_reportsi.dcm",
    "transfer_syntax/image_dfl.dcm",
    "transfer_syntax/liver_deflate.dcm",
}


def frames_in(content: bytes) -> list[tuple[dict[str, Any], bytes, list[dict[str, Any]]]]:
    """Each frame's facts, codestream and tables, as the pack gives them to a viewer."""
    prepared = prepare(content)
    if not prepared.view or not is_viewable(prepared.view):
        return []
    streams = prepared.joined or [prepared.entry[at : at + length] for at, length in prepared.frames]
    row = {
        "view": prepared.view,
        "frame_views": prepared.frame_views,
        "frames": [[0, len(s)] for s in streams],
    }
    facts = frames_of_row(row, iter(()))
    return [(frame, stream, prepared.tables) for frame, stream in zip(facts, streams, strict=True)]


@pytest.mark.parametrize("name", FILES)
def test_every_frame_is_told_as_pydicom_reads_it(name: str) -> None:
    content = shared_dir("data", "dicom", name).read_bytes()
    header = pydicom.dcmread(io.BytesIO(content))
    frames = frames_in(content)
    assert (frames == []) == (name in NOT_VIEWABLE)
    if not frames:
        return
    assert len(frames) == int(header.get("NumberOfFrames") or 1)
    for number in sorted({0, len(frames) // 2, len(frames) - 1}):
        facts, stream, tables = frames[number]
        assert (facts["rows"], facts["columns"], facts["samples"]) == (
            header.Rows,
            header.Columns,
            header.SamplesPerPixel,
        )
        assert (facts["bits_allocated"], facts["bits_stored"]) == (header.BitsAllocated, header.BitsStored)
        assert (facts["signed"], facts["photometric"]) == (
            bool(header.PixelRepresentation),
            header.PhotometricInterpretation,
        )
        _same_in_groups(header, number, facts)
        assert draw(stream, facts, tables) is not None
        _same_pixels(header, content, number, facts, stream)


def _same_in_groups(header: pydicom.Dataset, number: int, facts: dict[str, Any]) -> None:
    """Position, orientation, spacing, rescale, window: of the frame's own groups, the shared ones, or the top."""
    places = [header]
    for name, index in (("SharedFunctionalGroupsSequence", 0), ("PerFrameFunctionalGroupsSequence", number)):
        groups = header.get(name)
        if groups:
            places += [item for element in groups[index] if element.VR == "SQ" for item in element.value]
    for keyword, fact in (
        ("ImagePositionPatient", "position"),
        ("ImageOrientationPatient", "orientation"),
        ("PixelSpacing", "spacing"),
        ("RescaleSlope", "slope"),
        ("RescaleIntercept", "intercept"),
        ("WindowCenter", "center"),
        ("WindowWidth", "width"),
    ):
        said = next(
            (place[keyword].value for place in reversed(places) if place.get(keyword) is not None), None
        )
        if said is None or facts["modality_lut"] is not None:
            continue
        expected = [float(value) for value in (said if hasattr(said, "__iter__") else [said])]
        found = facts[fact] if isinstance(facts[fact], list) else [facts[fact]]
        assert found == pytest.approx(expected), keyword


def _same_pixels(
    header: pydicom.Dataset, content: bytes, number: int, facts: dict[str, Any], stream: bytes
) -> None:
    """Where pydicom has a decoder of its own; colour of JPEG is turned into RGB by ours, so its size alone counts."""
    seen = codecs.decode(stream, facts)
    try:
        expected = pixel_array(io.BytesIO(content), raw=True, index=number)
    except (RuntimeError, NotImplementedError, AttributeError, ValueError):
        return
    assert seen.shape == expected.shape
    if not (facts["codec"] == "jpeg" and facts["samples"] == 3):
        assert np.array_equal(seen.astype(np.int64), expected.astype(np.int64))


@pytest.mark.parametrize("name", ["MR_small_bigendian.dcm", "MR_small_expb.dcm", "MR_small_implicit.dcm"])
def test_one_picture_in_other_orders_of_bytes(name: str) -> None:
    folder = shared_dir("data", "dicom", "transfer_syntax")
    (_, plain, _), (facts, other, _) = (
        frames_in((folder / n).read_bytes())[0] for n in ("MR_small.dcm", name)
    )
    little = frames_in((folder / "MR_small.dcm").read_bytes())[0][0]
    assert np.array_equal(codecs.decode(other, facts), codecs.decode(plain, little))


@pytest.mark.parametrize(
    "path", sorted((SHARED / "data" / "dicom" / "broken").glob("*")) or [Path("none")], ids=str
)
def test_broken_files_never_raise(path: Path) -> None:
    shared_dir("data", "dicom", "broken")
    prepared = prepare(path.read_bytes())
    assert prepared.entry
    assert all(at >= 0 and at + length <= len(prepared.entry) for at, length in prepared.frames)


def test_a_slide_shows_itself_whole_and_its_tiles_by_rows() -> None:
    rows: list[dict[str, Any]] = []
    for path in sorted(shared_dir("data", "dicom", "pathology_wsi_cmu1_small").glob("*")):
        made = prepare(path.read_bytes())
        rows.append(
            {"sop_uid": path.name, "number": 1, "flags": made.flags, "view": made.view, "frames": made.frames,
             "frame_views": made.frame_views}
        )  # fmt: skip
    series = series_of([pack_view({"instances": rows, "low": None})])
    sizes = [
        columns * rows
        for columns, rows in zip(series["columns"]["columns"], series["columns"]["rows"], strict=True)
    ]
    assert sizes[0] == 1 and series["count"] == 30 + 9 + 4 + 9, "from coarse to fine"
    assert sizes[series["key"]] == 370 * 277, "the finest level that is one picture"
    assert "12 级" in series["notice"]
    assert series["columns"]["frame"][-30:] == list(range(1, 31))
