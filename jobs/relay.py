"""The relay of a small site: runs due outbox rows in its own threads; no Redis, no worker (decision 3)."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Lock

import peewee

from core import db, outbox
from core.logs import get_logger
from core.outbox import Work
from jobs.lock import relay_lock
from jobs.queues import SLOW_KINDS
from jobs.runner import Handler, Runner

# A row that another process records is seen this late: four looks a second cost SQLite about 1 % of one
# core and stay below what a person at a kiosk notices. Work that follows from work in here does not wait:
# the end of each looks anew.
POLL_SECONDS = 0.25
# Long work keeps its claim while this process lives; well below core.outbox.LEASE_SECONDS.
RENEW_SECONDS = 60


class Relay:
    """`threads` run at once; slow kinds leave one of them free: a login code never waits for an archive."""

    def __init__(self, handlers: Mapping[str, Handler], *, threads: int, max_attempts: int) -> None:
        self._runner = Runner(handlers, max_attempts)
        self._threads = threads
        self._slow_threads = max(1, threads - 1)
        self._lock = Lock()
        self._look = Event()
        self._in_flight: dict[int, Work] = {}
        self._unfinished: list[Work] = []
        self._renewed = time.monotonic()
        self._log = get_logger("jobs")

    def run_forever(self, home: Path, stop: Event) -> None:
        """Work until `stop` is set, then let handlers end. Raises `Misconfigured` when `home` has one."""
        with relay_lock(home), ThreadPoolExecutor(self._threads, "relay") as pool:
            released = False
            while not stop.is_set():
                try:
                    if not released:
                        self._take_over()
                        released = True
                    self._start_due(pool)
                except peewee.PeeweeException as error:
                    self._log.error("relay_database_away", why=type(error).__name__)
                self._look.wait(POLL_SECONDS)

    def run_until_idle(self, timeout: float) -> None:
        """Work until nothing is due and nothing runs; what is due later stays. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        with ThreadPoolExecutor(self._threads, "relay") as pool:
            while True:
                # A look that began with nothing running proves idleness: what ran may have recorded more.
                quiet = not self._in_flight
                if not self._start_due(pool) and quiet:
                    return
                if time.monotonic() > deadline:
                    raise TimeoutError(f"still running after {timeout} s: {list(self._in_flight.values())}")
                self._look.wait(POLL_SECONDS)

    def _take_over(self) -> None:
        """What a relay that died here had claimed is due again; the lock proves that it is gone."""
        with db.connection():
            outbox.release_all()

    def _start_due(self, pool: ThreadPoolExecutor) -> int:
        # Cleared before the look: what ends meanwhile sets it again, and is not overlooked.
        self._look.clear()
        with db.connection():
            self._release_unfinished()
            self._renew()
            started = self._claim()
        for work in started:
            with self._lock:
                self._in_flight[work.id] = work
            pool.submit(self._run, work)
        return len(started)

    def _claim(self) -> list[Work]:
        with self._lock:
            free = self._threads - len(self._in_flight)
            slow = sum(work.kind in SLOW_KINDS for work in self._in_flight.values())
        started = outbox.claim(free, without=SLOW_KINDS) if free else []
        room = min(free - len(started), self._slow_threads - slow)
        if room > 0:
            started += outbox.claim(room, only=SLOW_KINDS)
        return started

    def _run(self, work: Work) -> None:
        finished = False
        try:
            self._runner.run(work)
            finished = True
        except Exception as error:
            self._log.error("work_not_noted", job=f"{work.kind}:{work.id}", why=type(error).__name__)
        finally:
            with self._lock:
                del self._in_flight[work.id]
                if not finished:
                    self._unfinished.append(work)
            self._look.set()

    def _release_unfinished(self) -> None:
        """Work whose outcome the database did not take is due again at once, not when its lease ends."""
        with self._lock:
            unfinished, self._unfinished = self._unfinished, []
        for index, work in enumerate(unfinished):
            try:
                outbox.release(work.id, work.attempt, counted=True)
            except peewee.PeeweeException:
                with self._lock:
                    self._unfinished += unfinished[index:]
                raise

    def _renew(self) -> None:
        if time.monotonic() - self._renewed > RENEW_SECONDS:
            self._renewed = time.monotonic()
            with self._lock:
                running = list(self._in_flight)
            outbox.renew(running)
