"""A pump steps without pause while there is work, pauses when there is none, and survives what its step raises."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import peewee
import pytest

from core import db
from jobs.pump import AFTER_FAILURE_SECONDS, POLL_SECONDS, Pump

pytestmark = pytest.mark.requirement("S3", "S5")


@pytest.fixture(autouse=True)
def database(tmp_path: Path) -> peewee.Database:
    return db.connect(f"sqlite:///{tmp_path / 'pump.db'}")


class Watched(threading.Event):
    """Remembers the pauses, takes none, and is set after `rounds`."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.rounds = rounds
        self.pauses: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout or 0.0)
        if len(self.pauses) == self.rounds:
            self.set()
        return self.is_set()


def pauses_of(results: list[int | Exception], *, pause_seconds: float = POLL_SECONDS) -> list[float]:
    given: Iterator[int | Exception] = iter(results)

    def step() -> int:
        result = next(given)
        if isinstance(result, Exception):
            raise result
        return result

    stop = Watched(len(results))
    Pump("test", step, pause_seconds).run_forever(stop)
    return stop.pauses


def test_no_pause_while_there_is_work_and_the_usual_one_after_it() -> None:
    assert pauses_of([3, 1, 0]) == [0.0, 0.0, POLL_SECONDS]


def test_what_comes_round_by_itself_pauses_as_long_as_it_should() -> None:
    assert pauses_of([500, 0, 0], pause_seconds=86_400) == [0.0, 86_400, 86_400]


def test_failure_is_a_pause_and_not_the_end() -> None:
    assert pauses_of([ZeroDivisionError(), 0]) == [AFTER_FAILURE_SECONDS, POLL_SECONDS]


def test_database_that_stays_away_is_no_end_either(
    database: peewee.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart of PostgreSQL takes longer than a moment: every connect fails, and so may the close."""
    away = 3
    connect: Any = database.connect

    def refuse(*arguments: object, **options: object) -> object:
        nonlocal away
        if away:
            away -= 1
            raise peewee.OperationalError("the server is away")
        return connect(*arguments, **options)

    monkeypatch.setattr(database, "connect", refuse)
    assert pauses_of([1, 0, 0, 0, 0]) == [AFTER_FAILURE_SECONDS] * 3 + [0.0, POLL_SECONDS]
