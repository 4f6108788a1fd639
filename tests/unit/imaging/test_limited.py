"""Foreign bytes are decoded where they can do no harm: a work that dies, hangs or grows fails alone."""

import os
import signal

import pytest

from imaging.pack import limited
from imaging.pack.limited import Failed, LimitedProcesses, NoLimitedProcess, Work


def good(number: int) -> Work[int]:
    return Work(pow, (number, 2), 0)


@pytest.fixture(scope="module")
def bad() -> dict[str, Work[object]]:
    return {
        "crashed": Work(os._exit, (3,), 0),
        "MemoryError": Work(bytearray, (16 * 2**30,), 0),
        "ZeroDivisionError": Work(divmod, (1, 0), 0),
    }


def test_results_come_in_order_and_only_the_bad_fail(bad: dict[str, Work[object]]) -> None:
    works: list[Work[object]] = [good(number) for number in range(40)]
    works[3], works[4], works[20] = bad["crashed"], bad["MemoryError"], bad["ZeroDivisionError"]
    wanted: list[object] = [number**2 for number in range(40)]
    wanted[3], wanted[4], wanted[20] = Failed("crashed"), Failed("MemoryError"), Failed("ZeroDivisionError")
    with LimitedProcesses(2) as processes:
        assert list(processes.run(works)) == wanted


def test_what_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "BASE_SECONDS", 1)
    monkeypatch.setattr(limited, "WALL_PER_CPU", 1)
    with LimitedProcesses(1) as processes:
        hung = Work(signal.pause, (), 0)
        assert list(processes.run([good(2), hung, good(3)])) == [4, Failed("too-slow"), 9]


def test_works_are_taken_only_a_few_ahead() -> None:
    taken: list[int] = []

    def works() -> object:
        for number in range(1000):
            taken.append(number)
            yield good(number)

    with LimitedProcesses(1) as processes:
        results = processes.run(works())  # type: ignore[arg-type]
        assert [next(results) for _ in range(3)] == [0, 1, 4]
        assert len(taken) <= 3 + limited.AHEAD


def test_no_work_no_results() -> None:
    with LimitedProcesses(1) as processes:
        assert list(processes.run([])) == []


def test_a_process_that_does_not_come_up_is_no_fault_of_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "_serve", os._exit)
    with LimitedProcesses(1) as processes, pytest.raises(NoLimitedProcess, match="ended at its start"):
        list(processes.run([good(1)]))
