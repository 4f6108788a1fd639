"""Random bytes for everyone: two or more tested sources, the SM3 generator, reseeds by count and by time.

Requests of up to 64 bytes are the SM3 generator's own output. A longer one is an SM4-CTR stream under a key and a counter
block that the SM3 generator made for these 64 KiB alone and that nobody keeps: Hash_DRBG hands over to the generate part of
CTR_DRBG (SP 800-90A §10.2.1.5, at most 2^19 bits a request, table 3). SM2 keys need 128 bits of strength; an SM4 key has
them. Why: 240,000 SM2 keys a second are 7.7 MB/s; SM3 would take 0.6 of a core for them (measured: 2.6 µs a block),
SM4-CTR takes 0.08 (95 MB/s).
"""

import os
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from crypto.errors import SourceFailed
from crypto.provider import KEY_SIZE
from crypto.randomness.monitored import MonitoredSource
from crypto.randomness.sm3_drbg import Sm3Drbg, run_known_answer
from crypto.randomness.sources import NoiseSource

# GM/T 0105-2021, profile of level 2: 512 bits of entropy a seed, a reseed after 1,024 requests or 60 s.
SEED_BITS = 512
RESEED_REQUESTS = 1024
RESEED_SECONDS = 60.0
# The statistics of the start are repeated in a process that lives for long (GM/T 0062-2018 §9.4, running test).
RETEST_SECONDS = 12 * 3600.0
FEWEST_SOURCES = 2
DIRECT_BYTES = 64
STREAM_BYTES = 64 * 1024
_COUNTER_SIZE = 16
_LABEL = b"CloudFilm SM3_RNG"


class DrbgStatus(NamedTuple):
    """For `/status`: whether it works, why not, and what it lives on."""

    is_working: bool
    failure: str
    sources: tuple[str, ...]
    seeds: int


class Drbg:
    """The process's generator. Threads share it; a forked child gets its own seed before its first byte."""

    def __init__(
        self, sources: Sequence[NoiseSource], seconds: Callable[[], float], alarm: Callable[[str], None]
    ) -> None:
        """Tests all sources, about 0.1 s of work, and takes the first seed.

        `seconds`: a clock that never goes back. `alarm` is told once why the generator stopped; it must not ask for
        random bytes. Raises `SourceFailed` when a source fails or there are fewer than two, `SelfTestFailed` when the
        mechanism is wrong.
        """
        if len({source.name for source in sources}) < FEWEST_SOURCES:
            raise SourceFailed(
                f"random numbers need {FEWEST_SOURCES} independent noise sources, here are {len(sources)}; add a device"
            )
        run_known_answer()
        self._sources = [MonitoredSource(source) for source in sources]
        self._seconds = seconds
        self._alarm = alarm
        self._failure = ""
        self._seeds = 0
        self._seeded_at = self._tested_at = 0.0
        self._is_stale = False
        self._lock = threading.Lock()
        self._drbg = self._start()
        _all_drbgs.add(self)

    def random_bytes(self, count: int, fresh: bool = False) -> bytes:
        """`count` random bytes; `fresh` takes a new seed first (prediction resistance, SP 800-90A §8.8).

        Raises `SourceFailed` from the moment on when a source failed, forever.
        """
        if count <= DIRECT_BYTES:
            return self._request(count, fresh)
        parts = []
        for start in range(0, count, STREAM_BYTES):
            secret = self._request(KEY_SIZE + _COUNTER_SIZE, fresh and not start)
            parts.append(_stream(secret, min(STREAM_BYTES, count - start)))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def status(self) -> DrbgStatus:
        """Never raises."""
        names = tuple(source.name for source in self._sources)
        return DrbgStatus(not self._failure, self._failure, names, self._seeds)

    def _request(self, count: int, fresh: bool) -> bytes:
        with self._lock:
            if self._failure:
                raise SourceFailed(self._failure)
            if fresh or self._is_due():
                self._reseed()
            return self._drbg.generate(count)

    def _is_due(self) -> bool:
        return (
            self._is_stale
            or self._drbg.requests >= RESEED_REQUESTS
            or self._seconds() - self._seeded_at >= RESEED_SECONDS
        )

    def _start(self) -> Sm3Drbg:
        with self._stopping():
            self._test_sources()
            return Sm3Drbg(self._entropy(), self._nonce(), _LABEL)

    def _test_sources(self) -> None:
        for source in self._sources:
            source.start()
        self._tested_at = self._seconds()

    def _reseed(self) -> None:
        # The nonce too: a parent and its child differ even if a source gave both the same bytes.
        with self._stopping():
            if self._seconds() - self._tested_at >= RETEST_SECONDS:
                self._test_sources()
            self._drbg.reseed(self._entropy() + self._nonce())
        self._is_stale = False

    def _entropy(self) -> bytes:
        """From each source as much as would do alone: a seed is as good as the best of them."""
        entropy = b"".join(source.entropy(SEED_BITS) for source in self._sources)
        self._seeded_at = self._seconds()
        self._seeds += 1
        return entropy

    def _nonce(self) -> bytes:
        return f"{os.getpid()} {threading.get_ident()} {self._seeded_at!r} {self._seeds}".encode()

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """A source that fails in here stops the generator for good."""
        try:
            yield
        except SourceFailed as error:
            self._failure = str(error)
            self._alarm(self._failure)
            raise

    def _after_fork(self) -> None:
        # Another thread of the parent may have held the lock; it does not exist here.
        self._lock = threading.Lock()
        self._is_stale = True


def _stream(secret: bytes, count: int) -> bytes:
    cipher = Cipher(algorithms.SM4(secret[:KEY_SIZE]), modes.CTR(secret[KEY_SIZE:]))
    return cipher.encryptor().update(bytes(count))


_all_drbgs: "weakref.WeakSet[Drbg]" = weakref.WeakSet()


def _renew_after_fork() -> None:
    for drbg in _all_drbgs:
        drbg._after_fork()


os.register_at_fork(after_in_child=_renew_after_fork)
