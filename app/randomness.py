"""The one random number generator of this process, with the noise device and the card of the settings."""

import time
from functools import lru_cache
from pathlib import Path

from app.sdf_card import CardSettings, card_random, card_settings
from core.config import Settings
from core.logs import get_logger
from crypto.randomness.assembly import open_drbg
from crypto.randomness.drbg import Drbg

_log = get_logger("randomness")


def process_drbg(settings: Settings) -> Drbg:
    """Opened at the first call, about 0.1 s of tests. Raises `SourceFailed` when a noise source fails them."""
    return _drbg(settings.noise_device, card_settings(settings))


@lru_cache(maxsize=1)
def _drbg(noise_device: str, card: CardSettings | None) -> Drbg:
    device = Path(noise_device) if noise_device else None
    return open_drbg(time.perf_counter_ns, _alarm, device, card and card_random(card))


def _alarm(message: str) -> None:
    """To the log alone: the database may be what waits for random numbers."""
    _log.critical("randomness_failed", why=message)
