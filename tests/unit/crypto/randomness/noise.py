"""Noise sources of the tests: sound until told otherwise, and every way to fail."""

import random

from crypto.errors import SourceFailed


class FakeNoise:
    """Looks like a good source; repeats from run to run. `break_with` makes it fail from then on."""

    min_entropy = 4.0
    is_uniform = True

    def __init__(self, name: str, seed: int = 1) -> None:
        self.name = name
        self.reads: list[int] = []
        self._random = random.Random(seed)
        self._defect = ""

    def break_with(self, defect: str) -> None:
        self._defect = defect

    def read(self, count: int) -> bytes:
        self.reads.append(count)
        good = self._random.randbytes(count)
        if self._defect == "stuck":
            return b"\x5a" * count
        if self._defect == "five values":
            return bytes(byte % 5 for byte in good)
        if self._defect == "one bit leans":
            return bytes(byte | (128 if self._random.random() < 0.06 else 0) for byte in good)
        if self._defect == "repeats a block":
            return random.Random(7).randbytes(64) * (count // 64) + bytes(count % 64)
        if self._defect == "counts":
            return bytes(place & 0xFF for place in range(count))
        if self._defect == "alternates":
            return b"\x55" * count
        if self._defect == "runs short":
            return good[:-1]
        if self._defect == "dies":
            raise SourceFailed(f"noise source {self.name}: gone")
        return good


class FakeClock:
    """Seconds that stand still until moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
