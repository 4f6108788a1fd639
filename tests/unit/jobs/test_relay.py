"""The inline relay as a process: its lock, threads and end, and a database that goes away for a moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import peewee
import pytest

from core import db, outbox
from core.errors import Misconfigured
from core.models import OutboxEvent
from jobs.lock import relay_lock
from jobs.relay import Relay
from jobs.runner import Handler
from tests.fixtures.waiting import wait_until

pytestmark = pytest.mark.usefixtures("database")


@contextmanager
def running(home: Path, threads: int = 3, **handlers: Handler) -> Iterator[None]:
    stop = Event()
    relay = Relay(handlers, threads=threads, max_attempts=3)
    thread = Thread(target=relay.run_forever, args=(home, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def done() -> int:
    return OutboxEvent.select().where(OutboxEvent.state == "done").count()


def nothing(work: dict[str, Any]) -> None:
    """A handler that has nothing to do."""


def test_rows_recorded_while_it_runs_are_found(tmp_path: Path) -> None:
    with running(tmp_path, upload_pack=nothing):
        for number in range(3):
            outbox.record("upload_pack", str(number), {})
            wait_until(lambda: done() == number + 1, 20, "the row to be done")  # noqa: B023
    assert done() == 3


def test_second_relay_of_an_installation_is_refused(tmp_path: Path) -> None:
    with relay_lock(tmp_path), pytest.raises(Misconfigured, match="another relay"):
        Relay({}, threads=1, max_attempts=3).run_forever(tmp_path, Event())
    with relay_lock(tmp_path):
        pass


def test_claims_of_a_relay_that_died_are_taken_over(tmp_path: Path) -> None:
    outbox.record("upload_pack", "1", {})
    outbox.claim(1)
    with running(tmp_path, upload_pack=nothing):
        wait_until(lambda: done() == 1, 20, "the abandoned row")
    assert OutboxEvent.get().attempts == 2


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_slow_work_leaves_a_thread_for_quick_work(tmp_path: Path, threads: int) -> None:
    go_on = Event()
    begun: list[dict[str, Any]] = []

    def slow(work: dict[str, Any]) -> None:
        begun.append(work)
        go_on.wait(30)

    for number in range(6):
        outbox.record("archive_series", str(number), {})
    with running(tmp_path, threads, archive_series=slow, send_otp=nothing):
        try:
            wait_until(lambda: len(begun) == max(1, threads - 1), 20, "the slow ones to begin")
            outbox.record("send_otp", "1", {})
            if threads > 1:
                wait_until(lambda: done() == 1, 20, "the login code beside the archive")
            assert len(begun) == max(1, threads - 1)
        finally:
            go_on.set()
        wait_until(lambda: done() == 7, 20, "the rest")


def test_running_work_ends_before_the_relay_does(tmp_path: Path) -> None:
    begun, go_on = Event(), Event()

    def handle(work: dict[str, Any]) -> None:
        begun.set()
        go_on.wait(30)

    outbox.record("upload_pack", "1", {})
    stop = Event()
    relay = Relay({"upload_pack": handle}, threads=1, max_attempts=3)
    thread = Thread(target=relay.run_forever, args=(tmp_path, stop))
    thread.start()
    assert begun.wait(20)
    stop.set()
    thread.join(0.3)
    assert thread.is_alive()
    go_on.set()
    thread.join(20)
    assert (thread.is_alive(), done()) == (False, 1)


def test_outcome_that_the_database_did_not_take_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = outbox.finish
    refused: list[int] = []

    def finish_at_the_second_try(work_id: int) -> None:
        if not refused:
            refused.append(work_id)
            raise peewee.OperationalError("server closed the connection")
        finish(work_id)

    monkeypatch.setattr(outbox, "finish", finish_at_the_second_try)
    runs: list[dict[str, Any]] = []
    outbox.record("upload_pack", "1", {})
    with running(tmp_path, upload_pack=runs.append):
        wait_until(lambda: OutboxEvent.get().attempts == 2, 20, "the second attempt")
        OutboxEvent.update(next_at=OutboxEvent.created_at).execute()
        wait_until(lambda: done() == 1, 20, "the row to be done")
    assert (len(refused), len(runs)) == (1, 2)


def test_database_that_is_away_for_a_moment_does_not_end_the_relay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = outbox.claim
    refused: list[int] = []

    def claim_at_the_third_look(limit: int, **kinds: Any) -> list[outbox.Work]:
        if len(refused) < 2:
            refused.append(limit)
            raise peewee.InterfaceError("connection already closed")
        return claim(limit, **kinds)

    monkeypatch.setattr(outbox, "claim", claim_at_the_third_look)
    outbox.record("upload_pack", "1", {})
    with running(tmp_path, upload_pack=nothing):
        wait_until(lambda: done() == 1, 20, "the row to be done")
    assert len(refused) == 2


def test_long_work_keeps_its_claim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.relay.RENEW_SECONDS", 0)
    begun, go_on = Event(), Event()
    runs: list[dict[str, Any]] = []

    def handle(work: dict[str, Any]) -> None:
        runs.append(work)
        begun.set()
        go_on.wait(30)

    outbox.record("upload_pack", "1", {})
    with running(tmp_path, upload_pack=handle):
        assert begun.wait(20)
        first = OutboxEvent.get().lease_until
        wait_until(lambda: OutboxEvent.get().lease_until > first, 20, "the claim to be renewed")
        go_on.set()
        wait_until(lambda: done() == 1, 20, "the row to be done")
    assert len(runs) == 1


def test_idle_is_reached_or_the_rows_are_named() -> None:
    def handle(work: dict[str, Any]) -> None:
        Event().wait(1)

    outbox.record("upload_pack", "1", {})
    with pytest.raises(TimeoutError, match="upload_pack"):
        Relay({"upload_pack": handle}, threads=2, max_attempts=3).run_until_idle(0.1)
    with db.connection():
        assert outbox.leased() == []
