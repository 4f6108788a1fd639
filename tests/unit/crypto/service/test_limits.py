"""So many a second, and no more; a bucket for each account."""

import pytest

from crypto.service.limits import Bucket, Rates, ServiceLimits, TooManyRequests

pytestmark = pytest.mark.requirement("H2.1")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_holds_one_second_and_fills_again() -> None:
    clock = Clock()
    bucket = Bucket(10, clock)
    assert [bucket.has_room() for _ in range(11)] == [True] * 10 + [False]
    clock.now += 0.25
    assert [bucket.has_room() for _ in range(3)] == [True, True, False]
    clock.now += 3600
    assert sum(bucket.has_room() for _ in range(20)) == 10


def test_less_than_one_a_second_is_still_one_at_once() -> None:
    clock = Clock()
    bucket = Bucket(0.5, clock)
    assert [bucket.has_room(), bucket.has_room()] == [True, False]
    clock.now += 2
    assert bucket.has_room()


def test_accounts_do_not_use_each_others_room() -> None:
    rates = Rates(2, 10, Clock())
    for _ in range(2):
        rates.take("first")
    with pytest.raises(TooManyRequests, match="first"):
        rates.take("first")
    rates.take("second")


def test_made_up_names_do_not_fill_the_memory() -> None:
    rates = Rates(2, 10, Clock())
    for number in range(1000):
        rates.take(str(number))
    assert len(rates._buckets) <= 10


def test_what_a_body_can_bring_fits_into_it() -> None:
    limits = ServiceLimits()
    assert limits.inputs.total_bytes * 4 // 3 <= limits.body_bytes
