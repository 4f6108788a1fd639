"""Processes in which foreign bytes are parsed and decoded: memory and time are limited, a crash harms one instance.

Each process has one piece of work at a time, so it is certain whose fault a death was (decision 14).
"""

import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from core.errors import Unavailable

T = TypeVar("T")

# Beside what the libraries themselves map: room for small objects, then a few copies of the work's own bytes
# (file, pixels, codestreams, entry, its way through the pipe).
BASE_BYTES, COPIES = 512 * 2**20, 10
# HTJ2K makes over 100 MB/s here; a bomb needs more.
BASE_SECONDS, BYTES_PER_SECOND = 20, 2 * 2**20
START_SECONDS = 120
# The clock on the wall runs on when the machine is busy with other things.
WALL_PER_CPU = 4
AHEAD = 4
_UP = "up"


class NoLimitedProcess(Unavailable):
    """Decoding processes do not come up here; nothing is packed until they do."""


@dataclass(frozen=True)
class Work(Generic[T]):
    """One call of a module-level function. `size`: bytes that it has to do with, for its limits."""

    function: Callable[..., T]
    arguments: tuple[Any, ...]
    size: int


@dataclass(frozen=True)
class Failed:
    """The process did not survive this work, or raised; `why` is a word: crashed, too-slow, or the error's name."""

    why: str


class LimitedProcesses:
    """`with LimitedProcesses(2) as processes:` ends them at the end, whatever they are doing."""

    def __init__(self, count: int) -> None:
        self._workers = [_Worker() for _ in range(count)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.end()

    def run(self, works: Iterable[Work[T]]) -> Iterator[T | Failed]:
        """Results in the order of `works`, which are taken only a few ahead: memory does not grow with their number."""
        waiting = enumerate(works)
        results: dict[int, T | Failed] = {}
        given, asked, is_over = 0, 0, False
        while not is_over or given < asked:
            for worker in self._workers:
                if worker.number is None and not is_over and asked < given + AHEAD * len(self._workers):
                    upcoming = next(waiting, None)
                    is_over = upcoming is None
                    if upcoming is not None:
                        asked += 1
                        worker.begin(*upcoming)
            while given in results:
                yield results.pop(given)
                given += 1
            if given < asked and given not in results:
                self._collect(results)

    def _collect(self, results: dict[int, Any]) -> None:
        """Wait until one has answered, died, or reached its time."""
        busy = [worker for worker in self._workers if worker.number is not None]
        patience = max(0.0, min(worker.deadline for worker in busy) - time.monotonic())
        ready = wait([worker.pipe for worker in busy], patience)
        for worker in busy:
            number = worker.number
            assert number is not None  # noqa: S101 — it is busy
            if worker.pipe in ready:
                results[number] = worker.result()
            elif time.monotonic() >= worker.deadline:
                results[number] = worker.replace("too-slow")


class _Worker:
    """One process and our end of its pipe; `number` is that of its work, None when it has none."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.deadline = 0.0
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, far = context.Pipe()
        self._process = context.Process(target=_serve, args=(far,), daemon=True)
        self._process.start()
        self._is_up = False
        far.close()

    def _require_up(self) -> None:
        try:
            self._is_up = self.pipe.poll(START_SECONDS) and self.pipe.recv() == _UP
        except (EOFError, OSError) as error:
            raise NoLimitedProcess(
                "a process for decoding ended at its start: see its error above"
            ) from error
        if not self._is_up:
            raise NoLimitedProcess(f"a process for decoding was not up within {START_SECONDS} seconds")

    def begin(self, number: int, work: Work[Any]) -> None:
        """Give it work. Raises `NoLimitedProcess` when it did not come up: that is no fault of the work."""
        if not self._is_up:
            self._require_up()
        self.number = number
        self.deadline = time.monotonic() + WALL_PER_CPU * _seconds(work.size)
        self.pipe.send(work)

    def result(self) -> Any:
        """What it made, or how it failed; a dead process is replaced."""
        try:
            made = self.pipe.recv()
        except (EOFError, OSError):
            return self.replace("crashed")
        self.number = None
        return made

    def replace(self, why: str) -> Failed:
        """End it and start another."""
        self.end()
        self.number = None
        self._start()
        return Failed(why)

    def end(self) -> None:
        """Kill, and wait until it is gone."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self.pipe.close()


def _serve(pipe: Connection) -> None:
    """The life of a process: it ends when the pipe does, also when our parent was killed."""
    # Ctrl-C goes to the whole group; the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pipe.send(_UP)
    while True:
        try:
            work = pipe.recv()
        except EOFError:
            return
        try:
            _limit(work.size)
            made = work.function(*work.arguments)
        except Exception as error:
            made = Failed(type(error).__name__)
        pipe.send(made)


def _limit(size: int) -> None:
    """Soft limits for the next work; beyond memory comes MemoryError, beyond CPU time SIGXCPU."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    memory = pages * os.sysconf("SC_PAGE_SIZE") + BASE_BYTES + COPIES * size
    resource.setrlimit(resource.RLIMIT_AS, (memory, resource.RLIM_INFINITY))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (used + _seconds(size), resource.RLIM_INFINITY))


def _seconds(size: int) -> int:
    return BASE_SECONDS + size // BYTES_PER_SECOND
