"""Lone requests of many threads share lanes; an error stays with its own caller; nothing is lost at the end."""

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from crypto.batcher import Batcher, GatheringServices
from crypto.errors import KeyRefused, ServiceUnavailable, SignatureRefused
from tests.unit.crypto.service.toy_engines import BAD_PUBLIC, ToyEngines, toy_pair

pytestmark = pytest.mark.requirement("H2.2")

# Longer than any test: only a full batch or the end of the service may stop the waiting.
FOREVER = 3600.0
SECONDS = 20


class Engine:
    """Doubles numbers, notes how it was asked, and can be held."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.alone: list[int] = []
        self.may_go = threading.Event()
        self.may_go.set()
        self.is_busy = threading.Event()

    def many(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self._work()
        if 13 in items:
            raise KeyRefused("13 is refused")
        if 14 in items:
            raise ZeroDivisionError
        if 15 in items:
            return []
        return [2 * item for item in items]

    def one(self, item: int) -> int:
        self.alone.append(item)
        self._work()
        if item == 13:
            raise KeyRefused("13 is refused")
        return 2 * item

    def _work(self) -> None:
        self.is_busy.set()
        assert self.may_go.wait(SECONDS)


@contextmanager
def batcher(
    engine: Engine, wait_seconds: float = FOREVER, queue_limit: int = 100
) -> Iterator[Batcher[int, int]]:
    made = Batcher(
        "doubling",
        engine.many,
        engine.one,
        lanes=8,
        wait_seconds=wait_seconds,
        queue_limit=queue_limit,
        workers=1,
    )
    try:
        yield made
    finally:
        engine.may_go.set()
        made.close()


def results(futures: Sequence[Future[int]]) -> list[int]:
    return [future.result(SECONDS) for future in futures]


def test_eight_items_are_one_call_and_none_waits_for_a_ninth() -> None:
    engine = Engine()
    with batcher(engine) as gather:
        assert results([gather.submit(number) for number in range(8)]) == list(range(0, 16, 2))
    assert (engine.batches, engine.alone) == ([list(range(8))], [])


def test_a_lone_item_goes_to_the_single_engine_when_nobody_else_comes() -> None:
    engine = Engine()
    with batcher(engine, wait_seconds=0.001) as gather:
        assert gather(4) == 8
    assert (engine.batches, engine.alone) == ([], [4])


@pytest.mark.parametrize("bad", [13, 14, 15])
def test_an_error_reaches_the_caller_of_the_bad_item_only(bad: int) -> None:
    engine = Engine()
    with batcher(engine) as gather:
        futures = [gather.submit(number) for number in (1, 2, 3, bad, 5, 6, 7, 8)]
        others = [future for place, future in enumerate(futures) if place != 3]
        assert results(others) == [2, 4, 6, 10, 12, 14, 16]
        if bad == 13:
            assert isinstance(futures[3].exception(SECONDS), KeyRefused)
        else:
            assert futures[3].result(SECONDS) == 2 * bad


def test_a_full_queue_refuses_at_once_and_takes_again_when_there_is_room() -> None:
    engine = Engine()
    engine.may_go.clear()
    with batcher(engine, wait_seconds=0, queue_limit=3) as gather:
        first = gather.submit(0)
        assert engine.is_busy.wait(SECONDS)
        waiting = [gather.submit(number) for number in (1, 2, 3)]
        with pytest.raises(ServiceUnavailable, match="3 requests wait"):
            gather.submit(4)
        engine.may_go.set()
        assert results([first, *waiting]) == [0, 2, 4, 6]
        assert gather(5) == 10


def test_at_the_end_what_was_taken_is_answered_and_nothing_more_is_taken() -> None:
    engine = Engine()
    engine.may_go.clear()
    with batcher(engine) as gather:
        futures = [gather.submit(number) for number in range(100, 121)]
        assert engine.is_busy.wait(SECONDS)
        closing = threading.Thread(target=gather.close)
        closing.start()
        engine.may_go.set()
        closing.join(SECONDS)
        assert results(futures) == list(range(200, 242, 2))
        with pytest.raises(ServiceUnavailable, match="closing"):
            gather.submit(1)
    assert [len(batch) for batch in engine.batches] == [8, 8, 5]


def test_who_gave_up_waiting_is_left_out() -> None:
    engine = Engine()
    with batcher(engine) as gather:
        futures = [gather.submit(number) for number in range(7)]
        assert futures[2].cancel()
        futures.append(gather.submit(7))
        assert results([future for place, future in enumerate(futures) if place != 2]) == [
            0,
            2,
            6,
            8,
            10,
            12,
            14,
        ]
    assert engine.batches == [[0, 1, 3, 4, 5, 6, 7]]


def test_many_threads_get_each_their_own_answer() -> None:
    engines = ToyEngines()
    services = GatheringServices(engines, os.urandom)
    pairs = [toy_pair(number) for number in range(1, 65)]

    def use(number: int) -> None:
        pair, message = pairs[number], str(number).encode()
        user_id = b"first" if number % 3 else b"second"
        signature = services.sign(pair, message, user_id)
        services.verify(pair.public, message, signature, user_id)
        with pytest.raises(SignatureRefused):
            services.verify(pair.public, message, signature, b"third")
        if number % 5 == 0:
            with pytest.raises(KeyRefused):
                services.encrypt(BAD_PUBLIC, message)
        ciphertext = services.encrypt(pair.public, message)
        assert services.decrypt(pair, ciphertext) == message

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(use, range(64), timeout=SECONDS))
    services.close()
    assert max(count for _, count in engines.sm2.calls) > 1
    with pytest.raises(ServiceUnavailable):
        services.sign(pairs[0], b"late")
