"""The pack: every received file comes back byte by byte, frames are aligned, names never lie beside pixels."""

import gzip
import json
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import ImplicitVRLittleEndian

from imaging import codecs
from imaging.errors import NotIdentical
from imaging.pack.build import BuiltPack, build, prove
from imaging.pack.entry_writer import CHUNK
from imaging.pack.pictures import PREVIEW_BYTES, THUMBNAIL_BYTES
from imaging.pack.source import PackSource
from tests.unit.imaging import samples

pytestmark = pytest.mark.requirement("S1", "D3")

DCMDUMP, UNZIP = shutil.which("dcmdump"), shutil.which("unzip")


def every_kind() -> dict[str, bytes]:
    odd = samples.image("odd", samples.grey(33, 35, "uint8"))
    tail = samples.image("tail", samples.grey(64, 64, "uint16"))
    return {
        "explicit-u16": samples.image("explicit-u16", samples.grey(64, 80, "uint16")),
        "implicit-u16": samples.image(
            "implicit-u16", samples.grey(64, 80, "uint16", seed=2), ImplicitVRLittleEndian
        ),
        "explicit-i16": samples.image("explicit-i16", samples.grey(100, 70, "int16")),
        "explicit-u8": samples.image("explicit-u8", samples.grey(64, 64, "uint8")),
        "explicit-i8": samples.image("explicit-i8", samples.grey(64, 64, "int8")),
        "frames": samples.image("frames", samples.grey(32, 48, "uint16", frames=5)),
        "odd": odd,
        "jpeg": samples.jpeg("jpeg"),
        "jpeg-frames": samples.jpeg("jpeg-frames", frames=3),
        "report": samples.report("report"),
        # A private element behind the pixels that names the patient again.
        "tail": tail + samples.element(0x7FE1, 0x0010, b"LO", samples.MARKER.encode()),
        "padded": odd + b"\xfc\xff\xfc\xffOB\0\0\x08\0\0\0" + b"\0" * 8,
        "one-pixel": samples.image("one-pixel", samples.grey(1, 1, "uint16")),
        "cut": samples.image("cut", samples.grey(64, 64, "uint16"))[:-100],
    }


@dataclass(frozen=True)
class Packed:
    sources: list[PackSource]
    built: BuiltPack
    content: bytes

    def row(self, name: str) -> dict:
        uid = str(samples.uid_of(name))
        return next(row for row in self.built.manifest["instances"] if row["sop_uid"] == uid)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    home = tmp_path_factory.mktemp("pack")
    sources = samples.written(home / "in", every_kind())
    built = build(sources, home / "pack.zip")
    return Packed(sources, built, built.path.read_bytes())


def test_every_received_file_is_rebuilt_from_the_zip_alone(packed: Packed) -> None:
    assert prove(packed.built, packed.sources) == len(every_kind())


def test_what_is_encoded_and_what_is_kept(packed: Packed) -> None:
    encoded = {name for name in every_kind() if packed.row(name)["rebuild"]["kind"] == "htj2k"}
    assert encoded == {
        *("explicit-u16", "implicit-u16", "explicit-i16", "explicit-u8", "explicit-i8"),
        *("frames", "odd", "one-pixel"),
    }
    assert packed.row("report")["flags"] == ["no-pixels"]
    assert packed.row("tail")["flags"] == ["verbatim", "mixed"]
    assert packed.row("cut")["flags"] == ["unreadable:ValueError"]
    assert len(packed.row("jpeg-frames")["frames"]) == 3


def test_first_codestream_of_every_entry_begins_a_chunk(packed: Packed) -> None:
    rows = [row for row in packed.built.manifest["instances"] if row["rebuild"]["kind"] == "htj2k"]
    firsts = [row["frames"][0][0] for row in rows]
    assert [first % CHUNK for first in firsts] == [0] * 8
    # SOC and SIZ markers (ISO/IEC 15444-1 §A): it is a codestream that begins there.
    assert {packed.content[first : first + 4] for first in firsts} == {b"\xff\x4f\xff\x51"}


def test_a_frame_range_of_the_zip_decodes_to_the_received_pixels(packed: Packed) -> None:
    row = packed.row("frames")
    got = [
        codecs.decode(packed.content[offset : offset + length], row["view"])
        for offset, length in row["frames"]
    ]
    assert np.array_equal(np.stack(got), samples.grey(32, 48, "uint16", frames=5))


