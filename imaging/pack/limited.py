"""Processes in which foreign bytes are parsed and decoded: memory and time are limited, a crash harms one instance."""

import multiprocessing
import os
import resource
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from imaging.pack.pictures import Pictures, draw
from imaging.pack.prepare import prepare
from imaging.pack.source import Prepared

# A 2 GB multi-frame needs about three copies of itself; a bomb needs more.
MEMORY_BYTES = 8 * 2**30
TASK_SECONDS = 300
PARENT_CHECK_SECONDS = 2.0


class LimitedProcesses:
    """A pool for one build; `with` ends its processes."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool = self._new_pool()

    def __enter__(self) -> "LimitedProcesses":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def prepare_all(self, paths: list[Path]) -> list[Prepared]:
        """Prepare every file, in order; one that kills or outlasts its process is kept verbatim."""
        futures = [self._pool.submit(_prepare_file, path) for path in paths]
        return [self._result(path, future) for path, future in zip(paths, futures, strict=True)]

    def draw(self, prepared: Prepared, frame: int) -> Pictures | None:
        """Preview and thumbnail of one frame, or None when it cannot be drawn."""
        offset, length = prepared.frames[frame]
        try:
            job = self._pool.submit(draw, prepared.entry[offset : offset + length], prepared.view)
            return job.result(TASK_SECONDS)
        except Exception:
            return None

    def _result(self, path: Path, future: "Future[Prepared]") -> Prepared:
        try:
            return future.result(TASK_SECONDS)
        except (BrokenProcessPool, FutureTimeout, MemoryError):
            return self._alone(path)

    def _alone(self, path: Path) -> Prepared:
        """Once more in a fresh pool, so that a neighbour's crash costs this one nothing."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._new_pool()
        try:
            return self._pool.submit(_prepare_file, path).result(TASK_SECONDS)
        except (BrokenProcessPool, FutureTimeout, MemoryError) as error:
            self._pool = self._new_pool()
            return Prepared(entry=path.read_bytes(), flags=[f"unreadable:{type(error).__name__}"])

    def _new_pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_limit,
            initargs=(os.getpid(),),
        )


def _prepare_file(path: Path) -> Prepared:
    return prepare(path.read_bytes())


def _limit(parent: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """A parent that was killed cannot end us: we look."""
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(1)
