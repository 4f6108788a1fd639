"""One file: sealed, opened, proven, re-wrapped; whole or not at all."""

import io
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from crypto.errors import FileRefused, KeyRefused, SealBroken, SourceChanged
from crypto.files.envelope import NAME_LIMIT, key_path, read_key_file
from crypto.files.kinds import Evidence, Kind, Label
from crypto.files.sealed_file import PlainFile, SealedFile
from crypto.sealed_header import FILE_CHUNK_LOG2, HEADER_SIZE, SealedHeader
from crypto.sealed_object import seal
from tests.unit.crypto.files.file_samples import (
    BATCH_BYTES,
    CHUNK,
    PROVIDER,
    FixedKeyring,
    content,
    files,
    keyring,
    only_parts,
    unheard,
)
from tests.unit.crypto.files.kind_samples import PDF

pytestmark = pytest.mark.requirement("H2", "H2.3", "H2.9", "C1")

LENGTHS = [
    0,
    1,
    CHUNK - 1,
    CHUNK,
    CHUNK + 1,
    BATCH_BYTES - 1,
    BATCH_BYTES,
    BATCH_BYTES + 1,
    3 * BATCH_BYTES + 77,
]


def sealed_in(folder: Path, plain: bytes, name: str = "a.bin", **options: object) -> SealedFile:
    source = folder / name
    source.write_bytes(plain)
    return files(**options).seal(source, folder / f"{name}.cfs", name, unheard)  # type: ignore[arg-type]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("threads", [1, 3])
def test_what_was_sealed_opens_again(tmp_path: Path, length: int, threads: int) -> None:
    plain = content(length)
    heard: list[int] = []
    made = sealed_in(tmp_path, plain, threads=threads)
    opened = files(threads=threads).open(made.path, tmp_path / "back", heard.append)
    assert (tmp_path / "back").read_bytes() == plain
    assert sum(heard) == length
    assert (opened.about, opened.plain_length) == (made.about, length)
    assert not only_parts(tmp_path)


def test_threads_write_what_the_stream_writes(tmp_path: Path) -> None:
    plain, keys = content(3 * BATCH_BYTES + 5), keyring()
    made = sealed_in(tmp_path, plain, keys=keys)
    body, expected = made.path.read_bytes(), io.BytesIO()
    seal(io.BytesIO(plain), expected, SealedHeader.parse(body[:HEADER_SIZE]), keys.made[0], PROVIDER)
    assert body == expected.getvalue()


def test_name_time_and_kind_come_back_and_only_the_kind_is_in_clear(tmp_path: Path) -> None:
    source = tmp_path / "影像.pdf"
    source.write_bytes(PDF)
    os.utime(source, ns=(1, 1_700_000_000_123_456_789))
    made = files().seal(source, tmp_path / "out" / "x.cfs", "2026/影像.pdf", unheard)
    files().open(made.path, tmp_path / "back.pdf", unheard)
    assert (tmp_path / "back.pdf").stat().st_mtime_ns == 1_700_000_000_123_456_789
    about = files().describe(made.path).about
    assert (about.name, about.label) == ("2026/影像.pdf", Label(Kind.PDF, Evidence.SIGNATURE))
    outside = made.path.read_bytes() + key_path(made.path).read_bytes()
    assert "影像".encode() not in outside and b"2026" not in outside
    assert read_key_file(key_path(made.path)).kind == "pdf"


def test_a_name_that_is_no_unicode_comes_back_byte_for_byte(tmp_path: Path) -> None:
    name = os.fsdecode("胸片.txt".encode("gbk"))
    made = sealed_in(tmp_path, b"x", name)
    assert os.fsencode(files().describe(made.path).about.name) == "胸片.txt".encode("gbk")


def test_every_attempt_takes_a_new_key_and_a_new_prefix(tmp_path: Path) -> None:
    keys = keyring()
    source = tmp_path / "a"
    source.write_bytes(content(CHUNK))
    bodies = [
        files(keys).seal(source, tmp_path / f"{number}.cfs", "a", unheard).path.read_bytes()
        for number in (1, 2)
    ]
    prefixes = {SealedHeader.parse(body[:HEADER_SIZE]).nonce_prefix for body in bodies}
    assert len(prefixes) == len(set(keys.made)) == 2


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    source, size = tmp_path / "a", 32 * 2**20
    with source.open("wb") as file:
        file.truncate(size)
    tracemalloc.start()
    made = files().seal(source, tmp_path / "a.cfs", "a", unheard)
    files().prove(made.path, source, unheard)
    files().open(made.path, tmp_path / "back", unheard)
    assert tracemalloc.get_traced_memory()[1] < size // 3
    tracemalloc.stop()


