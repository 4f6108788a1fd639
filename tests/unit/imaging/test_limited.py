"""Limited processes: what kills, hangs or fills one costs that work alone."""

import os
from collections.abc import Callable, Iterator
from threading import Event

import pytest

from imaging.pack import limited
from imaging.pack.limited import Failed, LimitedProcesses, Work

pytestmark = pytest.mark.requirement("S1", "D3")


def number(value: int) -> int:
    return value


def dies(_value: int) -> int:
    os._exit(11)


def raises(_value: int) -> int:
    raise AssertionError("the message stays in the process: it may hold a patient's name")


def hangs(_value: int) -> int:
    Event().wait()
    return 0


def swells(_value: int) -> int:
    return len(bytearray(64 * 2**30))


@pytest.mark.parametrize(
    ("bad", "why"),
    [(dies, "crashed"), (raises, "AssertionError"), (hangs, "too-slow"), (swells, "MemoryError")],
)
def test_a_bad_end_costs_its_own_work_only(
    monkeypatch: pytest.MonkeyPatch, bad: Callable[[int], int], why: str
) -> None:
    monkeypatch.setattr(limited, "WALL_PER_CPU", 1)
    monkeypatch.setattr(limited, "BASE_SECONDS", 2)
    works = [Work(bad if index == 3 else number, (index,), 0) for index in range(12)]
    with LimitedProcesses(2) as processes:
        results = [*processes.run(works)]
    expected: list[int | Failed] = list(range(12))
    expected[3] = Failed(why)
    assert results == expected


def test_works_are_taken_a_few_ahead_only() -> None:
    taken: list[int] = []

    def works() -> Iterator[Work[int]]:
        for index in range(100):
            taken.append(index)
            yield Work(number, (index,), 0)

    with LimitedProcesses(1) as processes:
        results = processes.run(works())
        assert next(results) == 0
        assert len(taken) <= 1 + limited.AHEAD
        assert list(results) == list(range(1, 100))


def test_no_work_is_no_result() -> None:
    with LimitedProcesses(1) as processes:
        assert list(processes.run([])) == []
