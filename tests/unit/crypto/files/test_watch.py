"""The watched folder: what is quiet is sealed, proven, handed over; no crash loses anything; the bad is set aside."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.errors import FileRefused, KeyRefused, NotHandedOver, VaultSealed
from crypto.files import placing
from crypto.files.envelope import NAME_LIMIT
from crypto.files.job import Outcome, State, Stopped
from crypto.files.journal import ASIDE, SEALED, STORED, Journal
from crypto.files.sealed_file import SealedFile, SealedFiles
from crypto.files.watch import ASIDE_FOLDER, ATTEMPTS, REASON_NAME, Watch, WatchedFolder
from tests.unit.crypto.files.file_samples import CHUNK, content, files, only_parts, unheard

pytestmark = pytest.mark.requirement("H2", "H2.9", "C1")

QUIET = 30.0


class Store:
    """The next station: remembers what it was given, and refuses while `is_away`."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self.is_away = False

    def take(self, name: str, file: SealedFile) -> None:
        if self.is_away:
            raise NotHandedOver("the store is away")
        self.taken.append((name, file.about.name))

    @property
    def names(self) -> list[str]:
        return sorted(name for _, name in self.taken)


class Site:
    """A folder, its sealed files, its journal, a store and a clock that moves when told."""

    def __init__(self, root: Path, may_delete: bool = False, sealer: SealedFiles | None = None) -> None:
        self.folder, self.out = root / "in", root / "out"
        self.folder.mkdir(exist_ok=True)
        self.out.mkdir(exist_ok=True)
        self.sealer = sealer or files()
        self.may_delete = may_delete
        self.now = 0.0
        self.store = Store()
        self.start()

    def start(self) -> None:
        """As after a restart: nothing is remembered but the disk."""
        self.journal = Journal(self.out / ".journal.db")
        settings = Watch(self.folder, self.out, QUIET, self.may_delete, 2, lambda: self.now)
        self.watched = WatchedFolder(settings, self.sealer, self.journal, self.store.take, unheard)

    def step(self, seconds: float = 0.0) -> list[Outcome]:
        self.now += seconds
        return self.watched.step()

    def settle(self, steps: int = 1) -> list[Outcome]:
        """See what is there, then let the quiet time pass, `steps` times."""
        outcomes = self.step()
        for _ in range(steps):
            outcomes += self.step(QUIET)
        return outcomes

    def put(self, name: str, plain: bytes = b"content") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(plain)
        return path

    def opened(self) -> dict[str, bytes]:
        """All that lies sealed, by its name."""
        found = {}
        for number, sealed in enumerate(sorted(self.out.rglob("*.cfs"))):
            target = self.folder.parent / f"opened-{self.now}-{number}"
            name = files().open(sealed, target, unheard).about.name
            found[name] = target.read_bytes()
        return found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.journal.close()


def test_a_quiet_file_is_sealed_proven_and_handed_over_once(site: Site) -> None:
    site.put("study/a.bin", content(CHUNK + 1))
    assert not site.step()
    assert not site.step(QUIET - 1)
    (outcome,) = site.step(1)
    assert (outcome.state, outcome.found.name) == (State.DONE, "study/a.bin")
    assert site.opened() == {"study/a.bin": content(CHUNK + 1)}
    assert site.store.names == ["study/a.bin"]
    for _ in range(3):
        assert not site.step(QUIET)
    assert site.store.names == ["study/a.bin"]
    assert (site.folder / "study" / "a.bin").exists()
    assert site.watched.is_settled


def test_names_outside_tell_nothing(site: Site) -> None:
    site.put("影像.txt")
    site.settle()
    assert not [path for path in site.out.rglob("*") if "影像" in path.name]
    assert len(site.store.taken[0][0]) == 32


def test_a_file_that_grows_is_waited_for(site: Site) -> None:
    site.put("a", b"1")
    for length in range(2, 6):
        site.step(QUIET - 1)
        site.put("a", b"1" * length)
    assert not site.step(1)
    assert [outcome.state for outcome in site.step(QUIET)] == [State.DONE]
    assert site.opened() == {"a": b"11111"}


def test_a_file_that_is_open_for_writing_is_waited_for(site: Site) -> None:
    with site.put("a").open("ab"):
        assert not site.settle(3)
    assert [outcome.state for outcome in site.step(QUIET)] == [State.DONE]


