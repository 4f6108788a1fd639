"""The spool: durable under a name of its own, nothing lost when bytes differ, nothing half written."""

import errno
import os
from pathlib import Path

import pytest

from crypto.sm3 import sm3
from imaging.errors import SpoolFull
from imaging.spool import Spool

pytestmark = pytest.mark.requirement("S1")

META, DATASET = b"\0" * 128 + b"DICM" + b"meta", b"the data set as it came"


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def visible(spool_root: Path) -> list[str]:
    return sorted(path.name for path in spool_root.iterdir() if path.is_file())


def test_the_bytes_and_their_digests(spool: Spool) -> None:
    spooled = spool.store("1.2.3", META, DATASET)
    content = spool.path(spooled.name).read_bytes()
    assert content == META + DATASET
    assert spooled.byte_size == len(content)
    assert (spooled.dataset_sm3, spooled.file_sm3) == (sm3(DATASET).hex(), sm3(content).hex())


def test_a_repeat_reuses_the_name_and_other_bytes_get_another(spool: Spool, tmp_path: Path) -> None:
    first = spool.store("1.2.3", META, DATASET)
    assert spool.store("1.2.3", META, DATASET) == first
    other = spool.store("1.2.3", META, DATASET + b"!")
    assert other.name != first.name
    assert visible(tmp_path / "spool") == sorted([first.name, other.name])


def test_a_uid_from_outside_never_names_a_file(spool: Spool, tmp_path: Path) -> None:
    spooled = spool.store("../../1.2.3", META, DATASET)
    assert spool.path(spooled.name).parent == tmp_path / "spool"
    assert list(tmp_path.iterdir()) == [tmp_path / "spool"]


@pytest.mark.parametrize("name", ["", "..", "../x.dcm", "a.dcm", "/etc/passwd", "0" * 48 + ".dcm\n"])
def test_only_names_that_the_spool_gave(spool: Spool, name: str) -> None:
    with pytest.raises(ValueError, match="spool name"):
        spool.path(name)


def test_synced_before_the_name_is_there(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, list[str]]] = []
    for call in ("fdatasync", "fsync"):
        real = getattr(os, call)

        def spy(handle: int, call: str = call, real: object = real) -> None:
            names = [name for name in visible(tmp_path / "spool") if not name.startswith(".")]
            seen.append((call, names))
            real(handle)  # type: ignore[operator]

        monkeypatch.setattr(os, call, spy)
    name = spool.store("1.2.3", META, DATASET).name
    assert seen == [("fdatasync", []), ("fsync", [name])]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_and_leaves_nothing(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(_handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fdatasync", full)
    with pytest.raises(SpoolFull, match="no space"):
        spool.store("1.2.3", META, DATASET)
    assert visible(tmp_path / "spool") == []


def test_another_fault_of_the_disk_is_no_lack_of_space(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fdatasync", broken)
    with pytest.raises(OSError, match="Input/output"):
        spool.store("1.2.3", META, DATASET)
    assert visible(tmp_path / "spool") == []


def test_remove_twice(spool: Spool) -> None:
    name = spool.store("1.2.3", META, DATASET).name
    spool.remove(name)
    spool.remove(name)
    assert not spool.path(name).exists()


def test_quarantine_keeps_the_bytes(spool: Spool, tmp_path: Path) -> None:
    kept = spool.quarantine(b"no DICOM at all")
    assert (tmp_path / "spool" / kept).read_bytes() == b"no DICOM at all"
    assert spool.quarantine(b"no DICOM at all") == kept


def test_set_aside_moves_a_spooled_file(spool: Spool, tmp_path: Path) -> None:
    name = spool.store("1.2.3", META, DATASET).name
    kept = spool.set_aside(name)
    assert (tmp_path / "spool" / kept).read_bytes() == META + DATASET
    assert not spool.path(name).exists()


def test_sweep_takes_old_orphans_only(spool: Spool, tmp_path: Path) -> None:
    known, orphan, young = (spool.store(uid, META, DATASET).name for uid in ("1.1", "1.2", "1.3"))
    kept = spool.quarantine(b"for a person to look at")
    (half := tmp_path / "spool" / f".{orphan}.1.aabbccdd").write_bytes(b"a process died here")
    for old in (spool.path(known), spool.path(orphan), half, tmp_path / "spool" / kept):
        os.utime(old, (1_000, 1_000))
    assert spool.sweep({known}, before=2_000) == 2
    assert visible(tmp_path / "spool") == sorted([known, young])
    assert (tmp_path / "spool" / kept).exists()
