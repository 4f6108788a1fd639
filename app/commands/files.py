"""`./cloudfilm seal|open|verify|rewrap`: whole files (H2, H2.9). Status 0: all well; 1: something failed, and was named."""

import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import click

from app.platform import build_platform
from app.stored_files import fetch, store_hand_over
from core import config
from crypto.files import placing, walk
from crypto.files.job import Job, Outcome, State, Stopped, Work, run
from crypto.files.journal import Journal
from crypto.files.sealed_file import SealedFiles
from crypto.files.walk import Found
from crypto.files.watch import Watch, WatchedFolder
from workflow.context import Platform

JOURNAL_NAME = ".journal.db"
STEP_SECONDS = 5.0
# What a shell gives for a process that an interrupt ended.
STOPPED_STATUS = 130
_LEAST_SECONDS = 0.1
_MEGABYTE = 1_000_000

_Paths = tuple[Path, ...]
_paths = click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
_out = click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Where results go.")
_from = click.option("--from", "base", type=click.Path(path_type=Path), default=Path(), hidden=True)


@click.command()
@_from
@_paths
@_out
@click.option(
    "--delete-source",
    is_flag=True,
    help="Delete each source once it was read back from the disk and compared.",
)
@click.option(
    "--watch",
    "watched",
    type=click.Path(path_type=Path),
    help="Seal what comes into this folder and hand it to the store; needs --out.",
)
@click.option(
    "--quiet",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="With --watch: so many seconds a file must not change.",
)
@click.option("--once", is_flag=True, help="With --watch: end when all that is there was dealt with.")
def seal(
    base: Path,
    paths: _Paths,
    out: Path | None,
    delete_source: bool,
    watched: Path | None,
    quiet: float,
    once: bool,
) -> None:
    """Seal files, and all below folders, into NAME.cfs with NAME.cfs.key; the sources stay. Start it again after a crash."""
    if watched is not None:
        if out is None or paths:
            raise click.UsageError("--watch takes --out and no PATHS")
        _watch(
            Watch(base / watched, base / out, quiet, delete_source, _files_at_once(), time.monotonic), once
        )
        return
    named, target = _named(base, paths), base / out if out else None
    with _Progress(walk.to_seal(named, target), 2 if delete_source else 1) as progress:
        job = Job(_files(_platform()), progress.advance)
        progress.follow(lambda found: job.seal(found, target, delete_source), walk.to_seal(named, target))
    progress.finish("sealed")


@click.command("open")
@_from
@_paths
@_out
def open_command(base: Path, paths: _Paths, out: Path | None) -> None:
    """Open sealed files, and all below folders, beside them or into --out with the folders they came from."""
    target = base / out if out else None
    _over_sealed(_named(base, paths), "opened", lambda job: lambda found: job.open(found, target))


@click.command()
@_from
@_paths
def verify(base: Path, paths: _Paths) -> None:
    """Read sealed files from the disk and check every byte of them."""
    _over_sealed(_named(base, paths), "verified", lambda job: job.verify)


@click.command()
@_from
@_paths
def rewrap(base: Path, paths: _Paths) -> None:
    """Put the keys of sealed files under the newest key-encryption key; the files themselves are not touched."""
    _over_sealed(_named(base, paths), "re-wrapped", lambda job: job.rewrap)


@click.command("fetch")
@_from
@click.argument("names", nargs=-1, required=True)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Where they go.")
def fetch_command(base: Path, names: tuple[str, ...], out: Path) -> None:
    """Bring sealed files back from the store with their keys, by their names of 32 hex digits; then `open` opens them."""
    store = _platform().store
    for name in names:
        try:
            _say(str(fetch(store, name, base / out)))
        except ValueError as error:
            raise click.UsageError(str(error)) from None


COMMANDS = (seal, open_command, verify, rewrap, fetch_command)


def _over_sealed(paths: list[Path], done: str, work_of: Callable[[Job], Work]) -> None:
    with _Progress(walk.sealed(paths), 1) as progress:
        job = Job(_files(_platform()), progress.advance)
        progress.follow(work_of(job), walk.sealed(paths))
    progress.finish(done)


def _watch(watch: Watch, once: bool) -> None:
    if not watch.folder.is_dir():
        raise click.UsageError(f"--watch {watch.folder}: there is no such folder")
    platform = _platform()
    watch.out.mkdir(mode=0o700, parents=True, exist_ok=True)
    with placing.alone_in(watch.out), _stopped_by_signals() as stop:
        journal = Journal(watch.out / JOURNAL_NAME)

        def advance(_: int) -> None:
            if stop.is_set():
                raise Stopped

        folder = WatchedFolder(watch, _files(platform), journal, store_hand_over(platform.store), advance)
        failed = _steps(folder, watch, once, stop)
        counts = journal.counts()
        journal.close()
    _say(", ".join(f"{state} {count}" for state, count in sorted(counts.items())) or "nothing was there")
    sys.exit(1 if once and failed else 0)


