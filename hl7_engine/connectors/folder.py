"""A watched folder: systems that can only write files.

A file is taken when it is complete: unchanged in size and time over two looks. It is best written under another name (or in
another directory of the same disk) and renamed. It holds one message, or many. When everything in it is durable it goes to
`done/YYYYMMDD/`; with a refused message in it to `error/`, with the reasons beside it. On the way it passes `taking/`, where
it is compared with what was read: one that was replaced or written on meanwhile goes back. Killed in between, the file is
read again and the inbox recognises the repetition. Links are not followed: a file is taken from this folder or not at all.
"""

import errno
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from core.clock import now
from core.errors import Misconfigured, Unavailable
from core.logs import get_logger, mask_text
from hl7_engine import batch
from hl7_engine.connector import Accept, IsUp, incoming, require_stored
from hl7_engine.connectors import settings
from hl7_engine.framing import MAX_FRAME_BYTES, Deframer, Frame
from hl7_engine.incoming import Incoming, Receipt
from hl7_engine.payload import sniff
from hl7_engine.times import SHANGHAI

CHANNEL = "folder"
DONE = "done"
ERROR = "error"
TAKING = "taking"
# So many files, or so many bytes, share one commit.
_FILES_AT_ONCE = 200
_BYTES_AT_ONCE = 64 * 1024 * 1024
_DAY = "%Y%m%d"
_BLOCK_START = b"\x0b"
_WHY = ".why.txt"
# A file name has at most 255 bytes; what is left is for a number and `.why.txt`.
_NAME_BYTES = 230

_log = get_logger("hl7_engine")

# Size, time of change and inode: what must stay the same from one look to the next.
Look = tuple[int, int, int]


@dataclass(frozen=True)
class FolderSettings:
    """One folder. Files of other endings are left alone; `keep_days` ends what is in `done`, 0 keeps it for ever."""

    name: str
    path: str
    extensions: tuple[str, ...] = (".hl7", ".xml", ".json", ".txt")
    poll_seconds: float = 2.0
    max_bytes: int = MAX_FRAME_BYTES
    keep_days: int = 30


@dataclass
class _File:
    """A file as it was read, and what became of its messages."""

    name: str
    look: Look
    items: list[Incoming]
    receipts: list[Receipt] = field(default_factory=list)


