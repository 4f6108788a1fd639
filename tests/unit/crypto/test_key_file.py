"""A key file: private, whole or not there, never overwritten."""

from pathlib import Path

import pytest

from crypto import key_file
from crypto.errors import KeyRefused
from crypto.key_file import create_key_file, read_key_file

pytestmark = pytest.mark.requirement("H2.8")

CONTENT = {"system_key": "00" * 16}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create_key_file(tmp_path / "keys" / "system.key", CONTENT)
    return tmp_path / "keys" / "system.key"


def test_only_its_owner_may_read_it(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert read_key_file(path) == CONTENT


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_open_to_others_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(KeyRefused, match="chmod 600"):
        read_key_file(path)


def test_existing_keys_are_not_overwritten_and_nothing_stays_behind(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(KeyRefused, match="exists"):
        create_key_file(path, {"system_key": "11" * 16})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyRefused, match="No such file"):
        read_key_file(tmp_path / "none.key")


@pytest.mark.parametrize("text", ["", "not json", "[]", "{}", '{"format": "other"}'])
def test_a_damaged_file_is_refused(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(KeyRefused, match=r"system\.key"):
        read_key_file(path)


def test_a_crash_before_the_file_has_its_name_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise OSError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(key_file.os, "link", crash)
        with pytest.raises(OSError, match="power cut"):
            create_key_file(tmp_path / "system.key", CONTENT)
    assert not (tmp_path / "system.key").exists()
    create_key_file(tmp_path / "system.key", CONTENT)
    assert read_key_file(tmp_path / "system.key") == CONTENT
