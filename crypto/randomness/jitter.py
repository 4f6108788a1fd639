"""How long a small piece of work takes, in nanoseconds: the second source of a machine that has no other.

The noise is that of caches, interrupts and clocks. It is the weakest source here and assessed accordingly, at a tenth of
a bit a sample, so a seed of 512 bits takes 5,120 samples. It is raw: its samples are not uniform and are not meant to be.
"""

from collections.abc import Callable

from crypto.sm3 import sm3


class JitterSource:
    """`nanoseconds`: a clock that never goes back, of at least 100 ns resolution."""

    name = "jitter"
    min_entropy = 0.1
    is_uniform = False

    def __init__(self, nanoseconds: Callable[[], int]) -> None:
        self._nanoseconds = nanoseconds
        self._state = bytes(32)

    def read(self, count: int) -> bytes:
        """One byte per piece of work, 1 to 2 µs each: the low byte of its duration."""
        samples = bytearray(count)
        state, clock = self._state, self._nanoseconds
        before = clock()
        for place in range(count):
            state = sm3(state)
            after = clock()
            samples[place] = (after - before) & 0xFF
            before = after
        self._state = state
        return bytes(samples)
