"""The relay of a grown site: hands due outbox rows to rq; workers on any machine run them (decision 3).

The claim in the database is the truth, the job in Redis only its messenger: `sweep` compares the two,
renews the claims whose job is alive, and gives back those whose job Redis forgot or whose worker died.
research/reliability.md §4.
"""

import time
from pathlib import Path
from threading import Event

import peewee
from redis import Redis, RedisError
from rq import Queue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from core import db, outbox
from core.logs import get_logger
from core.outbox import Work
from jobs.lock import relay_lock
from jobs.queues import TIMEOUT_SECONDS, Queues, queue_of
from jobs.tasks import RUN_WORK

POLL_SECONDS = 0.25
# How soon a job that Redis forgot is noticed.
SWEEP_SECONDS = 2
# More claimed rows than this wait in the table, not in Redis: a backlog must not outlive its claims in a
# queue.
WINDOW = 200
# How long rq keeps the trace of a job whose worker died, for a person to look at.
KEEP_FAILED_SECONDS = 7 * 24 * 3600

_ALIVE = {JobStatus.QUEUED.value, JobStatus.STARTED.value}


class RqRelay:
    """One per installation, like the inline relay; it runs no handler itself."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._queues = {
            name: Queue(
                name, connection=redis, serializer=JSONSerializer, default_timeout=TIMEOUT_SECONDS[name]
            )
            for name in Queues.ALL
        }
        self._next_sweep = 0.0
        self._log = get_logger("jobs")

    def run_forever(self, home: Path, stop: Event) -> None:
        """Hand out work until `stop` is set. One relay per `home`; raises `Misconfigured`."""
        with relay_lock(home):
            while not stop.is_set():
                try:
                    with db.connection():
                        self._look()
                except (RedisError, peewee.PeeweeException) as error:
                    self._log.error("relay_server_away", why=type(error).__name__)
                stop.wait(POLL_SECONDS)

    def _look(self) -> None:
        if time.monotonic() >= self._next_sweep:
            self.sweep()
            self._next_sweep = time.monotonic() + SWEEP_SECONDS
        self.hand_out()

    def hand_out(self) -> int:
        """Claim what is due and enqueue it; return how many. Gives the claims back when Redis is away."""
        handed = 0
        room = WINDOW - len(outbox.leased())
        claimed = outbox.claim(room) if room > 0 else []
        try:
            for work in claimed:
                self._enqueue(work)
                handed += 1
        finally:
            for work in claimed[handed:]:
                outbox.release(work.id, work.attempt, counted=False)
        return handed

    def sweep(self) -> int:
        """Give back the claims whose job is lost; return how many. A worker's death counts as an attempt."""
        works = outbox.leased()
        states = self._states(works)
        alive = [work.id for work, state in zip(works, states, strict=True) if state in _ALIVE]
        outbox.renew(alive)
        lost = [(work, state) for work, state in zip(works, states, strict=True) if state not in _ALIVE]
        for work, state in lost:
            outbox.release(work.id, work.attempt, counted=state == JobStatus.FAILED.value)
            self._log.warning("job_lost", job=f"{work.kind}:{work.id}", state=state or "forgotten")
        return len(lost)

    def _enqueue(self, work: Work) -> None:
        self._queues[queue_of(work.kind)].enqueue_call(
            RUN_WORK,
            args=(work.id, work.attempt),
            job_id=job_id(work),
            result_ttl=0,
            failure_ttl=KEEP_FAILED_SECONDS,
            description=f"{work.kind}:{work.id}",
        )

    def _states(self, works: list[Work]) -> list[str | None]:
        pipeline = self._redis.pipeline(transaction=False)
        for work in works:
            pipeline.hget(Job.key_for(job_id(work)), "status")
        return [state.decode() if state else None for state in pipeline.execute()]


def job_id(work: Work) -> str:
    """The attempt is part of the id: rq takes an id only once while it remembers the job."""
    return f"ob-{work.id}-{work.attempt}"