def _steps(folder: WatchedFolder, watch: Watch, once: bool, stop: threading.Event) -> bool:
    """Until stopped, or `once` all was dealt with. Whether something failed."""
    failed = False
    with suppress(Stopped):
        while not stop.is_set():
            for outcome in folder.step():
                failed |= outcome.state == State.FAILED
                _say(_line(outcome))
            if once and folder.is_settled:
                break
            stop.wait(min(STEP_SECONDS, max(_LEAST_SECONDS, watch.quiet_seconds)))
    return failed


class _Progress:
    """A bar over bytes, fed by several threads, and what came of the files."""

    def __init__(self, files: Iterable[Found], rounds: int) -> None:
        """`rounds`: how often each byte is gone through."""
        self._total = rounds * sum(found.byte_size for found in files)
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._started = time.monotonic()
        self._states: Counter[State] = Counter()
        self._kinds: Counter[str] = Counter()
        self._bytes = 0

    def __enter__(self) -> "_Progress":
        self._bar = click.progressbar(
            length=max(1, self._total), file=sys.stderr, hidden=not sys.stderr.isatty()
        )
        self._stack.enter_context(self._bar)
        self._stop = self._stack.enter_context(_stopped_by_signals())
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def advance(self, count: int) -> None:
        """So many bytes more. Raises `Stopped` after an interrupt."""
        if self._stop.is_set():
            raise Stopped
        with self._lock:
            self._bar.update(count)

    def follow(self, work: Work, files: Iterable[Found]) -> None:
        """Do it, and name what fails at once."""
        try:
            for outcome in run(work, files, _files_at_once()):
                self._note(outcome)
        except Stopped:
            _say("stopped; nothing half-made is left: start it again to go on", err=True)
            sys.exit(STOPPED_STATUS)

    def _note(self, outcome: Outcome) -> None:
        self._states[outcome.state] += 1
        if outcome.state == State.FAILED:
            _say(f"failed  {outcome.reason}", err=True)
            return
        self._kinds[outcome.kind] += 1
        self._bytes += outcome.found.byte_size if outcome.state == State.DONE else 0

    def finish(self, done: str) -> None:
        """The summary; ends the command with status 1 when something failed or nothing was there."""
        seconds = max(1e-9, time.monotonic() - self._started)
        ordered = sorted(self._kinds.items(), key=lambda entry: (-entry[1], entry[0]))
        kinds = ", ".join(f"{kind} {count}" for kind, count in ordered if kind)
        parts = [f"{done} {self._states[State.DONE]}"]
        parts += [
            f"{state} {self._states[state]}" for state in (State.ALREADY, State.FAILED) if self._states[state]
        ]
        _say(f"{', '.join(parts)}{f' ({kinds})' if kinds else ''}")
        _say(
            f"{self._bytes / _MEGABYTE:,.1f} MB in {seconds:.1f} s, {self._bytes / _MEGABYTE / seconds:,.0f} MB/s"
        )
        if not self._states:
            raise click.ClickException("there is no such file in what was named")
        sys.exit(1 if self._states[State.FAILED] else 0)


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """Set by SIGINT and SIGTERM: what is being worked on is ended in order."""
    stop = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stop.set()) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _line(outcome: Outcome) -> str:
    if outcome.state == State.FAILED:
        return f"failed  {outcome.found.name}: {outcome.reason}"
    return f"sealed  {outcome.found.name} ({outcome.kind}, {outcome.found.byte_size} bytes)"


def _say(text: str, err: bool = False) -> None:
    """A line, also with file names that are no Unicode."""
    click.echo(text.encode("utf-8", "replace").decode(), err=err)


def _named(base: Path, paths: _Paths) -> list[Path]:
    """The paths from where the caller is."""
    if not paths:
        raise click.UsageError("name files or folders")
    return [base / path for path in paths]


def _platform() -> Platform:
    return build_platform(config.load())


def _files(platform: Platform) -> SealedFiles:
    return SealedFiles(platform.keyring, platform.provider, _threads())


def _files_at_once() -> int:
    """Each small file waits three times for the disk: 2 a processor came out about 1.4 times as fast as 1."""
    return 2 * _threads()


def _threads() -> int:
    return os.cpu_count() or 1
