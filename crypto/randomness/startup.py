"""Statistical tests of a uniform source at start: monobit, poker, total number of runs (GM/T 0005-2021 §5.1, §5.3, §5.5).

10^6 bits once per source and process, each test at a significance of 10^-6 and on both sides, so that a sound source fails
once in about 100,000 starts. That finds a share of ones off by 0.25 percentage points. GM/T 0062-2018 asks a server for
20 such samples and 15 tests at 0.01: that is a laboratory's work on the chip, not a start of a process.
"""

from math import erfc, exp, lgamma, log, sqrt

import numpy as np

from crypto.errors import SourceFailed

SAMPLE_BYTES = 125_000
SIGNIFICANCE = 1e-6


def check_uniform(name: str, sample: bytes) -> None:
    """Raises `SourceFailed` naming the source and the test that `sample` does not pass."""
    values = np.frombuffer(sample, np.uint8)
    bits = np.unpackbits(values)
    for test, probability in (
        ("monobit", monobit(bits)),
        ("poker of 4 bits", poker(np.concatenate((values >> 4, values & 15)), 4)),
        ("poker of 8 bits", poker(values, 8)),
        ("runs", runs(bits)),
    ):
        if not SIGNIFICANCE / 2 < probability < 1 - SIGNIFICANCE / 2:
            raise SourceFailed(
                f"noise source {name}: the {test} test of GM/T 0005 failed at start (p = {probability:.2g}); "
                "start again once, and when it fails again have the source looked at"
            )


def monobit(bits: np.ndarray) -> float:
    """Chance that a sound source has at most so many ones; one half when they are balanced."""
    excess = 2 * int(bits.sum()) - len(bits)
    return _normal_tail(-excess / sqrt(len(bits)))


def poker(groups: np.ndarray, width: int) -> float:
    """Chance that a sound source spreads its groups of `width` bits at least so unevenly."""
    counts = np.bincount(groups, minlength=1 << width).astype(np.int64)
    statistic = (1 << width) / len(groups) * int((counts * counts).sum()) - len(groups)
    return _chi_square_tail(statistic, (1 << width) - 1)


def runs(bits: np.ndarray) -> float:
    """Chance that a sound source has at least so many runs, given its share of ones. 0 when all bits are equal."""
    share = float(bits.mean())
    if share in (0.0, 1.0):
        return 0.0
    count = 1 + int(np.count_nonzero(bits[1:] != bits[:-1]))
    expected = 2 * len(bits) * share * (1 - share)
    return _normal_tail((count - expected) / (2 * sqrt(len(bits)) * share * (1 - share)))


def _normal_tail(deviation: float) -> float:
    return erfc(deviation / sqrt(2)) / 2


def _chi_square_tail(statistic: float, degrees: int) -> float:
    """P(χ² ≥ statistic) for an odd number of degrees: the finite sum of Abramowitz and Stegun 26.4.4."""
    half = max(statistic, 1e-300) / 2
    terms = (exp((i - 0.5) * log(half) - half - lgamma(i + 0.5)) for i in range(1, (degrees - 1) // 2 + 1))
    return erfc(sqrt(half)) + sum(terms)
