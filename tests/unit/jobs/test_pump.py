"""A pump steps without pause while there is work, pauses when there is none, and survives what its step raises."""

import threading
from collections.abc import Iterator

import pytest

from jobs.pump import AFTER_FAILURE_SECONDS, POLL_SECONDS, Pump

pytestmark = [pytest.mark.requirement("S3"), pytest.mark.usefixtures("memory_database")]


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
