"""Sources: kernel, device file, card, processor, jitter; each way to die is a `SourceFailed`."""

import os
import time
from pathlib import Path

import pytest

from crypto.errors import EngineUnavailable, SourceFailed
from crypto.randomness import assembly, rdseed, sources
from crypto.randomness.assembly import find_sources, open_drbg
from crypto.randomness.jitter import JitterSource
from crypto.randomness.monitored import MonitoredSource
from crypto.randomness.rdseed import RdseedSource, library_path
from crypto.randomness.sources import CardSource, DeviceSource, KernelSource, NoiseSource

pytestmark = pytest.mark.requirement("H2.5")


def _passes_its_start(source: NoiseSource) -> None:
    monitored = MonitoredSource(source)
    monitored.start()
    first, second = monitored.entropy(512), monitored.entropy(512)
    assert len(first) * source.min_entropy >= 512
    assert first != second


def test_the_kernel_passes_its_start() -> None:
    _passes_its_start(KernelSource())


def test_jitter_passes_its_start() -> None:
    _passes_its_start(JitterSource(time.perf_counter_ns))


def test_jitter_with_a_clock_that_stands_still_fails() -> None:
    with pytest.raises(SourceFailed, match=r"jitter.*repetition"):
        MonitoredSource(JitterSource(lambda: 5)).start()


def _rdseed() -> RdseedSource:
    library = library_path()
    if library is None:
        pytest.skip("ipp-crypto is not installed: no RDSEED here")
    try:
        return RdseedSource(library)
    except EngineUnavailable as error:
        pytest.skip(str(error))


def test_rdseed_passes_its_start() -> None:
    _passes_its_start(_rdseed())


@pytest.mark.parametrize("count", [1, 3, 4, 255, 256, 257, 1000])
def test_rdseed_gives_as_much_as_was_asked_for(count: int) -> None:
    assert len(_rdseed().read(count)) == count


def test_a_dry_processor_is_a_failed_source() -> None:
    source = _rdseed()
    source._generate = lambda buffer, bits, parameters: -1  # type: ignore[assignment]
    with pytest.raises(SourceFailed, match=r"rdseed.*status -1"):
        source.read(8)


def test_a_library_without_the_call_is_no_engine(tmp_path: Path) -> None:
    (tmp_path / "libippcp.so.1").write_bytes(b"no library")
    with pytest.raises(EngineUnavailable, match="libippcp"):
        RdseedSource(tmp_path / "libippcp.so.1")


def test_a_device_gives_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "hwrng"
    path.write_bytes(bytes(range(64)))
    assert DeviceSource(path).read(64) == bytes(range(64))


def test_a_device_that_ends_or_is_missing_fails(tmp_path: Path) -> None:
    path = tmp_path / "hwrng"
    with pytest.raises(SourceFailed, match="device hwrng: No such file"):
        DeviceSource(path).read(64)
    path.write_bytes(bytes(63))
    with pytest.raises(SourceFailed, match="device hwrng: it ended"):
        DeviceSource(path).read(64)


def test_a_device_that_keeps_silent_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_DEVICE_SECONDS", 0.01)
    path = tmp_path / "hwrng"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    try:
        with pytest.raises(SourceFailed, match="nothing came"):
            DeviceSource(path).read(64)
    finally:
        os.close(writer)


def test_whatever_a_card_raises_is_a_failed_source_without_its_words() -> None:
    def broken(count: int) -> bytes:
        raise RuntimeError("secret detail")

    with pytest.raises(SourceFailed, match="card sdf0: RuntimeError") as caught:
        CardSource("sdf0", broken).read(8)
    assert "secret" not in str(caught.value)


def test_without_processor_and_device_the_clock_is_the_second_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "library_path", lambda: None)
    assert [source.name for source in find_sources(time.perf_counter_ns)] == ["kernel", "jitter"]


def test_what_is_configured_is_used_and_then_needs_no_jitter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(assembly, "library_path", lambda: None)
    found = find_sources(time.perf_counter_ns, tmp_path / "hwrng", ("sdf0", os.urandom))
    assert [source.name for source in found] == ["kernel", "card sdf0", "device hwrng"]


def test_a_missing_configured_device_stops_the_start(tmp_path: Path) -> None:
    alarms: list[str] = []
    with pytest.raises(SourceFailed, match="nodevice"):
        open_drbg(time.perf_counter_ns, alarms.append, tmp_path / "nodevice")
    assert len(alarms) == 1


def test_a_processor_without_rdseed_falls_to_the_clock(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "libippcp.so.1").write_bytes(b"no library")
    monkeypatch.setattr(assembly, "library_path", lambda: tmp_path / "libippcp.so.1")
    assert [source.name for source in find_sources(time.perf_counter_ns)] == ["kernel", "jitter"]


def test_the_newest_name_of_the_library_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rdseed.sys, "prefix", str(tmp_path))
    assert library_path() is None
    (tmp_path / "lib").mkdir()
    for name in ("libippcp.so.13", "libippcp.so.13.3"):
        (tmp_path / "lib" / name).touch()
    assert library_path() == tmp_path / "lib" / "libippcp.so.13.3"