@pytest.mark.parametrize(("at", "place"), [("first", 0), ("middle", BATCH_BYTES + 5), ("last", -1)])
def test_the_proof_finds_a_byte_that_changed_in_the_source(tmp_path: Path, at: str, place: int) -> None:
    made = sealed_in(tmp_path, content(2 * BATCH_BYTES + 9))
    source = tmp_path / "a.bin"
    files().prove(made.path, source, unheard)
    changed = bytearray(source.read_bytes())
    changed[place] ^= 1
    source.write_bytes(changed)
    with pytest.raises(SourceChanged):
        files().prove(made.path, source, unheard)


@pytest.mark.parametrize("change", [-1, 1])
def test_the_proof_finds_another_length(tmp_path: Path, change: int) -> None:
    made = sealed_in(tmp_path, content(CHUNK))
    (tmp_path / "a.bin").write_bytes(content(CHUNK + 1)[: CHUNK + change])
    with pytest.raises(SourceChanged):
        files().prove(made.path, tmp_path / "a.bin", unheard)


@pytest.mark.parametrize("change", ["shorter", "longer", "touched", "replaced", "gone"])
def test_a_source_that_changes_under_way_leaves_nothing(tmp_path: Path, change: str) -> None:
    source = tmp_path / "a"
    source.write_bytes(content(3 * BATCH_BYTES))

    def meddle(_: int) -> None:
        if change == "shorter":
            os.truncate(source, BATCH_BYTES)
        elif change == "longer":
            os.truncate(source, 3 * BATCH_BYTES + 1)
        elif change == "touched":
            os.utime(source, ns=(5, 5))
        elif change == "replaced":
            (tmp_path / "other").write_bytes(source.read_bytes())
            (tmp_path / "other").replace(source)
        else:
            source.unlink(missing_ok=True)

    with pytest.raises(SourceChanged):
        files(threads=1).seal(source, tmp_path / "out" / "a.cfs", "a", meddle)
    assert not list((tmp_path / "out").iterdir())


def test_an_existing_target_is_never_overwritten(tmp_path: Path) -> None:
    made = sealed_in(tmp_path, b"first")
    before = made.path.read_bytes(), key_path(made.path).read_bytes()
    with pytest.raises(FileRefused, match="exists already"):
        sealed_in(tmp_path, b"second")
    assert (made.path.read_bytes(), key_path(made.path).read_bytes()) == before
    (tmp_path / "back").write_bytes(b"mine")
    with pytest.raises(FileRefused, match="exists already"):
        files().open(made.path, tmp_path / "back", unheard)
    assert (tmp_path / "back").read_bytes() == b"mine"
    assert not only_parts(tmp_path)


def test_a_key_without_its_body_is_a_leftover_and_is_replaced(tmp_path: Path) -> None:
    key_path(tmp_path / "a.bin.cfs").write_bytes(b"left by a crash between two renames")
    made = sealed_in(tmp_path, b"content")
    assert files().open(made.path, tmp_path / "back", unheard).plain_length == 7


