"""Files come into being whole or not at all: written as a part, flushed, renamed under a lock of their directory.

A part of a process that was killed is recognised by its lock, which the kernel let go, and swept by the next run.
"""

import contextlib
import errno
import fcntl
import os
import re
import secrets
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from crypto.errors import FileRefused, SourceChanged

_PART = re.compile(r"\.cfs-[0-9a-f]{16}\.part")
_LOCK, _ALONE = ".cfs-lock", ".cfs-alone"


class Stamp(NamedTuple):
    """What tells one state of a file from another: bytes, time of change in ns, inode."""

    size: int
    modified_ns: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> "Stamp":
        """Of what `stat` gave."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ino)


class Part(NamedTuple):
    """A file in the making: open for reading and writing, mode 0600."""

    path: Path
    descriptor: int


def stamp_of(descriptor: int) -> Stamp:
    """The stamp of an open file."""
    return Stamp.of(os.fstat(descriptor))


def require_unchanged(path: Path, descriptor: int, before: Stamp) -> None:
    """Raises `SourceChanged` unless `path` still is the open file, in the state `before`."""
    try:
        found = path.stat(follow_symlinks=False)
    except FileNotFoundError:
        raise SourceChanged(f"{path}: the file was taken away while it was worked on") from None
    if Stamp.of(found) != before or stamp_of(descriptor) != before:
        raise SourceChanged(
            f"{path}: the file changed while it was worked on; seal it again when it is complete"
        )


@contextlib.contextmanager
def open_regular(path: Path) -> Iterator[int]:
    """A descriptor of a regular file. Raises `FileRefused` for links, pipes, devices, and what cannot be read."""
    try:
        # NONBLOCK: a pipe of this name must not hold us; it has no meaning for regular files.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        reason = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
        raise FileRefused(f"{path}: cannot be read: {reason}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileRefused(f"{path}: not a regular file; only files with content are sealed and opened")
        yield descriptor
    finally:
        os.close(descriptor)


def is_being_written(descriptor: int) -> bool:
    """Whether another process has the file open for writing, where the kernel tells (local file systems, own files)."""
    try:
        # Should a writer come while we hold the lease: a signal that is ignored unless asked for, not SIGIO, which kills.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def fill(part: Part, content: bytes) -> None:
    """Write all of `content` behind what the part holds."""
    written = 0
    while written < len(content):
        written += os.write(part.descriptor, content[written:])


@contextlib.contextmanager
def part_in(directory: Path) -> Iterator[Part]:
    """A new part in `directory` (made when missing); gone at the end unless it was renamed."""
    directory.mkdir(parents=True, exist_ok=True)
    part = _new_part(directory)
    try:
        yield part
    finally:
        if part.path.exists() and os.fstat(part.descriptor).st_ino == part.path.stat().st_ino:
            part.path.unlink()
        os.close(part.descriptor)


def is_ours(name: str) -> bool:
    """Whether a file of this name is one in the making, or a lock."""
    return name in (_LOCK, _ALONE) or _is_part(name)


def sweep_parts(directory: Path) -> None:
    """Remove the parts of processes that are no more."""
    for entry in os.scandir(directory):
        if _is_part(entry.name) and entry.is_file(follow_symlinks=False):
            with contextlib.suppress(OSError), open_regular(Path(entry.path)) as descriptor:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                Path(entry.path).unlink()


def place(parts: list[tuple[Part, Path]]) -> None:
    """Give the parts their names, in this order, durable. Raises `FileRefused` when the last name is taken.

    The last is the one that counts: until it is there, names before it are leftovers and are replaced.
    """
    for part, _ in parts:
        os.fsync(part.descriptor)
    target = parts[-1][1]
    with _directory(target.parent) as directory:
        with _locked(target.parent, directory):
            if os.path.lexists(target):
                raise FileRefused(
                    f"{target}: exists already and is not overwritten; move it away or choose another --out"
                )
            for part, path in parts:
                part.path.rename(path)
        os.fsync(directory)


def replace(part: Part, path: Path) -> None:
    """Put the part in the place of the file `path`, durable."""
    os.fsync(part.descriptor)
    with _directory(path.parent) as directory:
        part.path.rename(path)
        os.fsync(directory)


@contextlib.contextmanager
def alone_in(directory: Path) -> Iterator[None]:
    """Hold the directory against others who ask in the same way. Raises `FileRefused` when one does already."""
    with _lock_file(directory / _ALONE) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FileRefused(f"{directory}: another process works with this folder; one at a time") from None
        yield


def remove(path: Path) -> None:
    """Delete the file, durable."""
    with _directory(path.parent) as directory:
        path.unlink()
        os.fsync(directory)


def drop_from_cache(descriptor: int) -> None:
    """What is read next of a flushed file comes from the disk: a proof must not read the kernel's memory."""
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def _is_part(name: str) -> bool:
    return _PART.fullmatch(name) is not None


def _new_part(directory: Path) -> Part:
    while True:
        path = directory / f".cfs-{secrets.token_hex(8)}.part"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return Part(path, descriptor)
        os.close(descriptor)  # a sweep came between creating and locking


@contextlib.contextmanager
def _locked(path: Path, directory: int) -> Iterator[None]:
    """Alone in a directory for a moment. File systems that lock no directories (NFS) get a lock file."""
    with contextlib.ExitStack() as stack:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
        except OSError:
            fcntl.flock(stack.enter_context(_lock_file(path / _LOCK)), fcntl.LOCK_EX)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                fcntl.flock(directory, fcntl.LOCK_UN)


@contextlib.contextmanager
def _lock_file(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _directory(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
