"""Files that lie or break parsers are kept byte for byte with the reason; their neighbours do not notice."""

import json
import struct
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian

from imaging.errors import NotDicom
from imaging.instance_reader import read_header
from imaging.pack.build import build, prove
from imaging.pack.prepare import prepare
from tests.unit.imaging import samples

pytestmark = pytest.mark.requirement("S1", "D3")

DEPTH = 300
GOOD = samples.image("good", samples.grey(64, 64, "uint16"))
ROWS_64 = struct.pack("<HH2sHH", 0x0028, 0x0010, b"US", 2, 64)


def nested(depth: int) -> bytes:
    """Sequences within sequences of undefined length, before the pixels."""
    sequence = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    end = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    at = GOOD.index(struct.pack("<HH", 0x0010, 0x0010))
    return GOOD[:at] + (sequence + item) * depth + end * depth + GOOD[at:]


def with_pixel_length(length: int) -> bytes:
    at = GOOD.index(b"\xe0\x7f\x10\x00OW\0\0") + 8
    return GOOD[:at] + struct.pack("<I", length) + GOOD[at + 4 :]


HOSTILE = {
    "nested": nested(DEPTH),
    "nested-deeper": nested(20_000),
    "cut-in-pixels": GOOD[:-1000],
    "cut-in-header": GOOD[:400],
    "cut-in-preamble": GOOD[:100],
    "empty": b"",
    "length-lies-long": with_pixel_length(0x7FFFFFF0),
    "length-lies-short": with_pixel_length(100),
    "huge-rows": GOOD.replace(ROWS_64, ROWS_64[:-2] + b"\xff\xff"),
    "no-rows": GOOD.replace(ROWS_64, ROWS_64[:-2] + b"\0\0"),
    "fragments-lie": samples.jpeg("fragments-lie").replace(b"\xfe\xff\x00\xe0", b"\xfe\xff\x00\xe1"),
    "noise": b"\0" * 128 + b"DICM" + bytes(range(256)) * 8,
}


def test_the_samples_are_what_they_say() -> None:
    assert len(HOSTILE["huge-rows"]) == len(GOOD) != len(HOSTILE["nested"])
    assert HOSTILE["huge-rows"] != GOOD != HOSTILE["no-rows"]


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "nested"])
def test_kept_byte_for_byte_with_a_reason(name: str) -> None:
    kept = prepare(HOSTILE[name])
    assert kept.entry == HOSTILE[name]
    assert kept.rebuild == {"kind": "verbatim"}
    assert kept.flags


def test_a_nested_file_is_kept_or_encoded_but_never_lost(tmp_path: Path) -> None:
    sources = samples.written(tmp_path / "in", {"nested": HOSTILE["nested"]})
    assert prove(build(sources, tmp_path / "pack.zip"), sources) == 1


def test_neighbours_of_hostile_files_are_encoded_and_all_are_rebuilt(tmp_path: Path) -> None:
    files = {"before": GOOD, **HOSTILE, "after": samples.image("after", samples.grey(64, 64, "int16"))}
    sources = samples.written(tmp_path / "in", files)
    built = build(sources, tmp_path / "pack.zip")
    assert prove(built, sources) == len(files)
    rows = built.manifest["instances"]
    assert [rows[0]["rebuild"]["kind"], rows[-1]["rebuild"]["kind"]] == ["htj2k", "htj2k"]
    assert rows[0]["flags"] == rows[-1]["flags"] == []


@pytest.mark.parametrize("word", ["NaN   ", "inf   ", "1e9999", "abc   "])
def test_a_slope_that_is_no_number_does_not_spoil_the_json(word: str) -> None:
    content = samples.image("slope", samples.grey(32, 32, "uint16"), RescaleSlope="1.5000")
    prepared = prepare(content.replace(b"DS\x06\x001.5000", b"DS\x06\x00" + word.encode()))
    assert prepared.view["slope"] == 1.0
    assert prepared.rebuild["kind"] == "htj2k"
    json.dumps([prepared.view, prepared.metadata], allow_nan=False)


@pytest.mark.parametrize("name", ["cut-in-header", "cut-in-preamble", "empty", "nested-deeper", "noise"])
def test_the_reader_says_not_dicom(name: str) -> None:
    with pytest.raises(NotDicom):
        read_header(HOSTILE[name])


@pytest.mark.parametrize("uid", ["", "1." + "2" * 70])
def test_the_reader_wants_usable_uids(uid: str) -> None:
    dataset = samples.header("uids")
    content = samples.part10(dataset, ExplicitVRLittleEndian)
    dataset.StudyInstanceUID = uid
    with pytest.raises(NotDicom, match="StudyInstanceUID"):
        read_header(samples.part10(dataset))
    assert read_header(content).StudyInstanceUID == samples.uid_of("study")
