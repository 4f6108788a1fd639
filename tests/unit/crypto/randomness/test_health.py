"""Continuous health tests: where they begin to fail, and that a sound source does not."""

import random
from fractions import Fraction
from math import comb

import pytest

from crypto.errors import SourceFailed
from crypto.randomness.health import WINDOW, ContinuousTests, proportion_cutoff, repetition_cutoff

pytestmark = pytest.mark.requirement("H2.5")


@pytest.mark.parametrize(("entropy", "cutoff"), [(1, 31), (4, 9), (8, 5)])
def test_repetition_cutoffs_of_the_formula(entropy: float, cutoff: int) -> None:
    """SP 800-90B §4.4.1 with 2^-30."""
    assert repetition_cutoff(entropy) == cutoff


@pytest.mark.parametrize("entropy", [1, 2, 4, 8])
def test_proportion_cutoffs_are_the_smallest_that_keep_the_false_alarms(entropy: int) -> None:
    """SP 800-90B §4.4.2, computed exactly here: 1 + the smallest k with P(X > k) <= 2^-30."""
    chance = Fraction(1, 2**entropy)

    def above(limit: int) -> Fraction:
        return sum(
            (
                comb(WINDOW, k) * chance**k * (1 - chance) ** (WINDOW - k)
                for k in range(limit + 1, WINDOW + 1)
            ),
            start=Fraction(0),
        )

    critical = proportion_cutoff(entropy) - 1
    assert above(critical) <= Fraction(1, 2**30) < above(critical - 1)


def test_eight_equal_samples_pass_and_the_ninth_fails() -> None:
    tests = ContinuousTests("kernel", 4)
    tests.feed(b"\x07" * 8 + b"\x08" + b"\x07" * 8)
    with pytest.raises(SourceFailed, match=r"kernel.*repetition count.*9 equal"):
        tests.feed(b"\x07")


def test_a_run_over_two_reads_is_one_run() -> None:
    tests = ContinuousTests("kernel", 4)
    tests.feed(b"\x07" * 5)
    with pytest.raises(SourceFailed, match="repetition"):
        tests.feed(b"\x07" * 4)


def _window(hits: int) -> bytes:
    """512 samples of which `hits` are the first one's value, never next to each other."""
    others = iter(range(WINDOW))
    return bytes(
        0 if place < 2 * hits and place % 2 == 0 else 1 + next(others) % 255 for place in range(WINDOW)
    )


def test_seventy_of_512_pass_and_71_fail() -> None:
    ContinuousTests("card", 4).feed(_window(70))
    with pytest.raises(SourceFailed, match=r"card.*adaptive proportion.*71 times within 512"):
        ContinuousTests("card", 4).feed(_window(71))


def test_each_window_counts_anew() -> None:
    ContinuousTests("card", 4).feed(_window(70) * 5)


def test_a_sound_source_passes_for_long() -> None:
    ContinuousTests("sound", 4).feed(random.Random(5).randbytes(200_000))
