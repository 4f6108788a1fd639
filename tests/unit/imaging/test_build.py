"""A pack: standard ZIP, standard DICOM, names and pixels never in one chunk, every file back byte by byte."""

import gzip
import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto.sm3 import sm3
from imaging import codecs
from imaging.errors import NotIdentical
from imaging.pack import build as build_module
from imaging.pack.build import BuiltPack, build, prove
from imaging.pack.limited import Failed
from imaging.pack.source import PackSource
from imaging.pack.zip_writer import CHUNK, AlignedZip
from tests.unit.imaging import dicom_files
from tests.unit.imaging.dicom_files import NAME, noise, slope

JPEG = "1.2.840.10008.1.2.4.50"


def sources(folder: Path, files: list[bytes]) -> list[PackSource]:
    folder.mkdir(exist_ok=True)
    made = []
    for number, content in enumerate(files, start=1):
        path = folder / f"{number}.dcm"
        path.write_bytes(content)
        made.append(PackSource(path, f"1.2.{number}", sm3(content).hex(), number))
    return made


def all_kinds() -> list[bytes]:
    from pydicom.encaps import encapsulate

    jpeg = {
        "Rows": 8,
        "Columns": 8,
        "SamplesPerPixel": 1,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "PixelRepresentation": 0,
    }
    tail = dicom_files.element(0x7FE1, 0x0010, "LO", NAME.encode())
    return [
        dicom_files.file(slope(200, 180), 1),
        dicom_files.file(noise((90, 70), "<u2"), 2, "implicit"),
        dicom_files.file(np.stack([slope(64, 64, shift) for shift in range(5)]), 3),
        dicom_files.file(None, 4, Modality="SR"),
        dicom_files.file(
            None, 5, JPEG, **jpeg, NumberOfFrames=2, PixelData=encapsulate([b"\xff\xd8ab" * 900] * 2)
        ),
        dicom_files.file(slope(50, 50), 6) + tail,
        dicom_files.file(noise((7, 9), "<u1"), 7),
        b"no DICOM at all",
        dicom_files.file(slope(50, 50), 9)[:-20],
        dicom_files.file(slope(40, 50).astype(">i2"), 10, "big"),
    ]


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> list[PackSource]:
    return sources(tmp_path_factory.mktemp("received"), all_kinds())


@pytest.fixture(scope="module")
def built(received: list[PackSource], tmp_path_factory: pytest.TempPathFactory) -> BuiltPack:
    return build(received, tmp_path_factory.mktemp("pack") / "pack.zip")


@pytest.mark.requirement("S1", "D3", "H1")
def test_every_received_file_comes_back(built: BuiltPack, received: list[PackSource]) -> None:
    assert prove(built, received) == len(received)


def test_the_same_sources_give_the_same_bytes(
    built: BuiltPack, received: list[PackSource], tmp_path: Path
) -> None:
    again = build(received, tmp_path / "again.zip")
    assert again.path.read_bytes() == built.path.read_bytes()
    assert again.pixel_chunks == built.pixel_chunks


@pytest.mark.requirement("K5")
def test_no_name_lies_in_a_pixel_chunk(built: BuiltPack) -> None:
    content = built.path.read_bytes()
    pixel = [content[start * CHUNK : stop * CHUNK] for start, stop in built.pixel_chunks]
    assert sum(map(len, pixel)) > 50_000
    assert NAME.encode() in content
    assert not any(NAME.encode() in run for run in pixel)


