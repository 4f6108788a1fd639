"""The copy of the multi-buffer library that loads without Intel's compiler runtime, and the gate before the first call."""

import ctypes
import stat
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import distribution
from pathlib import Path

import pytest

from crypto.errors import EngineUnavailable
from crypto.providers.mbx import MbxEngine
from crypto.providers.mbx.elf import needed, without_needed
from crypto.providers.mbx.library import SharedLibrary, lane_codes, require_processor
from crypto.providers.mbx.private_copy import UNUSED, VERSION, installed_library, private_copy

pytestmark = pytest.mark.requirement("H2")


@pytest.fixture(scope="module")
def source() -> Path:
    try:
        return installed_library("libcrypto_mb.so")
    except EngineUnavailable as missing:
        pytest.skip(str(missing))


def test_unused_libraries_are_no_longer_asked_for_and_nothing_else_changes(source: Path) -> None:
    library = source.read_bytes()
    assert set(needed(library)) > UNUSED
    patched = without_needed(library, UNUSED)
    assert needed(patched) == [name for name in needed(library) if name not in UNUSED]
    assert len(patched) == len(library)
    differing = [at for at, (one, other) in enumerate(zip(library, patched, strict=True)) if one != other]
    assert max(differing) - min(differing) < 16 * 64
    assert without_needed(patched, UNUSED) == patched


def test_the_loader_refuses_the_original_and_takes_the_copy(source: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="refuses"):
        SharedLibrary(source)
    features = SharedLibrary(private_copy(tmp_path)).function("mbx_get_cpu_features", "", "8")
    assert features()


def test_the_copy_is_made_once(source: Path, tmp_path: Path) -> None:
    copy = private_copy(tmp_path)
    before = copy.stat()
    assert private_copy(tmp_path) == copy
    assert copy.stat().st_ino == before.st_ino
    assert stat.S_IMODE(before.st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [copy]


def test_a_damaged_copy_is_made_anew(source: Path, tmp_path: Path) -> None:
    copy = private_copy(tmp_path)
    genuine = copy.read_bytes()
    copy.write_bytes(genuine[:-1] + bytes([genuine[-1] ^ 1]))
    assert private_copy(tmp_path) == copy
    assert copy.read_bytes() == genuine


def test_many_at_once_get_the_same_copy(source: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        copies = set(pool.map(lambda _: private_copy(tmp_path / "engines"), range(8)))
    assert len(copies) == 1
    assert [file.name for file in (tmp_path / "engines").iterdir()] == [copies.pop().name]


def test_a_directory_of_others_is_refused(source: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(EngineUnavailable, match="others may write"):
        private_copy(tmp_path)


def test_a_directory_that_cannot_be_is_no_crash(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineUnavailable, match="cannot be kept"):
        private_copy(tmp_path / "file")


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """2026.0.1 refuses genuine signatures."""
    other = type("Other", (), {"version": "2026.0.1", "files": []})
    monkeypatch.setattr("crypto.providers.mbx.private_copy.distribution", lambda name: other)
    with pytest.raises(EngineUnavailable, match="2026.0.1: install " + VERSION):
        installed_library("libcrypto_mb.so")


def test_a_package_without_the_library_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = distribution("pytest")
    monkeypatch.setattr("crypto.providers.mbx.private_copy.distribution", lambda name: lacking)
    monkeypatch.setattr("crypto.providers.mbx.private_copy.VERSION", lacking.version)
    with pytest.raises(EngineUnavailable, match="lacks"):
        installed_library("libcrypto_mb.so")


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\x7fELF\x02\x01" + bytes(100), b"MZ" * 100])
def test_what_is_no_library_is_refused(data: bytes) -> None:
    with pytest.raises(EngineUnavailable, match="64-bit ELF"):
        without_needed(data, UNUSED)


def test_a_processor_without_the_flags_is_told_which(tmp_path: Path) -> None:
    cpu_info = tmp_path / "cpuinfo"
    cpu_info.write_text(
        "processor\t: 0\nflags\t\t: fpu sse2 avx2 bmi2 avx512f avx512dq avx512bw avx512_vbmi2 gfni vpclmulqdq\n"
    )
    with pytest.raises(EngineUnavailable, match="lacks avx512ifma, which"):
        require_processor(cpu_info)
    cpu_info.write_text(cpu_info.read_text().replace("avx512f", "avx512f avx512ifma"))
    require_processor(cpu_info)
    with pytest.raises(EngineUnavailable, match="Linux"):
        require_processor(tmp_path / "none")


def test_nothing_is_copied_or_loaded_before_the_processor_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text("flags : sse2\n")
    monkeypatch.setattr("crypto.providers.mbx.library._CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(ctypes, "CDLL", lambda *_: pytest.fail("loaded"))
    with pytest.raises(EngineUnavailable, match="lacks"):
        MbxEngine.load(tmp_path / "engines", bytes)
    assert not (tmp_path / "engines").exists()


def test_a_status_is_four_bits_a_lane() -> None:
    assert lane_codes(0x80000001, 8) == [1, 0, 0, 0, 0, 0, 0, 8]
    assert lane_codes(0x8000000000000000, 16) == [0] * 15 + [8]
    for status in (0xAAAAAAAA, 0x00020000):
        with pytest.raises(EngineUnavailable, match="did not work"):
            lane_codes(status, 8)
