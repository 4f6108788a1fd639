"""Continuous health tests of a noise source: repetition count and adaptive proportion (SP 800-90B §4.4, GM/T 0105-2021 D).

A sample is one byte. The cut-offs follow from the entropy that the source was assessed to have: a source that keeps its
promise fails with a chance of at most 2^-30 per window. SP 800-90B §4.3 recommends 2^-20 to 2^-40.
"""

from functools import cache
from math import ceil, comb

from crypto.errors import SourceFailed

ALPHA_BITS = 30
# SP 800-90B §4.4.2: 512 samples for sources with more than two values.
WINDOW = 512


@cache
def repetition_cutoff(min_entropy: float) -> int:
    """So many equal samples in a row are a failure: 1 + ⌈30 / H⌉ (SP 800-90B §4.4.1)."""
    return 1 + ceil(ALPHA_BITS / min_entropy)


@cache
def proportion_cutoff(min_entropy: float) -> int:
    """So often a window's first sample in the window is a failure: 1 + critbinom(512, 2^-H, 1 - 2^-30) (§4.4.2)."""
    chance, seen, tail = 2.0**-min_entropy, WINDOW, 0.0
    while seen:
        tail += comb(WINDOW, seen) * chance**seen * (1 - chance) ** (WINDOW - seen)
        if tail > 2.0**-ALPHA_BITS:
            break
        seen -= 1
    return 1 + seen


class ContinuousTests:
    """Both tests over everything that one source gave, for as long as the process lives."""

    def __init__(self, name: str, min_entropy: float) -> None:
        """`min_entropy`: assessed bits in one sample, above 0 and at most 8."""
        self._name = name
        self._repetition_cutoff = repetition_cutoff(min_entropy)
        self._proportion_cutoff = proportion_cutoff(min_entropy)
        self._last = -1
        self._run = 0
        self._window_sample = -1
        self._window_left = 0
        self._window_hits = 0

    def feed(self, samples: bytes) -> None:
        """Test the next samples. Raises `SourceFailed` naming the source and the test."""
        for sample in samples:
            self._count_repetition(sample)
            self._count_proportion(sample)

    def _count_repetition(self, sample: int) -> None:
        if sample != self._last:
            self._last, self._run = sample, 1
            return
        self._run += 1
        if self._run >= self._repetition_cutoff:
            raise SourceFailed(
                f"noise source {self._name}: the repetition count test failed, {self._run} equal samples in a row; "
                "it is stuck, have it looked at and start again"
            )

    def _count_proportion(self, sample: int) -> None:
        if not self._window_left:
            self._window_sample, self._window_left, self._window_hits = sample, WINDOW - 1, 1
            return
        self._window_left -= 1
        if sample != self._window_sample:
            return
        self._window_hits += 1
        if self._window_hits >= self._proportion_cutoff:
            raise SourceFailed(
                f"noise source {self._name}: the adaptive proportion test failed, one value came {self._window_hits} "
                f"times within {WINDOW} samples; it lost entropy, have it looked at and start again"
            )
