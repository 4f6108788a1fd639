"""A noise source behind its tests: bytes that were not tested do not leave it."""

from math import ceil

from crypto.errors import SourceFailed
from crypto.randomness.health import ContinuousTests
from crypto.randomness.sources import NoiseSource
from crypto.randomness.startup import SAMPLE_BYTES, check_uniform
from crypto.sm3 import sm3

# SP 800-90B §4.3: the continuous tests see at least 1,024 samples before any are used.
_RAW_START_SAMPLES = 4096


class MonitoredSource:
    """One source with the state of its continuous tests. Callers hold a lock."""

    def __init__(self, source: NoiseSource) -> None:
        self.name = source.name
        self._source = source
        self._tests = ContinuousTests(source.name, source.min_entropy)
        self._last_digest = b""

    def start(self) -> None:
        """The tests of a start; their bytes are thrown away. Raises `SourceFailed`."""
        sample = self._read(SAMPLE_BYTES if self._source.is_uniform else _RAW_START_SAMPLES)
        if self._source.is_uniform:
            check_uniform(self.name, sample)

    def entropy(self, bits: int) -> bytes:
        """As many tested bytes as hold `bits` of entropy by this source alone. Raises `SourceFailed`."""
        return self._read(ceil(bits / self._source.min_entropy))

    def _read(self, count: int) -> bytes:
        samples = self._source.read(count)
        if len(samples) != count:
            raise SourceFailed(
                f"noise source {self.name}: {len(samples)} of {count} bytes came; check the source and start again"
            )
        self._tests.feed(samples)
        self._compare(samples)
        return samples

    def _compare(self, samples: bytes) -> None:
        """A device that answers the same block again and again looks sound within each block."""
        digest = sm3(samples)
        if digest == self._last_digest:
            raise SourceFailed(
                f"noise source {self.name}: it gave the same {len(samples)} bytes twice; have it looked at and start again"
            )
        self._last_digest = digest
