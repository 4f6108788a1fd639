"""A folder whose files are sealed when they have been quiet, proven, and handed over: the front machine's daily job.

One `step` is one look at the folder. All that must survive a crash is in the journal and on the disk, so that a step may be
cut off anywhere: the next one goes on from there, and nothing is handed over twice under two names.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crypto.errors import CryptoError, FileRefused, SealBroken, SourceChanged
from crypto.files import placing
from crypto.files.body import Advance
from crypto.files.envelope import key_path
from crypto.files.job import HOPELESS, NO_SPACE, Outcome, State, run
from crypto.files.journal import SEALING, STORED, Entry, Journal
from crypto.files.placing import Stamp
from crypto.files.sealed_file import SUFFIX, SealedFile, SealedFiles
from crypto.files.walk import Found, watched

ASIDE_FOLDER = ".set-aside"
REASON_NAME = "reason.txt"
ATTEMPTS = 3
# At most so many in one step, lest a slow line keep files lying about unsealed.
_HAND_OVER_AT_ONCE = 16
# A file that was not taken is offered again after so long, twice that, and so on up to the limit.
_AGAIN_SECONDS, _AGAIN_LIMIT = 5.0, 300.0

# Takes the name of a sealed file (32 hex digits) and the file. Raises `NotHandedOver`; the same may come again.
HandOver = Callable[[str, SealedFile], None]


@dataclass
class _Seen:
    stamp: Stamp
    since: float
    is_done: bool = False
    failures: int = 0


@dataclass(frozen=True)
class Watch:
    """What is watched and how. `seconds` is a clock that never goes back; `may_delete`: sources go once handed over."""

    folder: Path
    out: Path
    quiet_seconds: float
    may_delete: bool
    threads: int
    seconds: Callable[[], float]


class WatchedFolder:
    """Use it inside `placing.alone_in(out)`: two watchers of one `out` would seal everything twice.

    At the start it sweeps away what a killed process left half-made.
    """

    def __init__(
        self, watch: Watch, files: SealedFiles, journal: Journal, hand_over: HandOver, advance: Advance
    ) -> None:
        self._watch = watch
        self._files = files
        self._journal = journal
        self._hand_over = hand_over
        self._advance = advance
        self._seen: dict[str, _Seen] = {}
        self._again: dict[str, tuple[float, float]] = {}
        for folder in watch.out.iterdir():
            if folder.is_dir():
                placing.sweep_parts(folder)

    def step(self) -> list[Outcome]:
        """Look, seal what is quiet, hand over what is sealed; what was done or failed. Raises what `job.run` raises."""
        sealed = run(self._seal, self._quiet(), self._watch.threads)
        return [outcome for outcome in sealed if outcome.state != State.ALREADY] + self._hand_over_due()

    @property
    def is_settled(self) -> bool:
        """Whether every file that the last step saw is sealed, set aside or failed often, and was offered on."""
        waiting = {entry.token for entry in self._journal.to_hand_over()}
        return (
            all(seen.is_done or seen.failures >= ATTEMPTS for seen in self._seen.values())
            and waiting <= self._again.keys()
        )

    def path_of(self, token: str) -> Path:
        """Where a sealed file lies."""
        return self._watch.out / token[:2] / f"{token}{SUFFIX}"

    def _quiet(self) -> list[Found]:
        """The files that did not change for `quiet_seconds`, by our own looking: times of change may be copied ones."""
        now, present, quiet = self._watch.seconds(), set(), []
        for found in watched(self._watch.folder, self._watch.out):
            with contextlib.suppress(FileNotFoundError):
                stamp = Stamp.of(found.path.stat(follow_symlinks=False))
                present.add(found.name)
                seen = self._seen.get(found.name)
                if seen is None or seen.stamp != stamp:
                    seen = self._seen[found.name] = _Seen(stamp, now)
                if not seen.is_done and now - seen.since >= self._watch.quiet_seconds:
                    quiet.append(found)
        for name in self._seen.keys() - present:
            del self._seen[name]
        return quiet

    def _seal(self, found: Found) -> Outcome:
        """Bring one quiet file as far as it will go; `seen.is_done` unless it is to be looked at again."""
        seen = self._seen[found.name]
        try:
            status = found.path.stat(follow_symlinks=False)
            if Stamp.of(status) != seen.stamp or _is_open_elsewhere(found.path):
                raise SourceChanged(f"{found.path}: not quiet after all")
            entry = self._journal.begin(found.name, seen.stamp, status.st_ctime_ns)
            outcome = (
                self._seal_entry(found, entry) if entry.state == SEALING else Outcome(found, State.ALREADY)
            )
        except (SourceChanged, FileNotFoundError):
            seen.since = self._watch.seconds()
            return Outcome(found, State.ALREADY)
        if entry.state == STORED and self._watch.may_delete:
            kept = self._let_go(found, entry)
            outcome = kept if kept.state == State.FAILED else outcome
        seen.is_done = outcome.state != State.FAILED or outcome.is_final
        if not seen.is_done:
            seen.since, seen.failures = self._watch.seconds(), seen.failures + 1
        return outcome

    def _seal_entry(self, found: Found, entry: Entry) -> Outcome:
        target = self.path_of(entry.token)
        try:
            if not target.exists():
                self._files.seal(found.path, target, found.name, self._advance)
            file = self._files.prove(target, found.path, self._advance)
        except SourceChanged:
            _discard(target)
            self._journal.forget(entry.token)
            raise
        except HOPELESS:
            raise
        except (CryptoError, OSError) as error:
            if isinstance(error, OSError) and error.errno in NO_SPACE:
                raise FileRefused(
                    f"{self._watch.out}: {error.strerror}; make room, then start again"
                ) from None
            if isinstance(error, SealBroken):
                _discard(target)
            return self._failed(found, entry, error)
        self._journal.sealed(entry.token, file.envelope.object_id.hex(), file.envelope.kind)
        return Outcome(found, State.DONE, file.envelope.kind)

    def _failed(self, found: Found, entry: Entry, error: Exception) -> Outcome:
        """A file that cannot be read or named is set aside; for what is not its fault it is tried for ever."""
        reason = str(error)
        if self._journal.failed(entry.token, reason) < ATTEMPTS or not isinstance(error, FileRefused):
            return Outcome(found, State.FAILED, reason=reason)
        self._journal.aside(entry.token)
        return Outcome(
            found, State.FAILED, reason=f"{reason}; {self._set_aside(found, entry, reason)}", is_final=True
        )

    def _set_aside(self, found: Found, entry: Entry, reason: str) -> str:
        """Move the file out of the way, within its own disk, and write the reason beside it; say where it is."""
        aside = self._watch.folder / ASIDE_FOLDER / entry.token[:8] / found.path.name
        try:
            aside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            found.path.rename(aside)
            aside.with_name(REASON_NAME).write_text(f"{reason}\n", encoding="utf-8", errors="replace")
        except OSError as error:
            return f"it stays where it is and is not tried again ({error.strerror})"
        return f"it was set aside: {aside}"

    def _hand_over_due(self) -> list[Outcome]:
        now = self._watch.seconds()
        due = [
            entry
            for entry in self._journal.to_hand_over()
            if self._again.get(entry.token, (now, 0.0))[0] <= now
        ]
        outcomes = [self._hand_over_one(entry) for entry in due[:_HAND_OVER_AT_ONCE]]
        return [outcome for outcome in outcomes if outcome.state == State.FAILED]

    def _hand_over_one(self, entry: Entry) -> Outcome:
        path, found = (
            self.path_of(entry.token),
            Found(self._watch.folder / entry.name, entry.stamp.size, entry.name),
        )
        self._advance(0)  # between two files one may be asked to stop
        try:
            file = self._read_for_hand_over(path)
            self._hand_over(entry.token, file)
        except HOPELESS:
            raise
        except (CryptoError, OSError) as error:
            self._journal.failed(entry.token, str(error))
            pause = min(_AGAIN_LIMIT, max(_AGAIN_SECONDS, 2 * self._again.get(entry.token, (0.0, 0.0))[1]))
            self._again[entry.token] = (self._watch.seconds() + pause, pause)
            return Outcome(
                found, State.FAILED, reason=f"{path}: not handed over, tried again in {pause:.0f} s: {error}"
            )
        self._journal.stored(entry.token)
        self._again.pop(entry.token, None)
        return self._let_go(found, entry) if self._watch.may_delete else Outcome(found, State.DONE)

    def _read_for_hand_over(self, path: Path) -> SealedFile:
        """Where the source goes afterwards, what is handed over is all there is: a store that was away for days must not be
        given a body that rotted meanwhile."""
        if self._watch.may_delete:
            return self._files.verify(path, self._advance)
        return self._files.describe(path)

    def _let_go(self, found: Found, entry: Entry) -> Outcome:
        """Delete the source of what was handed over, when that is wished and it still is what was sealed."""
        try:
            # Touched since: perhaps only its rights, perhaps its content and then its time.
            if found.path.stat(follow_symlinks=False).st_ctime_ns != entry.touched_ns:
                self._files.prove(self.path_of(entry.token), found.path, self._advance)
            placing.remove(found.path)
        except (FileNotFoundError, SourceChanged):
            pass  # gone, or another file by now, which will have its own turn
        except HOPELESS:
            raise
        except (CryptoError, OSError) as error:
            return Outcome(
                found, State.FAILED, reason=f"handed over, but the source stays: {error}", is_final=True
            )
        return Outcome(found, State.DONE)


def _discard(target: Path) -> None:
    target.unlink(missing_ok=True)
    key_path(target).unlink(missing_ok=True)


def _is_open_elsewhere(path: Path) -> bool:
    try:
        with placing.open_regular(path) as descriptor:
            return placing.is_being_written(descriptor)
    except FileRefused:
        return False  # sealing says why
