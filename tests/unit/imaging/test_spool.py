"""The spool: durable before it returns, names of its own, and no space is said in time."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from crypto.sm3 import sm3
from imaging.errors import SpoolFull
from imaging.spool import Spool

META, DATASET, UID = b"\0" * 128 + b"DICM meta", b"data set" * 1000, "1.2.3"


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


@pytest.mark.requirement("P1", "S1")
def test_the_file_is_what_was_sent_and_its_digests_say_so(spool: Spool) -> None:
    stored = spool.store(UID, META, DATASET)
    content = spool.path(stored.name).read_bytes()
    assert content == META + DATASET
    assert (stored.byte_size, stored.dataset_sm3) == (len(content), sm3(DATASET).hex())
    assert stored.file_sm3 == sm3(content).hex()


def test_it_is_durable_before_it_has_its_name(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def note(name: str) -> Any:
        real = getattr(os, name)

        def called(*args: Any, **kwargs: Any) -> Any:
            told.append(name)
            return real(*args, **kwargs)

        monkeypatch.setattr(os, name, called)

    for name in ("fdatasync", "replace", "fsync"):
        note(name)
    spool.store(UID, META, DATASET)
    assert told == ["fdatasync", "replace", "fsync"]


def test_the_same_again_is_one_file_and_other_bytes_are_another(spool: Spool, tmp_path: Path) -> None:
    first, again = spool.store(UID, META, DATASET), spool.store(UID, META, DATASET)
    other = spool.store(UID, META, DATASET + b"!")
    other_syntax = spool.store(UID, META + b"!", DATASET)
    assert first == again
    assert len({first.name, other.name, other_syntax.name}) == 3
    assert sum(path.is_file() for path in (tmp_path / "spool").iterdir()) == 3


@pytest.mark.parametrize(
    "name", ["../x.dcm", "/etc/passwd", "a.dcm", "", "quarantine/" + "a" * 48 + ".dcm", "0" * 48]
)
def test_names_from_elsewhere_are_no_paths(spool: Spool, name: str) -> None:
    with pytest.raises(ValueError, match="not a spool name"):
        spool.path(name)
    with pytest.raises(ValueError, match="not a spool name"):
        spool.remove(name)


def test_a_uid_never_becomes_a_name(spool: Spool, tmp_path: Path) -> None:
    stored = spool.store("../../../outside\0", META, DATASET)
    assert spool.path(stored.name).parent == tmp_path / "spool"


def test_removing_twice_is_removing(spool: Spool) -> None:
    stored = spool.store(UID, META, DATASET)
    spool.remove(stored.name)
    spool.remove(stored.name)
    assert not spool.path(stored.name).exists()


def test_what_is_set_aside_is_kept(spool: Spool, tmp_path: Path) -> None:
    stored = spool.store(UID, META, DATASET)
    where = [spool.set_aside(stored.name), spool.quarantine(b"not dicom")]
    assert [(tmp_path / "spool" / name).read_bytes() for name in where] == [META + DATASET, b"not dicom"]
    assert not spool.path(stored.name).exists()


def test_the_sweep_takes_old_files_that_no_row_knows(spool: Spool, tmp_path: Path) -> None:
    known, old, new = (spool.store(f"1.2.{number}", META, DATASET) for number in range(3))
    kept = spool.quarantine(b"not dicom")
    broken_off = tmp_path / "spool" / ".half.dcm.1.abcd"
    broken_off.write_bytes(b"half")
    for path in (spool.path(known.name), spool.path(old.name), broken_off, tmp_path / "spool" / kept):
        os.utime(path, (1000, 1000))
    assert spool.sweep({known.name}, before=2000) == 2
    assert spool.path(known.name).exists() and spool.path(new.name).exists()
    assert (tmp_path / "spool" / kept).exists()
    assert not spool.path(old.name).exists() and not broken_off.exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_and_leaves_nothing(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(_handle: int) -> None:
        raise OSError(number, "full")

    monkeypatch.setattr(os, "fdatasync", full)
    with pytest.raises(SpoolFull, match="no space"):
        spool.store(UID, META, DATASET)
    assert [path.name for path in (tmp_path / "spool").iterdir()] == ["quarantine"]


def test_other_faults_of_the_disk_are_not_called_full(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_handle: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fdatasync", broken)
    with pytest.raises(OSError, match="broken") as raised:
        spool.store(UID, META, DATASET)
    assert not isinstance(raised.value, SpoolFull)
