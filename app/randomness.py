"""The one random number generator of this process, with the noise device of the settings."""

import time
from functools import lru_cache
from pathlib import Path

from core.config import Settings
from core.logs import get_logger
from crypto.randomness.assembly import open_drbg
from crypto.randomness.drbg import Drbg

_log = get_logger("randomness")


def process_drbg(settings: Settings) -> Drbg:
    """Opened at the first call, about 0.1 s of tests. Raises `SourceFailed` when a noise source fails them."""
    return _drbg(settings.noise_device)


@lru_cache(maxsize=1)
def _drbg(noise_device: str) -> Drbg:
    return open_drbg(time.perf_counter_ns, _alarm, Path(noise_device) if noise_device else None)


def _alarm(message: str) -> None:
    """To the log alone: the database may be what waits for random numbers."""
    _log.critical("randomness_failed", why=message)
