"""The generator: seeds, reseeds, threads, forks, and that a failed source ends it."""

import os
import signal
import threading
from collections.abc import Callable

import pytest

from crypto.errors import SourceFailed
from crypto.randomness.drbg import RESEED_REQUESTS, STREAM_BYTES, Drbg
from crypto.randomness.startup import SAMPLE_BYTES, check_uniform
from tests.unit.crypto.randomness.noise import FakeClock, FakeNoise

pytestmark = pytest.mark.requirement("H2.5")

_CHILD_SECONDS = 20
DEFECTS = ["stuck", "five values", "repeats a block", "alternates", "runs short", "dies"]
SLOW_DEFECTS = ["one bit leans", "counts"]


class Bench:
    """A generator over two fake sources, with its clock and its alarms."""

    def __init__(self) -> None:
        self.sources = [FakeNoise("first", 1), FakeNoise("second", 2)]
        self.clock = FakeClock()
        self.alarms: list[str] = []
        self.drbg = Drbg(self.sources, self.clock, self.alarms.append)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 64, 65, 4096, STREAM_BYTES, STREAM_BYTES + 1, 200_000])
def test_as_many_bytes_as_asked_for(bench: Bench, count: int) -> None:
    assert len(bench.drbg.random_bytes(count)) == count


def test_no_block_of_a_long_output_comes_twice(bench: Bench) -> None:
    output = bench.drbg.random_bytes(20 * STREAM_BYTES)
    blocks = {output[start : start + 16] for start in range(0, len(output), 16)}
    assert len(blocks) == len(output) // 16


