"""Inline relay and rq with real Redis, on SQLite and PostgreSQL: what a handler does ends in the same row."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
import redis
import rq
from rq.serializers import JSONSerializer

from core import outbox
from core.clock import now
from core.errors import Conflict, Misconfigured, NotYet, Refused, Unavailable
from core.models import IntakeProblem, OutboxEvent
from jobs import tasks
from jobs.queues import Queues
from jobs.relay import Relay
from jobs.rq_relay import RqRelay
from jobs.runner import Handler

pytestmark = [pytest.mark.usefixtures("database")]

ATTEMPTS = 3

Drain = Callable[[Mapping[str, Handler]], None]


def drain_inline(handlers: Mapping[str, Handler]) -> None:
    Relay(handlers, threads=3, max_attempts=ATTEMPTS).run_until_idle(30)


def drain_by_rq(url: str) -> Drain:
    def drain(handlers: Mapping[str, Handler]) -> None:
        tasks.bind(handlers, ATTEMPTS)
        with redis.Redis.from_url(url) as client:
            relay = RqRelay(client)
            queues = [rq.Queue(name, connection=client, serializer=JSONSerializer) for name in Queues.ALL]
            while relay.hand_out():
                rq.SimpleWorker(queues, connection=client, serializer=JSONSerializer).work(
                    burst=True, logging_level="WARNING"
                )
            assert relay.sweep() == 0
            assert client.keys("rq:job:*") == [], "finished jobs leave nothing behind"

    return drain


@pytest.fixture(params=["inline", "rq"])
def drain(request: pytest.FixtureRequest) -> Drain:
    return drain_inline if request.param == "inline" else drain_by_rq(request.getfixturevalue("redis_url"))


def record(*numbers: int, kind: str = "upload_pack", stream: str = "") -> None:
    for number in numbers:
        outbox.record(kind, str(number), {"number": number}, stream=stream)


def only_row() -> OutboxEvent:
    return OutboxEvent.get()


def raising(error: Exception) -> Mapping[str, Handler]:
    def handle(payload: dict[str, Any]) -> None:
        raise error

    return {"upload_pack": handle}


def test_every_row_runs_once_with_its_payload(drain: Drain) -> None:
    seen: list[int] = []
    record(*range(20))
    record(*range(20), kind="send_otp")
    handler = {"upload_pack": lambda work: seen.append(work["number"])}
    drain({**handler, "send_otp": lambda work: seen.append(100 + work["number"])})
    assert sorted(seen) == [*range(20), *range(100, 120)]
    assert {row.state for row in OutboxEvent.select()} == {"done"}
    drain(raising(AssertionError("done work ran again")))
    assert IntakeProblem.select().count() == 0


def test_work_that_follows_from_work_runs_too(drain: Drain) -> None:
    def count_down(work: dict[str, Any]) -> None:
        if work["number"]:
            record(work["number"] - 1)

    record(5)
    drain({"upload_pack": count_down})
    assert OutboxEvent.select().where(OutboxEvent.state == "done").count() == 6


def test_stream_keeps_its_order(drain: Drain) -> None:
    seen: list[int] = []
    record(*range(10), kind="send_his", stream="his")
    drain({"send_his": lambda work: seen.append(work["number"])})
    assert seen == list(range(10))


def test_not_yet_waits_without_counting(drain: Drain) -> None:
    until = now() + timedelta(hours=1)
    record(1)
    drain(raising(NotYet(until, "not due")))
    row = only_row()
    assert (row.state, row.next_at, row.attempts, row.lease_until) == ("pending", until, 0, None)


@pytest.mark.parametrize("error", [Refused, Conflict])
def test_what_cannot_help_is_parked_at_once_and_listed(drain: Drain, error: type[Exception]) -> None:
    record(1)
    drain(raising(error("the phone 13800138000 is not known")))
    row = only_row()
    assert (row.state, row.attempts) == ("parked", 1)
    problem = IntakeProblem.get()
    assert (problem.source, problem.reference) == ("outbox", str(row.id))
    assert problem.text == f"upload_pack: {error.__name__}: the phone 138****8000 is not known"


def test_unexpected_error_backs_off_then_parks_with_its_first_line(
    drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine the second that it waits usually is over before the relay has looked for more work.
    monkeypatch.setattr(outbox, "BACKOFF_FIRST_SECONDS", outbox.BACKOFF_MAX_SECONDS)
    record(1)
    for attempt in range(1, ATTEMPTS + 1):
        assert only_row().state == "pending"
        drain(raising(ValueError("no luck\nDETAIL: Key (name)=(secret)")))
        assert only_row().attempts == attempt
        OutboxEvent.update(next_at=now()).execute()
    assert (only_row().state, only_row().last_error) == ("parked", "ValueError: no luck")
    assert "secret" not in IntakeProblem.get().text


def test_peer_that_is_away_never_parks(drain: Drain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "BACKOFF_FIRST_SECONDS", outbox.BACKOFF_MAX_SECONDS)
    record(1)
    for _ in range(ATTEMPTS + 3):
        drain(raising(Unavailable("OSS is away")))
        OutboxEvent.update(next_at=now()).execute()
    assert only_row().state == "pending"
    assert IntakeProblem.select().count() == 0
    drain({"upload_pack": lambda work: None})
    assert (only_row().state, only_row().last_error) == ("done", "")


def test_unknown_kind_is_parked_with_a_clear_text(drain: Drain) -> None:
    outbox.record("of_tomorrow", "1", {})
    drain({})
    assert only_row().state == "parked"
    assert "nothing here handles 'of_tomorrow'" in IntakeProblem.get().text


def test_work_that_kills_its_process_is_parked(drain: Drain) -> None:
    """As many claims as attempts ended without an answer: the next one does not run it again."""
    record(1)
    for _ in range(ATTEMPTS):
        work = outbox.claim(1)[0]
        outbox.release(work.id, work.attempt, counted=True)
    drain(raising(AssertionError("ran again")))
    assert only_row().state == "parked"
    assert "died" in IntakeProblem.get().text


def test_worker_without_handlers_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_runner", None)
    with pytest.raises(Misconfigured, match="cloudfilm run worker"):
        tasks.run_work(1, 1)
