"""Many files: seal, open, verify or re-wrap them in parallel, each whole or not at all, one failure stopping no other.

A job that was killed is simply started again: what is finished is recognised and left alone, what was half-made is swept
and made anew under a new key and a new nonce prefix. There is no list of what was done that could disagree with the disk.
"""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from crypto.errors import (
    AuditUnavailable,
    CryptoError,
    EngineUnavailable,
    FileRefused,
    ServiceUnavailable,
    SourceFailed,
    VaultSealed,
)
from crypto.files import placing
from crypto.files.body import Advance
from crypto.files.sealed_file import SUFFIX, SealedFile, SealedFiles
from crypto.files.walk import Found

# With these no other file would fare better: the job ends at once. The first three need a person.
HOPELESS = (VaultSealed, AuditUnavailable, SourceFailed)
_ENDS_JOB = (*HOPELESS, ServiceUnavailable, EngineUnavailable)
NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


class State(StrEnum):
    """What came of one file."""

    DONE = "done"
    ALREADY = "already"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """The same with its kind where that is known, and the reason of a failure; `is_final`: it is not tried again."""

    found: Found
    state: State
    kind: str = ""
    reason: str = ""
    is_final: bool = False


Work = Callable[[Found], Outcome]


class Stopped(Exception):
    """Raised by a caller's `advance` to end a job from outside; what is half-made is removed."""


class Job:
    """The work on one file, for `run`; `advance` hears of plain bytes, from several threads."""

    def __init__(self, files: SealedFiles, advance: Advance) -> None:
        self._files = files
        self._advance = advance
        self._swept: set[Path] = set()

    def seal(self, found: Found, out: Path | None, may_delete: bool) -> Outcome:
        """Seal beside the source, or below `out`. With `may_delete` it is read back, compared, and the source deleted."""
        target = (out / found.name if out else found.path).with_name(found.path.name + SUFFIX)
        self._sweep(target.parent)
        if os.path.lexists(target):
            if not self._files.is_of(target, found.path):
                raise FileRefused(
                    f"{target}: exists and was made of another file or another state of this one; move one of them away"
                )
            outcome = Outcome(found, State.ALREADY, self._files.describe(target).envelope.kind)
            self._advance(found.byte_size)
        else:
            made = self._files.seal(found.path, target, found.name, self._advance)
            outcome = Outcome(found, State.DONE, made.envelope.kind)
        if may_delete:
            self._files.prove(target, found.path, self._advance)
            placing.remove(found.path)
        return outcome

    def open(self, found: Found, out: Path | None) -> Outcome:
        """Open beside the sealed file, or below `out` with the folders that the file was sealed from."""
        file = self._files.describe(found.path)
        target = out / file.about.name if out else found.path.with_name(PurePosixPath(file.about.name).name)
        if os.path.lexists(target):
            _require_same(target, file)
            self._advance(file.plain_length)
            return Outcome(found, State.ALREADY, file.envelope.kind)
        self._sweep(target.parent)
        self._files.open(found.path, target, self._advance)
        return Outcome(found, State.DONE, file.envelope.kind)

    def verify(self, found: Found) -> Outcome:
        """Open every chunk as it lies on the disk."""
        return Outcome(found, State.DONE, self._files.verify(found.path, self._advance).envelope.kind)

    def rewrap(self, found: Found) -> Outcome:
        """The data key under the newest key-encryption key."""
        is_new = self._files.rewrap(found.path)
        self._advance(found.byte_size)
        return Outcome(found, State.DONE if is_new else State.ALREADY)

    def _sweep(self, folder: Path) -> None:
        """Once for each folder and job. Two threads may both do it; a part that is being written is locked."""
        if folder not in self._swept and folder.is_dir():
            placing.sweep_parts(folder)
        self._swept.add(folder)


def run(work: Work, files: Iterable[Found], threads: int) -> Iterator[Outcome]:
    """Outcomes as they come, `threads` files at a time; of `files` no more is held than is being worked on.

    Raises at once what no other file would escape: `VaultSealed`, `AuditUnavailable`, `SourceFailed`, `ServiceUnavailable`,
    `EngineUnavailable`, and `FileRefused` for a full disk.
    """
    waiting: set[Future[Outcome]] = set()
    with ThreadPoolExecutor(threads, "files") as pool:
        try:
            for found in files:
                waiting.add(pool.submit(_guarded, work, found))
                if len(waiting) >= 2 * threads:
                    finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in finished)
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in finished)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _guarded(work: Work, found: Found) -> Outcome:
    try:
        return work(found)
    except _ENDS_JOB:
        raise
    except CryptoError as error:
        return Outcome(found, State.FAILED, reason=str(error))
    except OSError as error:
        if error.errno in NO_SPACE:
            raise FileRefused(f"{found.path}: {error.strerror}; make room and start the job again") from None
        return Outcome(found, State.FAILED, reason=f"{found.path}: {error.strerror}")


def _require_same(target: Path, file: SealedFile) -> None:
    found = target.stat(follow_symlinks=False)
    if (found.st_size, found.st_mtime_ns) != (file.plain_length, file.about.modified_ns):
        raise FileRefused(f"{target}: exists and is another file; move it away or choose another --out")