@pytest.mark.parametrize("piece", [64, SAMPLE_BYTES])
def test_short_and_long_outputs_look_uniform(bench: Bench, piece: int) -> None:
    parts = [bench.drbg.random_bytes(piece) for _ in range(-(-SAMPLE_BYTES // piece))]
    check_uniform("generator", b"".join(parts)[:SAMPLE_BYTES])


def test_one_source_or_twice_the_same_is_too_few() -> None:
    with pytest.raises(SourceFailed, match="2 independent"):
        Drbg([FakeNoise("alone")], FakeClock(), print)
    with pytest.raises(SourceFailed, match="2 independent"):
        Drbg([FakeNoise("alone"), FakeNoise("alone")], FakeClock(), print)


@pytest.mark.parametrize("which", [0, 1])
def test_each_source_alone_changes_the_output(which: int) -> None:
    """The nonce is held still, so that only the sources can make the difference."""
    outputs = set()
    for seed in (10, 11):
        seeds = [1, 2]
        seeds[which] = seed
        drbg = Drbg([FakeNoise("first", seeds[0]), FakeNoise("second", seeds[1])], FakeClock(), print)
        outputs.add(drbg.random_bytes(32))
    assert len(outputs) == 2


def test_each_source_gives_a_whole_seed_by_itself(bench: Bench) -> None:
    for source in bench.sources:
        assert source.reads[-1] * source.min_entropy >= 512


def test_new_seed_after_so_many_requests(bench: Bench) -> None:
    for _ in range(RESEED_REQUESTS):
        bench.drbg.random_bytes(8)
    assert bench.drbg.status().seeds == 1
    bench.drbg.random_bytes(8)
    assert bench.drbg.status().seeds == 2


def test_new_seed_after_a_minute(bench: Bench) -> None:
    bench.clock.now += 59.9
    bench.drbg.random_bytes(8)
    assert bench.drbg.status().seeds == 1
    bench.clock.now += 0.2
    bench.drbg.random_bytes(8)
    assert bench.drbg.status().seeds == 2


@pytest.mark.parametrize("count", [32, 3 * STREAM_BYTES])
def test_a_fresh_seed_on_demand(bench: Bench, count: int) -> None:
    bench.drbg.random_bytes(count, fresh=True)
    assert bench.drbg.status().seeds == 2


@pytest.mark.parametrize("defect", DEFECTS + SLOW_DEFECTS)
@pytest.mark.parametrize("which", [0, 1])
def test_a_source_that_is_bad_at_start_starts_nothing(defect: str, which: int) -> None:
    sources = [FakeNoise("first", 1), FakeNoise("second", 2)]
    sources[which].break_with(defect)
    alarms: list[str] = []
    with pytest.raises(SourceFailed, match=sources[which].name):
        Drbg(sources, FakeClock(), alarms.append)
    assert len(alarms) == 1


@pytest.mark.parametrize("defect", DEFECTS)
@pytest.mark.parametrize("which", [0, 1])
def test_a_source_that_fails_later_ends_the_generator(bench: Bench, defect: str, which: int) -> None:
    """Within the seeds of ten minutes; for good, also when the source recovers; one alarm that names it."""
    bench.sources[which].break_with(defect)
    with pytest.raises(SourceFailed, match=bench.sources[which].name):
        for _ in range(10):
            bench.clock.now += 60
            bench.drbg.random_bytes(32)
    bench.sources[which].break_with("")
    with pytest.raises(SourceFailed, match=bench.sources[which].name):
        bench.drbg.random_bytes(32)
    with pytest.raises(SourceFailed):
        bench.drbg.random_bytes(10 * STREAM_BYTES)
    assert [bench.sources[which].name in alarm for alarm in bench.alarms] == [True]
    status = bench.drbg.status()
    assert (status.is_working, status.sources) == (False, ("first", "second"))
    assert bench.sources[which].name in status.failure


@pytest.mark.parametrize("defect", SLOW_DEFECTS)
def test_a_source_that_leans_later_is_found_within_half_a_day(bench: Bench, defect: str) -> None:
    """What the continuous tests are blind to: the statistics of the start come again."""
    bench.sources[1].break_with(defect)
    with pytest.raises(SourceFailed, match="second"):
        for _ in range(3):
            bench.clock.now += 6 * 3600
            bench.drbg.random_bytes(32)


def test_the_statistics_are_not_repeated_at_every_seed(bench: Bench) -> None:
    bench.sources[0].reads.clear()
    for _ in range(5):
        bench.clock.now += 3600
        bench.drbg.random_bytes(32)
    assert max(bench.sources[0].reads) < 1000


def test_a_failure_in_the_middle_of_a_long_request_releases_nothing(bench: Bench) -> None:
    for _ in range(RESEED_REQUESTS - 2):
        bench.drbg.random_bytes(1)
    bench.sources[1].break_with("dies")
    with pytest.raises(SourceFailed):
        bench.drbg.random_bytes(5 * STREAM_BYTES)


def test_the_alarm_may_break_too(bench: Bench) -> None:
    def broken(message: str) -> None:
        raise RuntimeError("no line to the operator")

    bench.drbg._alarm = broken
    bench.sources[0].break_with("dies")
    with pytest.raises(RuntimeError):
        bench.drbg.random_bytes(8, fresh=True)
    with pytest.raises(SourceFailed):
        bench.drbg.random_bytes(8)


def test_threads_never_get_the_same_bytes(bench: Bench) -> None:
    taken: list[bytes] = []

    def take() -> None:
        mine = [bench.drbg.random_bytes(32) for _ in range(1500)]
        taken.extend(mine)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(taken)) == len(taken) == 8 * 1500
    assert bench.drbg.status().seeds > 8 * 1500 // RESEED_REQUESTS - 1


def _in_a_child(work: Callable[[], bytes]) -> bytes:
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        # A child that waits for a lock of its parent would wait for ever; so it dies, and the test fails.
        signal.alarm(_CHILD_SECONDS)
        try:
            os.write(write_end, work())
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer


def test_parent_and_children_never_share_bytes(bench: Bench) -> None:
    """Although the fake sources give parent and children the same noise."""
    bench.drbg.random_bytes(32)
    children = [_in_a_child(lambda: bench.drbg.random_bytes(32)) for _ in range(3)]
    everyone = [*children, bench.drbg.random_bytes(32)]
    assert [len(output) for output in everyone] == [32] * 4
    assert len(set(everyone)) == 4


def test_a_child_does_not_wait_for_a_thread_of_its_parent(bench: Bench) -> None:
    with bench.drbg._lock:
        assert len(_in_a_child(lambda: bench.drbg.random_bytes(32))) == 32


def test_nothing_of_the_state_is_in_its_text(bench: Bench) -> None:
    shown = repr(bench.drbg) + repr(bench.drbg._drbg) + str(bench.drbg.status())
    assert str(bench.drbg._drbg._v) not in shown