@pytest.mark.requirement("K5")
def test_no_chunk_of_pixels_holds_a_byte_of_a_head(packed: Packed) -> None:
    chunks = packed.built.pixel_chunks
    assert chunks
    pixels = b"|".join(packed.content[start * CHUNK : stop * CHUNK] for start, stop in chunks)
    assert samples.MARKER.encode() in packed.content
    assert samples.MARKER.encode() not in pixels
    assert str(samples.uid_of("study")).encode() not in pixels
    for number in range(1, len(every_kind()) + 1):
        assert f"original/{number:04d}.head".encode() not in pixels


def test_every_frame_lies_in_chunks_of_pixels(packed: Packed) -> None:
    frames = [frame for row in packed.built.manifest["instances"] for frame in row["frames"]]
    low = packed.built.manifest["low"]
    frames.append([low["offset"], low["length"]])
    for offset, length in frames:
        assert any(
            start * CHUNK <= offset and offset + length <= stop * CHUNK
            for start, stop in packed.built.pixel_chunks
        )


@pytest.mark.requirement("K2")
def test_low_bin_holds_the_beginning_of_every_codestream(packed: Packed) -> None:
    low = packed.built.manifest["low"]
    data = packed.content[low["offset"] : low["offset"] + low["length"]]
    encoded = [row for row in packed.built.manifest["instances"] if row["rebuild"]["kind"] == "htj2k"]
    frames = [frame for row in encoded for frame in row["frames"]]
    assert len(low["frames"]) == len(frames)
    for (offset, _), (first, low_length, second, rest) in zip(frames, low["frames"], strict=True):
        prefix = data[first : first + low_length] + data[second : second + rest]
        assert prefix
        assert packed.content[offset : offset + len(prefix)] == prefix


@pytest.mark.requirement("E12")
def test_pictures_are_webp_and_small(packed: Packed) -> None:
    pictures = packed.built.pictures
    assert pictures is not None
    for data, most in ((pictures.preview, PREVIEW_BYTES), (pictures.thumbnail, THUMBNAIL_BYTES)):
        assert (data[:4], data[8:12]) == (b"RIFF", b"WEBP")
        assert len(data) <= most


def test_the_same_files_give_the_same_bytes(packed: Packed, tmp_path: Path) -> None:
    again = build(packed.sources, tmp_path / "other-name.zip")
    assert again.path.read_bytes() == packed.content
    assert again.pixel_chunks == packed.built.pixel_chunks


def test_proof_fails_for_another_file_and_for_a_missing_one(packed: Packed) -> None:
    first = packed.sources[0]
    other = PackSource(first.path, first.sop_uid, "0" * 64, first.number)
    with pytest.raises(NotIdentical, match=first.sop_uid):
        prove(packed.built, [other, *packed.sources[1:]])
    with pytest.raises(NotIdentical, match="instances"):
        prove(packed.built, packed.sources[1:])


def test_metadata_names_every_readable_instance(packed: Packed) -> None:
    with zipfile.ZipFile(packed.built.path) as archive:
        rows = json.loads(gzip.decompress(archive.read("metadata.json.gz")))
    assert [bool(row) for row in rows] == [name != "cut" for name in every_kind()]
    assert rows[0]["00100010"]["Value"] == [{"Alphabetic": samples.MARKER}]


@pytest.mark.skipif(UNZIP is None, reason="unzip is not installed")
def test_unzip_finds_no_fault(packed: Packed) -> None:
    done = subprocess.run(
        [str(UNZIP), "-t", str(packed.built.path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-500:]


@pytest.mark.skipif(DCMDUMP is None, reason="dcmtk is not installed")
def test_dcmdump_reads_every_entry(packed: Packed, tmp_path: Path) -> None:
    with zipfile.ZipFile(packed.built.path) as archive:
        names = [row["name"] for row in packed.built.manifest["instances"]]
        archive.extractall(tmp_path, names)
    whole = [name for name in names if name != packed.row("cut")["name"]]
    done = subprocess.run(
        [str(DCMDUMP), "-q", *(str(tmp_path / name) for name in whole)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("SOPInstanceUID") >= len(whole)