def test_the_next_state_of_a_file_is_another_file(site: Site) -> None:
    site.put("a", b"first")
    site.settle()
    site.put("a", b"second, longer")
    site.settle()
    assert len(list(site.out.rglob("*.cfs"))) == 2
    assert site.store.names == ["a", "a"]


def test_hidden_files_and_an_out_inside_are_left_alone(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.out = site.folder / "out"
    site.out.mkdir()
    site.start()
    site.put(".part")
    site.put(".hidden/a")
    site.put("a")
    for _ in range(3):
        site.settle()
    assert site.store.names == ["a"]


def test_sources_go_when_they_were_handed_over(tmp_path: Path) -> None:
    site = Site(tmp_path, may_delete=True)
    path = site.put("a")
    site.store.is_away = True
    assert [outcome.state for outcome in site.settle()] == [State.DONE, State.FAILED]
    assert path.exists()
    site.store.is_away = False
    site.step(QUIET)
    assert site.store.names == ["a"]
    assert not path.exists()


@pytest.mark.parametrize("is_time_set_back", [False, True])
def test_a_source_that_changed_after_its_proof_stays(tmp_path: Path, is_time_set_back: bool) -> None:
    site = Site(tmp_path, may_delete=True)
    path = site.put("a", b"first")
    site.store.is_away = True
    site.settle()
    status = path.stat()
    path.write_bytes(b"other")
    if is_time_set_back:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    site.store.is_away = False
    site.step(1000)
    assert site.store.names == ["a"]
    assert path.read_bytes() == b"other"


def test_a_source_whose_rights_changed_is_proven_again_and_goes(tmp_path: Path) -> None:
    site = Site(tmp_path, may_delete=True)
    path = site.put("a", b"first")
    site.store.is_away = True
    site.settle()
    path.chmod(0o640)
    site.store.is_away = False
    site.step(1000)
    assert not path.exists()


def test_a_source_that_cannot_be_deleted_is_named_and_the_watch_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    site = Site(tmp_path, may_delete=True)
    site.put("a")
    with monkeypatch.context() as patched:
        patched.setattr(placing, "remove", refuse)
        outcomes = site.settle()
    assert [outcome.state for outcome in outcomes] == [State.DONE, State.FAILED]
    assert "the source stays" in outcomes[-1].reason
    assert site.store.names == ["a"]
    assert not site.step(QUIET)
    site.journal.close()
    site.start()
    site.settle()
    assert not list(site.folder.iterdir())


def test_a_store_that_is_away_is_asked_more_and_more_rarely(site: Site) -> None:
    site.put("a")
    site.store.is_away = True
    asked = len([outcome for outcome in site.settle() if outcome.state == State.FAILED])
    for _ in range(600):
        asked += len(site.step(1))
    assert 5 <= asked <= 9
    site.store.is_away = False
    site.step(400)
    assert site.store.names == ["a"]
    assert site.journal.counts() == {STORED: 1}


def test_after_a_restart_it_goes_on(site: Site) -> None:
    for name in ("a", "b"):
        site.put(name)
    site.store.is_away = True
    site.settle()
    assert site.journal.counts() == {SEALED: 2}
    site.journal.close()
    site.store.is_away = False
    site.start()
    site.step()
    assert site.store.names == ["a", "b"]
    site.settle()
    assert site.store.names == ["a", "b"]
    assert len(list(site.out.rglob("*.cfs"))) == 2


def test_what_cannot_be_sealed_is_set_aside_with_the_reason(site: Site) -> None:
    (site.folder / "link").symlink_to("/etc/hostname")
    site.put("good")
    outcomes = site.settle(ATTEMPTS)
    assert [outcome.found.name for outcome in outcomes if outcome.state == State.DONE] == ["good"]
    assert [outcome.is_final for outcome in outcomes if outcome.found.name == "link"] == [False, False, True]
    (reason,) = (site.folder / ASIDE_FOLDER).rglob(REASON_NAME)
    assert "symbolic link" in reason.read_text()
    assert (reason.parent / "link").is_symlink()
    assert site.journal.counts() == {STORED: 1, ASIDE: 1}
    assert not site.settle(2)


def test_a_path_too_long_is_set_aside(site: Site) -> None:
    deep = "/".join(["d" * 200] * (NAME_LIMIT // 200 + 1))
    site.put(f"{deep}/a")
    site.settle(ATTEMPTS)
    assert site.journal.counts() == {ASIDE: 1}
    assert len(list((site.folder / ASIDE_FOLDER).rglob("a"))) == 1


def test_what_cannot_be_moved_away_is_not_tried_for_ever(site: Site) -> None:
    (site.folder / "link").symlink_to("/etc/hostname")
    (site.folder / ASIDE_FOLDER).write_bytes(b"in the way")
    outcomes = site.settle(ATTEMPTS + 3)
    assert len(outcomes) == ATTEMPTS
    assert "stays where it is" in outcomes[-1].reason


def test_trouble_that_is_not_the_files_fault_sets_nothing_aside(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise KeyRefused("the key server says no")

    site.put("a")
    with monkeypatch.context() as patched:
        patched.setattr(site.sealer, "seal", refuse)
        assert len(site.settle(ATTEMPTS + 3)) == ATTEMPTS + 3
    assert [outcome.state for outcome in site.step(QUIET)] == [State.DONE]


def test_a_sealed_vault_ends_the_step(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise VaultSealed("unseal first")

    site.put("a")
    monkeypatch.setattr(site.sealer, "seal", refuse)
    with pytest.raises(VaultSealed):
        site.settle()


def test_a_body_that_reads_back_wrong_is_made_anew(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    seal = site.sealer.seal

    def broken(source: Path, target: Path, name: str, advance) -> SealedFile:  # type: ignore[no-untyped-def]
        made = seal(source, target, name, advance)
        body = bytearray(target.read_bytes())
        body[100] ^= 1
        target.write_bytes(body)
        return made

    site.put("a", content(CHUNK))
    with monkeypatch.context() as patched:
        patched.setattr(site.sealer, "seal", broken)
        assert [outcome.state for outcome in site.settle()] == [State.FAILED]
        assert not list(site.out.rglob("*.cfs*"))
        assert not site.store.taken
    site.step(QUIET)
    assert site.opened() == {"a": content(CHUNK)}


def test_a_stop_between_two_files_hands_over_no_more(site: Site) -> None:
    for name in "abc":
        site.put(name)
    site.store.is_away = True
    site.settle()
    site.store.is_away = False

    def stop(count: int) -> None:
        if site.store.taken:
            raise Stopped

    site.watched._advance = stop
    with pytest.raises(Stopped):
        site.step(1000)
    assert len(site.store.taken) == 1


def test_only_one_watcher_works_with_an_out(site: Site) -> None:
    with (
        placing.alone_in(site.out),
        pytest.raises(FileRefused, match="one at a time"),
        placing.alone_in(site.out),
    ):
        pass


KILLED = """
import os, sys
from pathlib import Path
from crypto.files import placing
from crypto.files.journal import Journal
from tests.unit.crypto.files import test_watch
site = test_watch.Site(Path(sys.argv[1]), may_delete=True)
where, left = sys.argv[2], [2]
def killing(real):
    def call(*arguments):
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), 9)
        return real(*arguments)
    return call
owner = {"rename": Path, "sealed": Journal, "stored": Journal, "remove": placing}.get(where)
if owner:
    setattr(owner, where, killing(getattr(owner, where)))
else:
    site.watched._hand_over = killing(site.store.take)
site.settle()
"""


@pytest.mark.parametrize("where", ["rename", "sealed", "hand_over", "stored", "remove"])
def test_killed_at_any_step_every_file_is_sealed_and_handed_over(tmp_path: Path, where: str) -> None:
    site = Site(tmp_path, may_delete=True)
    names = {"a": content(CHUNK + 5), "b": b"b", "c": b""}
    for name, plain in names.items():
        site.put(name, plain)
    site.journal.close()
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path, where], check=False)
    assert killed.returncode == -9
    site.start()
    for _ in range(2):
        site.settle()
    assert site.opened() == names
    assert not list(site.folder.iterdir())
    assert site.journal.counts() == {STORED: 3}
    assert not only_parts(site.out)
    assert len(list(site.out.rglob("*.cfs"))) == 3
    assert {name for _, name in site.store.taken} <= names.keys()


def test_a_body_that_rotted_while_the_store_was_away_is_not_handed_over(tmp_path: Path) -> None:
    site = Site(tmp_path, may_delete=True)
    source = site.put("a.bin", content(2 * CHUNK))
    site.store.is_away = True
    site.settle()
    (body,) = site.out.rglob("*.cfs")
    rotten = bytearray(body.read_bytes())
    rotten[CHUNK] ^= 1
    body.write_bytes(rotten)
    site.store.is_away = False
    outcomes = site.step(3600)
    assert [one.state for one in outcomes] == [State.FAILED]
    assert site.store.taken == []
    assert source.exists()
    site.journal.close()
