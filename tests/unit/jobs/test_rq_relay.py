"""The rq relay against a Redis that forgets, refuses, or whose worker died: every claim comes back."""

from collections.abc import Iterator
from typing import Any

import fakeredis
import pytest
import redis
from rq.job import Job, JobStatus

from core import outbox
from core.models import OutboxEvent
from jobs import rq_relay
from jobs.queues import Queues, queue_of
from jobs.rq_relay import RqRelay, job_id

pytestmark = pytest.mark.usefixtures("memory_database")


@pytest.fixture
def client() -> Iterator[redis.Redis]:
    with fakeredis.FakeRedis() as client:
        yield client


def record(count: int) -> None:
    for number in range(count):
        outbox.record("upload_pack", str(number), {"patient": "珅東"})


def test_redis_carries_two_numbers_and_no_personal_data(client: redis.Redis) -> None:
    record(1)
    assert RqRelay(client).hand_out() == 1
    stored: dict[Any, Any] = dict(client.hgetall(f"rq:job:ob-{OutboxEvent.get().id}-1"))
    assert stored[b"data"] and stored[b"description"] == f"upload_pack:{OutboxEvent.get().id}".encode()
    assert "珅".encode() not in b"".join(stored.values())
    assert b"u73c5" not in b"".join(stored.values())


def test_jobs_that_wait_or_run_keep_their_claim(client: redis.Redis) -> None:
    record(2)
    relay = RqRelay(client)
    relay.hand_out()
    first = outbox.leased()[0]
    Job.fetch(job_id(first), connection=client, serializer=rq_relay.JSONSerializer).set_status(
        JobStatus.STARTED
    )
    OutboxEvent.update(lease_until=OutboxEvent.created_at).execute()
    assert relay.sweep() == 0
    assert relay.hand_out() == 0


def test_what_redis_forgot_is_handed_out_again_and_counts_no_attempt(client: redis.Redis) -> None:
    record(3)
    relay = RqRelay(client)
    assert relay.hand_out() == 3
    client.flushall()
    assert relay.sweep() == 3
    assert relay.hand_out() == 3
    assert {work.attempt for work in outbox.leased()} == {1}


def test_death_of_a_worker_counts_an_attempt(client: redis.Redis) -> None:
    record(1)
    relay = RqRelay(client)
    relay.hand_out()
    job = Job.fetch(job_id(outbox.leased()[0]), connection=client, serializer=rq_relay.JSONSerializer)
    job.set_status(JobStatus.FAILED)
    assert relay.sweep() == 1
    relay.hand_out()
    assert outbox.leased()[0].attempt == 2


def test_backlog_stays_in_the_table(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rq_relay, "WINDOW", 5)
    record(12)
    relay = RqRelay(client)
    assert relay.hand_out() == 5
    assert relay.hand_out() == 0
    outbox.finish(outbox.leased()[0].id)
    assert relay.hand_out() == 1


def test_redis_that_is_away_gets_no_claim() -> None:
    record(3)
    server = fakeredis.FakeServer()
    server.connected = False
    with pytest.raises(redis.ConnectionError):
        RqRelay(fakeredis.FakeRedis(server=server)).hand_out()
    assert outbox.leased() == []
    assert {row.attempts for row in OutboxEvent.select()} == {0}


def test_unknown_kind_has_a_queue_where_it_is_parked() -> None:
    assert queue_of("of_tomorrow") in Queues.ALL
