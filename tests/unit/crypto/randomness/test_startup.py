"""Statistical tests at start, against the worked examples of SP 800-22 and against sources that lean."""

import os
import random

import numpy as np
import pytest

from crypto.errors import SourceFailed
from crypto.randomness.startup import SAMPLE_BYTES, check_uniform, monobit, poker, runs

pytestmark = pytest.mark.requirement("H2.5")

# SP 800-22 rev. 1a, §2.1.8 and §2.3.8: the first 100 binary digits of pi.
PI = "1100100100001111110110101010001000100001011010001100001000110100110001001100011001100010100010111000"
# GM/T 0005-2012 appendix C.
EXAMPLE = (
    "11001100000101010110110001001100111000000000001001001101010100010001001111010110100000001101011111001100"
    "111001101101100010110010"
)


def _bits(text: str) -> np.ndarray:
    return np.array([int(digit) for digit in text], np.uint8)


def _both_sides(probability: float) -> float:
    return 2 * min(probability, 1 - probability)


def test_monobit_of_the_examples() -> None:
    assert _both_sides(monobit(_bits(PI))) == pytest.approx(0.109599, abs=1e-6)
    assert _both_sides(monobit(_bits(EXAMPLE))) == pytest.approx(0.215925, abs=1e-6)


def test_runs_of_the_examples() -> None:
    assert _both_sides(runs(_bits(PI))) == pytest.approx(0.500798, abs=1e-6)
    assert _both_sides(runs(_bits(EXAMPLE))) == pytest.approx(0.620729, abs=1e-6)


def test_poker_of_the_example() -> None:
    groups = np.packbits(_bits(EXAMPLE))
    assert poker(np.concatenate((groups >> 4, groups & 15)), 4) == pytest.approx(0.213734, abs=1e-6)


def test_the_kernel_passes() -> None:
    check_uniform("kernel", os.urandom(SAMPLE_BYTES))


def _leaning(share: float) -> bytes:
    generator = np.random.default_rng(3)
    return np.packbits(generator.random(SAMPLE_BYTES * 8) < share).tobytes()


@pytest.mark.parametrize(
    ("sample", "test"),
    [
        (bytes(SAMPLE_BYTES), "monobit"),
        (b"\xff" * SAMPLE_BYTES, "monobit"),
        (_leaning(0.505), "monobit"),
        (_leaning(0.495), "monobit"),
        (b"\x55" * SAMPLE_BYTES, "poker"),
        (b"\x0f\xf0" * (SAMPLE_BYTES // 2), "poker"),
        (bytes(range(256)) * (SAMPLE_BYTES // 256) + bytes(range(SAMPLE_BYTES % 256)), "poker"),
    ],
)
def test_what_leans_or_is_too_even_is_refused(sample: bytes, test: str) -> None:
    with pytest.raises(SourceFailed, match=f"chip.*{test}"):
        check_uniform("chip", sample)


def test_a_bit_that_tends_to_stay_is_refused_by_its_runs() -> None:
    """Balanced, and each bit equals the one before in 51 of 100 cases."""
    generator = random.Random(4)
    bit, bits = 0, []
    for _ in range(SAMPLE_BYTES * 8):
        bit ^= generator.random() < 0.49
        bits.append(bit)
    assert runs(np.array(bits, np.uint8)) > 1 - 1e-9