class FolderConnector:
    """Takes the files of one folder, the oldest first."""

    def __init__(self, told: FolderSettings) -> None:
        """Raises `Misconfigured`."""
        subject = f"connector {told.name}"
        settings.require_positive(subject, poll_seconds=told.poll_seconds, max_bytes=told.max_bytes)
        wrong = [ending for ending in told.extensions if not str(ending).startswith(".")]
        if wrong or not told.extensions:
            raise Misconfigured(f"{subject}: extensions are endings with their dot, such as .hl7")
        self.name = told.name
        self._told = told
        self._path = Path(told.path)
        self._endings = tuple(ending.lower() for ending in told.extensions)
        self._seen: dict[str, Look] = {}
        self._unreadable = 0
        self._unmovable = 0

    def run(self, accept: Accept, stop: threading.Event, is_up: IsUp) -> None:
        """Look again and again until `stop` is set. Raises `Unavailable` when the folder is away."""
        self.look(accept)
        is_up()
        while not stop.wait(self._told.poll_seconds):
            self.look(accept)

    def look(self, accept: Accept) -> None:
        """Take what is complete; remember the rest for the next look. Raises `Unavailable`."""
        self._unreadable = self._unmovable = 0
        try:
            self._put_back()
            for files in self._together(self._complete()):
                self._take(files, accept)
            self._end_old_days()
        except OSError as error:
            # Without the file's name, in which some systems put the patient's.
            raise Unavailable(f"folder {self._path}: {error.strerror}") from error
        if self._unreadable:
            raise Unavailable(f"folder {self._path}: {self._unreadable} files may not be read by this user")
        if self._unmovable:
            raise Unavailable(
                f"folder {self._path}: {self._unmovable} files were taken and cannot be moved out of the way"
            )

    def _put_back(self) -> None:
        """What we were killed over, or could not move on, is looked at like any other file."""
        taking = self._path / TAKING
        if not taking.is_dir():
            return
        for held in taking.iterdir():
            try:
                self._give_back(held)
            except FileNotFoundError:
                # Another process was quicker.
                continue
            except OSError:
                self._unmovable += 1

    def _give_back(self, held: Path) -> None:
        """To the folder, over nothing that its sender may put there at this moment."""
        goal = _free_name(self._path, held.name)
        try:
            os.link(held, goal, follow_symlinks=False)
        except FileExistsError:
            self._give_back(held)
        except OSError:
            # No hard links on this file system, or not for this file.
            held.rename(goal)
        else:
            held.unlink()

    def _complete(self) -> list[str]:
        """Names of the files that did not change since the last look, the oldest first."""
        looks: dict[str, Look] = {}
        with os.scandir(self._path) as entries:
            for entry in entries:
                if entry.name.startswith(".") or not entry.name.lower().endswith(self._endings):
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    # Renamed or deleted by its sender a moment ago.
                    continue
                if stat.S_ISREG(status.st_mode):
                    looks[entry.name] = _look(status)
        complete = [name for name, look in looks.items() if self._seen.get(name) == look]
        self._seen = looks
        return sorted(complete, key=lambda name: (looks[name][1], name))

    def _together(self, names: list[str]) -> Iterator[list[_File]]:
        """Read files in groups that share one commit."""
        group: list[_File] = []
        size = 0
        for name in names:
            content = self._read(name)
            if content is None:
                continue
            group.append(_File(name, self._seen[name], self._messages(content)))
            size += len(content)
            if len(group) >= _FILES_AT_ONCE or size >= _BYTES_AT_ONCE:
                yield group
                group, size = [], 0
        if group:
            yield group

    def _read(self, name: str) -> bytes | None:
        """The content, at most one byte more than is allowed. None when it cannot be had."""
        try:
            # O_NONBLOCK: a pipe put in place of the file must not hold us.
            handle = os.open(self._path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            # Another process was quicker, or the name has become a link; what is not ours to read needs a person.
            self._unreadable += error.errno in (errno.EACCES, errno.EPERM)
            return None
        with os.fdopen(handle, "rb") as file:
            # Another file than the one that stood still: the next look sees it.
            if _look(os.fstat(handle)) != self._seen[name]:
                return None
            return file.read(self._told.max_bytes + 1)

    def _messages(self, content: bytes) -> list[Incoming]:
        limit = self._told.max_bytes
        if len(content) > limit or sniff(content) != "er7":
            return [incoming(content, self.name, CHANNEL, max_bytes=limit)]
        # A file copied from a socket: its blocks tell whether one is cut short. The last byte ends an unfinished one.
        if content.startswith(_BLOCK_START):
            frames = Deframer(limit).feed(content + _BLOCK_START)
        else:
            frames = [Frame(content)]
        items = [
            incoming(part, self.name, CHANNEL, damage=frame.damage)
            for frame in frames
            for part in (batch.split(frame.content) if frame.damage is None else [frame.content])
        ]
        # A file without any message is refused as a whole: somebody meant to send something.
        return items or [incoming(content, self.name, CHANNEL)]

    def _take(self, files: list[_File], accept: Accept) -> None:
        receipts = iter(accept([item for file in files for item in file.items]))
        for file in files:
            file.receipts = [next(receipts) for _ in file.items]
        for file in files:
            if all(receipt.state != "unavailable" for receipt in file.receipts):
                self._move_or_count(file)
        require_stored([receipt for file in files for receipt in file.receipts])

    def _move_or_count(self, file: _File) -> None:
        """One that cannot be moved must not hold up the others; it is told of when they are done."""
        try:
            self._move(file)
        except FileNotFoundError:
            # Another process took the same file; the inbox knows its messages.
            _log.info("file_already_moved", connector=self.name)
        except OSError as error:
            self._unmovable += 1
            _log.error("file_not_moved", connector=self.name, why=error.strerror)
        else:
            self._seen.pop(file.name, None)

    def _move(self, file: _File) -> None:
        held = _free_name(_made(self._path / TAKING), file.name)
        (self._path / file.name).rename(held)
        if _look(held.lstat()) != file.look:
            # Replaced or written on after it was read: what it holds now was not taken.
            self._give_back(held)
            return
        refused = [
            (number, receipt)
            for number, receipt in enumerate(file.receipts, start=1)
            if receipt.state == "refused"
        ]
        directory = self._path / ERROR if refused else self._path / DONE / _today().strftime(_DAY)
        goal = _free_name(_made(directory), file.name)
        if refused:
            lines = [
                f"{len(refused)} of {len(file.receipts)} messages were refused; the others were taken.",
                *(f"message {number}: {mask_text(receipt.reason)}" for number, receipt in refused),
            ]
            why = goal.with_name(f"{goal.name}{_WHY}")
            why.write_text("\n".join(lines) + "\n", encoding="utf-8")
        held.rename(goal)

    def _end_old_days(self) -> None:
        """What was taken stands unsealed on this disk: it goes when nobody will ask for it any more."""
        done = self._path / DONE
        if not self._told.keep_days or not done.is_dir():
            return
        last = (_today() - timedelta(days=self._told.keep_days)).strftime(_DAY)
        for day in done.iterdir():
            if day.name.isdigit() and len(day.name) == len(last) and day.name < last and not day.is_symlink():
                shutil.rmtree(day)


def _today() -> datetime:
    return now().astimezone(SHANGHAI)


def _look(status: os.stat_result) -> Look:
    return status.st_size, status.st_mtime_ns, status.st_ino


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _free_name(directory: Path, name: str) -> Path:
    """A name that nothing has yet: the same file name comes again on another day, or with another content."""
    ending = Path(name).suffix
    # By bytes, for so file systems count; half a character at the cut is left out.
    room = _NAME_BYTES - len(os.fsencode(ending))
    stem = Path(name).stem
    if len(os.fsencode(stem)) > room:
        stem = os.fsencode(stem)[:room].decode(errors="ignore")
    goal = directory / f"{stem}{ending}"
    number = 1
    while goal.exists():
        goal = directory / f"{stem}-{number}{ending}"
        number += 1
    return goal
