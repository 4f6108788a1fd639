"""Which noise sources this machine has. Two independent ones are taken; the clock's jitter only where there is no better."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from crypto.errors import EngineUnavailable
from crypto.provider import RandomBytes
from crypto.randomness.drbg import FEWEST_SOURCES, Drbg
from crypto.randomness.jitter import JitterSource
from crypto.randomness.rdseed import RdseedSource, library_path
from crypto.randomness.sources import CardSource, DeviceSource, KernelSource, NoiseSource


def find_sources(
    nanoseconds: Callable[[], int], device: Path | None = None, card: tuple[str, RandomBytes] | None = None
) -> list[NoiseSource]:
    """The kernel, then what was configured (a device that is configured is never left out), then RDSEED or jitter."""
    sources: list[NoiseSource] = [KernelSource()]
    if card is not None:
        sources.append(CardSource(*card))
    if device is not None:
        sources.append(DeviceSource(device))
    library = library_path()
    if library is not None:
        with suppress(EngineUnavailable):
            sources.append(RdseedSource(library))
    if len(sources) < FEWEST_SOURCES:
        sources.append(JitterSource(nanoseconds))
    return sources


def open_drbg(
    nanoseconds: Callable[[], int],
    alarm: Callable[[str], None],
    device: Path | None = None,
    card: tuple[str, RandomBytes] | None = None,
) -> Drbg:
    """This machine's generator. `nanoseconds`: a clock that never goes back (`time.perf_counter_ns`)."""
    return Drbg(find_sources(nanoseconds, device, card), lambda: nanoseconds() / 1e9, alarm)