def test_the_key_is_there_before_the_body(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    rename = Path.rename
    monkeypatch.setattr(
        Path, "rename", lambda self, target: (order.append(target.name), rename(self, target))[1]
    )
    sealed_in(tmp_path, b"content")
    assert order == ["a.bin.cfs.key", "a.bin.cfs"]


@pytest.mark.parametrize("what", ["link", "folder", "pipe", "missing"])
def test_only_regular_files_are_sealed(tmp_path: Path, what: str) -> None:
    path = tmp_path / "a"
    if what == "link":
        (tmp_path / "b").write_bytes(b"x")
        path.symlink_to(tmp_path / "b")
    elif what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    with pytest.raises(FileRefused):
        files().seal(path, tmp_path / "out" / "a.cfs", "a", unheard)


@pytest.mark.parametrize("name", ["", "/a", "../a", "a/../b", "a//b", "./a", "a\0b", "x" * (NAME_LIMIT + 1)])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").write_bytes(b"x")
    with pytest.raises(FileRefused):
        files().seal(tmp_path / "a", tmp_path / "a.cfs", name, unheard)


def test_a_new_wrap_leaves_the_body_alone_and_needs_the_new_key_only(tmp_path: Path) -> None:
    keys = keyring()
    made = sealed_in(tmp_path, b"content", keys=keys)
    body, inode = made.path.read_bytes(), made.path.stat().st_ino
    assert not files(keys).rewrap(made.path)
    keys.keks[2] = bytes(16)
    assert files(keys).rewrap(made.path)
    assert (made.path.read_bytes(), made.path.stat().st_ino) == (body, inode)
    assert files(FixedKeyring({2: bytes(16)})).verify(made.path, unheard).about == made.about
    with pytest.raises(KeyRefused):
        files(FixedKeyring({1: bytes(range(16))})).verify(made.path, unheard)


def test_any_range_as_a_file_object(tmp_path: Path) -> None:
    plain = content(2 * CHUNK + 100)
    made = sealed_in(tmp_path, plain)
    body = made.path.read_bytes()
    reader = files().reader(lambda start, end: body[start:end], made.envelope)
    assert reader.read(CHUNK - 5, CHUNK + 5) == plain[CHUNK - 5 : CHUNK + 5]
    with io.BufferedReader(PlainFile(reader)) as file:
        assert file.seek(-10, io.SEEK_END) == len(plain) - 10
        assert file.read() == plain[-10:]
        assert file.seek(CHUNK - 3) == CHUNK - 3
        assert file.read(7) == plain[CHUNK - 3 : CHUNK + 4]
        assert file.seek(10**9) and file.read() == b""
        file.seek(0)
        assert file.read() == plain
        with pytest.raises(ValueError, match="before the start"):
            file.raw.seek(-1)


def test_packs_are_sent_to_their_own_command(tmp_path: Path) -> None:
    header = SealedHeader.new(4, FILE_CHUNK_LOG2, has_class_map=True)
    with (tmp_path / "a.cfs").open("wb") as sink:
        seal(io.BytesIO(b"pack"), sink, header, bytes(16), PROVIDER)
    with pytest.raises(FileRefused, match="unseal"):
        files().verify(tmp_path / "a.cfs", unheard)


KILLED = """
import os, sys
from pathlib import Path
from tests.unit.crypto.files.file_samples import files
source, target = map(Path, sys.argv[1:])
left = [2]
def kill(_):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), 9)
files(threads=1).seal(source, target, "a", kill)
"""


def test_after_kill_9_the_part_is_swept_and_no_pair_of_key_and_prefix_is_used_again(tmp_path: Path) -> None:
    from crypto.files.placing import part_in, sweep_parts

    source, out = tmp_path / "a", tmp_path / "out"
    source.write_bytes(content(4 * BATCH_BYTES))
    out.mkdir()
    killed = subprocess.run([sys.executable, "-c", KILLED, source, out / "a.cfs"], check=False)
    assert killed.returncode == -9
    assert not (out / "a.cfs").exists()
    left = max((out / name for name in only_parts(out)), key=lambda path: path.stat().st_size)
    old = left.read_bytes()
    with part_in(out) as living:
        sweep_parts(out)
        assert only_parts(out) == [living.path.name]
    made = files().seal(source, out / "a.cfs", "a", unheard)
    header, was = (
        SealedHeader.parse(made.path.read_bytes()[:HEADER_SIZE]),
        SealedHeader.parse(old[:HEADER_SIZE]),
    )
    assert (header.object_id, header.nonce_prefix) != (was.object_id, was.nonce_prefix)
    assert made.path.read_bytes()[HEADER_SIZE : HEADER_SIZE + CHUNK] != old[HEADER_SIZE : HEADER_SIZE + CHUNK]


def test_a_flipped_byte_on_the_disk_is_found(tmp_path: Path) -> None:
    made = sealed_in(tmp_path, content(BATCH_BYTES + 1))
    broken = bytearray(made.path.read_bytes())
    broken[-20] ^= 1
    made.path.write_bytes(broken)
    for step in (
        lambda: files().verify(made.path, unheard),
        lambda: files().prove(made.path, tmp_path / "a.bin", unheard),
        lambda: files().open(made.path, tmp_path / "back", unheard),
    ):
        with pytest.raises(SealBroken):
            step()
    assert not (tmp_path / "back").exists()
