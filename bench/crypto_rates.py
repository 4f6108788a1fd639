"""How often something can be done: by the CPU time of each thread, and by the clock, in two threads at once.

The rate by CPU time is the sum over the threads, which other programs of the machine do not lower; it is what as many free
cores would do. The clock shows what this machine did while it was measured.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from threading import Barrier, Thread

from bench.figure import ROUNDS

THREADS = 2
SECONDS = 0.1

# Does a batch and tells how many items it had.
Work = Callable[[], float]


@dataclass(frozen=True)
class Rates:
    """Items a second of each round."""

    cpu: list[float]
    wall: list[float]

    @property
    def value(self) -> float:
        """By CPU time."""
        return median(self.cpu)

    @property
    def by_the_clock(self) -> float:
        """What this machine did."""
        return median(self.wall)


def rates(work: Work) -> Rates:
    """Rounds of work in two threads, after one round that warms up."""
    rounds = [_round(work) for _ in range(ROUNDS + 1)][1:]
    return Rates([cpu for cpu, _ in rounds], [wall for _, wall in rounds])


def _round(work: Work) -> tuple[float, float]:
    """Sum of the threads' rates by CPU time; all items by the clock."""
    cpu_rates, done = [0.0] * THREADS, [0.0] * THREADS
    together = Barrier(THREADS + 1)

    def run(number: int) -> None:
        work()  # contexts of this thread
        together.wait()
        began, items = time.thread_time(), 0.0
        while (spent := time.thread_time() - began) < SECONDS:
            items += work()
        cpu_rates[number], done[number] = items / spent, items

    threads = [Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    together.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return sum(cpu_rates), sum(done) / (time.perf_counter() - began)
