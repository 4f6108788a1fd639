"""Many files: which ones, in parallel, one failure stopping no other, started again after it was killed."""

import fcntl
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.errors import FileRefused, KeyRefused, VaultSealed
from crypto.files import walk
from crypto.files.envelope import key_path
from crypto.files.job import Job, Outcome, State, Stopped, run
from crypto.files.walk import Found
from tests.unit.crypto.files.file_samples import (
    BATCH_BYTES,
    FixedKeyring,
    content,
    files,
    keyring,
    only_parts,
    unheard,
)

pytestmark = pytest.mark.requirement("H2", "H2.3", "H2.9", "C1")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder `data` with files, a folder in a folder, an empty file, a link and a pipe."""
    data = tmp_path / "data"
    (data / "deep" / "deeper").mkdir(parents=True)
    (data / "a.txt").write_bytes(b"a")
    (data / "deep" / "b.bin").write_bytes(content(BATCH_BYTES + 3))
    (data / "deep" / "deeper" / "empty.txt").write_bytes(b"")
    (data / ".hidden").write_bytes(b"h")
    return data


GOOD = {"data/a.txt", "data/deep/b.bin", "data/deep/deeper/empty.txt", "data/.hidden"}


def seal_all(
    tree: Path, out: Path | None, may_delete: bool = False, keys: FixedKeyring | None = None
) -> list[Outcome]:
    job = Job(files(keys), unheard)
    found = walk.to_seal([tree], out)
    return list(run(lambda one: job.seal(one, out, may_delete), found, 2))


def open_all(sealed: Path, out: Path | None) -> list[Outcome]:
    job = Job(files(), unheard)
    return list(run(lambda one: job.open(one, out), walk.sealed([sealed]), 2))


def by_state(outcomes: list[Outcome]) -> dict[State, set[str]]:
    return {
        state: {outcome.found.name for outcome in outcomes if outcome.state == state}
        for state in {outcome.state for outcome in outcomes}
    }


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_tree_comes_back_as_it_was(tree: Path, tmp_path: Path) -> None:
    assert by_state(seal_all(tree, tmp_path / "sealed")) == {State.DONE: GOOD}
    assert {outcome.state for outcome in open_all(tmp_path / "sealed", tmp_path / "back")} == {State.DONE}
    assert contents(tmp_path / "back" / "data") == contents(tree)


def test_beside_the_sources(tree: Path) -> None:
    before = contents(tree)
    seal_all(tree, None)
    for name in before:
        (tree / name).unlink()
    assert {outcome.state for outcome in open_all(tree, None)} == {State.DONE}
    assert contents(tree).items() >= before.items()


def test_what_is_sealed_is_not_sealed_again_and_an_out_inside_is_left_out(tree: Path) -> None:
    out = tree / "sealed"
    assert by_state(seal_all(tree, out)) == {State.DONE: GOOD}
    before = contents(out)
    assert by_state(seal_all(tree, out)) == {State.ALREADY: GOOD}
    assert contents(out) == before
    seal_all(tree, None)
    assert by_state(seal_all(tree, None)) == {State.ALREADY: GOOD}


def test_two_folders_of_one_name_do_not_pass_for_each_other(tree: Path, tmp_path: Path) -> None:
    """Their files have the same names, lengths and times, as images from two discs may have."""
    seal_all(tree, tmp_path / "sealed")
    other = tmp_path / "elsewhere" / "data"
    shutil.copytree(tree, other)
    (other / "a.txt").write_bytes(b"b")
    os.utime(other / "a.txt", ns=(1, (tree / "a.txt").stat().st_mtime_ns))
    assert by_state(seal_all(other, tmp_path / "sealed")) == {State.FAILED: GOOD}


def test_a_folder_that_cannot_be_listed_fails_alone(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def refuse(place: Path):  # type: ignore[no-untyped-def]
        if Path(place).name == "deep":
            raise PermissionError(13, "Permission denied")
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    states = by_state(seal_all(tree, tmp_path / "sealed"))
    assert states == {State.DONE: {"data/a.txt", "data/.hidden"}, State.FAILED: {"data/deep"}}


def test_file_systems_that_lock_no_folders(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock

    def refuse(descriptor: int, how: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(9, "Bad file descriptor")
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert by_state(seal_all(tree, None)) == {State.DONE: GOOD}
    assert by_state(seal_all(tree, None)) == {State.ALREADY: GOOD}


def test_links_pipes_and_what_is_missing_fail_alone(tree: Path, tmp_path: Path) -> None:
    (tree / "link").symlink_to(tree / "a.txt")
    (tree / "loop").symlink_to(tree)
    os.mkfifo(tree / "pipe")
    outcomes = seal_all(tree, tmp_path / "sealed") + seal_all(tmp_path / "nothing", tmp_path / "sealed")
    assert by_state(outcomes) == {
        State.DONE: GOOD,
        State.FAILED: {"data/link", "data/loop", "data/pipe", "nothing"},
    }
    assert all(outcome.reason for outcome in outcomes if outcome.state == State.FAILED)


def test_a_changed_source_does_not_replace_what_was_sealed(tree: Path, tmp_path: Path) -> None:
    seal_all(tree, tmp_path / "sealed")
    before = contents(tmp_path / "sealed")
    (tree / "a.txt").write_bytes(b"changed")
    assert by_state(seal_all(tree, tmp_path / "sealed"))[State.FAILED] == {"data/a.txt"}
    assert contents(tmp_path / "sealed") == before


def test_sources_are_deleted_after_the_proof_only(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealer = files()
    proven: list[Path] = []
    prove = sealer.prove

    def break_one(sealed: Path, source: Path, advance):  # type: ignore[no-untyped-def]
        assert source.exists()
        if source.name == "b.bin":
            body = bytearray(sealed.read_bytes())
            body[BATCH_BYTES] ^= 1
            sealed.write_bytes(body)
        proven.append(source)
        return prove(sealed, source, advance)

    monkeypatch.setattr(sealer, "prove", break_one)
    job = Job(sealer, unheard)
    found = walk.to_seal([tree], tmp_path / "sealed")
    outcomes = list(run(lambda one: job.seal(one, tmp_path / "sealed", True), found, 2))
    assert by_state(outcomes) == {State.DONE: GOOD - {"data/deep/b.bin"}, State.FAILED: {"data/deep/b.bin"}}
    assert list(contents(tree)) == ["deep/b.bin"]


def test_a_source_that_is_sealed_already_is_proven_before_it_is_deleted(tree: Path, tmp_path: Path) -> None:
    seal_all(tree, tmp_path / "sealed")
    status = (tree / "deep" / "b.bin").stat()
    (tree / "deep" / "b.bin").write_bytes(bytes(status.st_size))
    os.utime(tree / "deep" / "b.bin", ns=(status.st_atime_ns, status.st_mtime_ns))
    states = by_state(seal_all(tree, tmp_path / "sealed", may_delete=True))
    assert states == {State.ALREADY: GOOD - {"data/deep/b.bin"}, State.FAILED: {"data/deep/b.bin"}}
    assert list(contents(tree)) == ["deep/b.bin"]


def test_opening_leaves_what_is_there_and_is_not_the_same(tree: Path, tmp_path: Path) -> None:
    seal_all(tree, tmp_path / "sealed")
    open_all(tmp_path / "sealed", tmp_path / "back")
    (tmp_path / "back" / "data" / "a.txt").write_bytes(b"mine")
    states = by_state(open_all(tmp_path / "sealed", tmp_path / "back"))
    assert states[State.FAILED] == {"sealed/data/a.txt.cfs"}
    assert len(states[State.ALREADY]) == len(GOOD) - 1
    assert (tmp_path / "back" / "data" / "a.txt").read_bytes() == b"mine"


def test_verify_and_rewrap_over_a_tree(tree: Path, tmp_path: Path) -> None:
    keys = keyring()
    seal_all(tree, tmp_path / "sealed", keys=keys)
    job = Job(files(keys), unheard)
    keys.keks[2] = bytes(16)
    found = list(walk.sealed([tmp_path / "sealed"]))
    assert {outcome.state for outcome in run(job.rewrap, found, 2)} == {State.DONE}
    assert {outcome.state for outcome in run(job.rewrap, found, 2)} == {State.ALREADY}
    del keys.keks[1]
    assert {outcome.state for outcome in run(job.verify, found, 2)} == {State.DONE}
    key_path(found[0].path).unlink()
    assert by_state(list(run(job.verify, found, 2)))[State.FAILED] == {found[0].name}


def test_a_full_disk_and_a_sealed_vault_end_the_job_at_once() -> None:
    for error, raised in (
        (OSError(28, "No space left on device"), FileRefused),
        (VaultSealed("unseal"), VaultSealed),
    ):
        asked: list[str] = []

        def work(found: Found, error: Exception = error, asked: list[str] = asked) -> Outcome:
            asked.append(found.name)
            raise error

        with pytest.raises(raised):
            list(run(work, (Found(Path("a"), 1, str(number)) for number in range(1000)), 2))
        assert len(asked) <= 8


def test_files_are_taken_as_they_are_needed() -> None:
    """A folder of any number of files: at most twice the threads are held."""
    taken, gate = [0], threading.Semaphore(0)

    def endless() -> Iterator[Found]:
        while True:
            taken[0] += 1
            yield Found(Path("a"), 1, "a")

    def work(found: Found) -> Outcome:
        gate.acquire(timeout=0.01)
        raise KeyRefused("no")

    outcomes = run(work, endless(), 3)
    assert next(outcomes).state == State.FAILED
    assert taken[0] <= 12
    outcomes.close()  # type: ignore[attr-defined]


def test_a_stop_from_outside_leaves_nothing_half_made(tree: Path, tmp_path: Path) -> None:
    def stop(_: int) -> None:
        raise Stopped

    job = Job(files(), stop)
    with pytest.raises(Stopped):
        list(run(lambda one: job.seal(one, tmp_path / "sealed", False), walk.to_seal([tree], None), 2))
    assert not contents(tmp_path / "sealed")


KILLED = """
import os, sys
from pathlib import Path
from crypto.files import walk
from crypto.files.job import Job, run
from tests.unit.crypto.files.file_samples import files
tree, out, left = Path(sys.argv[1]), Path(sys.argv[2]), [int(sys.argv[3])]
def kill(_):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), 9)
job = Job(files(), kill)
list(run(lambda one: job.seal(one, out, True), walk.to_seal([tree], out), 2))
"""


@pytest.mark.parametrize("after", [1, 4, 7])
def test_killed_anywhere_and_started_again_nothing_is_lost(tree: Path, tmp_path: Path, after: int) -> None:
    before, out = contents(tree), tmp_path / "sealed"
    killed = subprocess.run([sys.executable, "-c", KILLED, tree, out, str(after)], check=False)
    assert killed.returncode == -9
    outcomes = seal_all(tree, out, may_delete=True)
    assert State.FAILED not in by_state(outcomes), outcomes
    assert not contents(tree)
    assert not only_parts(out)
    open_all(out, tmp_path / "back")
    assert contents(tmp_path / "back" / "data") == before