@pytest.mark.requirement("K2")
def test_every_frame_lies_in_pixel_chunks_and_decodes_from_there(built: BuiltPack) -> None:
    content = built.path.read_bytes()
    chunks = {chunk for start, stop in built.pixel_chunks for chunk in range(start, stop)}
    shown = 0
    for row in built.manifest["instances"]:
        if row["frames"]:
            assert row["frames"][0][0] % CHUNK == 0
        for offset, length in row["frames"]:
            shown += 1
            assert set(range(offset // CHUNK, (offset + length - 1) // CHUNK + 1)) <= chunks
            if row["view"]["codec"] == "htj2k":
                codecs.decode(content[offset : offset + length], row["view"])
    assert shown == 1 + 1 + 5 + 2 + 1 + 1 + 1


def test_the_manifest_says_what_happened_to_each(built: BuiltPack) -> None:
    assert [row["flags"] for row in built.manifest["instances"]] == [
        [], [], [], ["no-pixels"], ["verbatim"], ["verbatim", "mixed"], [], ["unreadable:InvalidDicomError"],
        ["unreadable:ValueError"], ["verbatim"],
    ]  # fmt: skip
    with zipfile.ZipFile(built.path) as archive:
        assert json.loads(archive.read("MANIFEST.json")) == json.loads(json.dumps(built.manifest))
        assert archive.read("original/0002.head")
        metadata = json.loads(gzip.decompress(archive.read("metadata.json.gz")))
    assert [item.get("00200013", {}).get("Value") for item in metadata] == [
        [1],
        [2],
        [3],
        [4],
        [5],
        [6],
        [7],
        None,
        None,
        [10],
    ]


def test_offsets_of_the_manifest_are_those_of_the_zip(built: BuiltPack) -> None:
    content = built.path.read_bytes()
    with zipfile.ZipFile(built.path) as archive:
        for row in built.manifest["instances"]:
            entry = archive.read(row["name"])
            assert content[row["entry_offset"] : row["entry_offset"] + row["entry_length"]] == entry


@pytest.mark.requirement("K2", "E12")
def test_low_holds_the_beginning_of_every_codestream(built: BuiltPack) -> None:
    content = built.path.read_bytes()
    low = built.manifest["low"]
    coarse = content[low["offset"] : low["offset"] + low["length"]]
    frames = [
        content[offset : offset + length]
        for row in built.manifest["instances"]
        if row["view"].get("codec") == "htj2k"
        for offset, length in row["frames"]
    ]
    assert len(low["frames"]) == len(frames)
    for (first, small, second, more), stream in zip(low["frames"], frames, strict=True):
        assert coarse[first : first + small] + coarse[second : second + more] == stream[: small + more]


def test_pictures_are_in_the_pack(built: BuiltPack) -> None:
    assert built.pictures is not None
    with zipfile.ZipFile(built.path) as archive:
        assert archive.read("preview.webp") == built.pictures.preview
        assert archive.read("thumbnail.webp") == built.pictures.thumbnail


@pytest.mark.requirement("S4", "D3")
def test_other_peoples_tools_read_it(built: BuiltPack, tmp_path: Path) -> None:
    if not shutil.which("unzip") or not shutil.which("dcmdump"):
        pytest.skip("needs unzip and dcmtk's dcmdump")
    subprocess.run(["unzip", "-tq", built.path], check=True, capture_output=True)
    with zipfile.ZipFile(built.path) as archive:
        archive.extractall(tmp_path)
    for row in built.manifest["instances"]:
        if not any(flag.startswith("unreadable") for flag in row["flags"]):
            dump = subprocess.run(
                ["dcmdump", "+P", "0010,0010", tmp_path / row["name"]], capture_output=True, text=True
            )
            assert (dump.returncode, dump.stderr) == (0, "")
            assert NAME in dump.stdout


def rewritten(built: BuiltPack, folder: Path, change: str) -> BuiltPack:
    """A copy of the pack in which one entry tells another name."""
    path = folder / "changed.zip"
    with zipfile.ZipFile(built.path) as archive, AlignedZip(path) as copy:
        for info in archive.infolist():
            content = archive.read(info)
            if info.filename == change:
                content = content.replace(NAME.encode(), NAME.lower().encode())
            copy.add(info.filename, content)
    return BuiltPack(path, built.manifest)


@pytest.mark.parametrize("entry", ["0001.dcm", "0004.dcm", "original/0002.head"])
def test_a_changed_entry_is_found(
    built: BuiltPack, received: list[PackSource], tmp_path: Path, entry: str
) -> None:
    with pytest.raises(NotIdentical, match="the received one stays"):
        prove(rewritten(built, tmp_path, entry), received)


def test_a_pack_with_fewer_instances_is_found(built: BuiltPack, received: list[PackSource]) -> None:
    with pytest.raises(NotIdentical, match="10 of 11"):
        prove(built, [*received, received[0]])


def test_a_file_whose_process_dies_is_kept_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sources(tmp_path / "in", [dicom_files.file(slope(64, 64), number) for number in (1, 2, 3)])
    run = build_module.LimitedProcesses.run

    def second_dies(self: Any, works: Any) -> Any:
        for index, made in enumerate(run(self, works)):
            yield Failed("crashed") if index == 1 else made

    monkeypatch.setattr(build_module.LimitedProcesses, "run", second_dies)
    pack = build(files, tmp_path / "pack.zip")
    assert [row["flags"] for row in pack.manifest["instances"]] == [[], ["unreadable:crashed"], []]
    assert prove(pack, files) == 3


def test_nothing_to_show_is_no_fault(tmp_path: Path) -> None:
    files = sources(tmp_path / "in", [dicom_files.file(None, 1, Modality="SR")])
    pack = build(files, tmp_path / "pack.zip")
    assert (pack.pictures, pack.manifest["low"], pack.pixel_chunks) == (None, None, [])
    assert prove(pack, files) == 1


def test_entries_that_need_64_bit_lengths_are_aligned_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 5000)
    contents = {"small": b"s" * 100, "large": b"l" * 9000, "next": b"n" * 50}
    path = tmp_path / "large.zip"
    with AlignedZip(path) as archive:
        places = {
            name: archive.add(name, content, (70, len(content)))
            for name, content in contents.items()
            if name != "next"
        }
        places["next"] = archive.add("next", contents["next"])
        assert archive.read(places["large"], 9000) == contents["large"]
    written = path.read_bytes()
    for name, content in contents.items():
        assert written[places[name] : places[name] + len(content)] == content
    assert all((places[name] + 70) % CHUNK == 0 for name in ("small", "large"))
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        assert {name: archive.read(name) for name in contents} == contents
