"""The key file: private, whole or not there, never overwritten."""

import json
import threading
from pathlib import Path

import pytest

from crypto.errors import KeyRefused
from crypto.keyring import Keyring
from tests.unit.crypto.sealed_samples import PROVIDER

pytestmark = pytest.mark.requirement("H2.8")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Keyring.create(tmp_path / "keyring.json", PROVIDER)
    return tmp_path / "keyring.json"


def test_only_its_owner_may_read_it_also_after_a_rotation(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    Keyring.load(path, PROVIDER).rotate()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_open_to_others_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(KeyRefused, match="chmod 600"):
        Keyring.load(path, PROVIDER)


def test_existing_keys_are_not_overwritten(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(KeyRefused, match="exists"):
        Keyring.create(path, PROVIDER)
    assert path.read_bytes() == before


def test_no_temporary_file_stays_behind(path: Path) -> None:
    Keyring.load(path, PROVIDER).rotate()
    with pytest.raises(KeyRefused):
        Keyring.create(path, PROVIDER)
    assert list(path.parent.iterdir()) == [path]


def test_keks_lie_in_the_file_wrapped_only(path: Path) -> None:
    content = json.loads(path.read_text())
    assert set(content) == {"format", "system_key", "root", "keks"}
    assert len(bytes.fromhex(content["keks"]["1"])) == 44
    assert len(bytes.fromhex(content["root"])) == 60


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyRefused, match="No such file"):
        Keyring.load(tmp_path / "none.json", PROVIDER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "{}",
        '{"format": "other"}',
        '{"format": "cloudfilm-keys-1"}',
        '{"format": "cloudfilm-keys-1", "system_key": "00", "root": "", "keks": {"1": ""}}',
        '{"format": "cloudfilm-keys-1", "system_key": 7, "root": "", "keks": {}}',
        '{"format": "cloudfilm-keys-1", "system_key": "", "root": "", "keks": []}',
    ],
)
def test_a_damaged_file_is_refused(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(KeyRefused, match=r"keyring\.json"):
        Keyring.load(path, PROVIDER)


@pytest.mark.parametrize("change", ["root", "keks", "system_key", "version"])
def test_an_altered_key_is_refused(path: Path, change: str) -> None:
    content = json.loads(path.read_text())
    if change == "version":
        content["keks"] = {"2": content["keks"]["1"]}
    elif change == "keks":
        content["keks"]["1"] = content["keks"]["1"][:-1] + ("0" if content["keks"]["1"][-1] != "0" else "1")
    else:
        content[change] = content[change][:-1] + ("0" if content[change][-1] != "0" else "1")
    path.write_text(json.dumps(content))
    with pytest.raises(KeyRefused, match="does not unwrap"):
        Keyring.load(path, PROVIDER)


def test_rotations_at_the_same_time_lose_no_version(path: Path) -> None:
    rings = [Keyring.load(path, PROVIDER) for _ in range(8)]
    versions: list[int] = []
    threads = [threading.Thread(target=lambda ring=ring: versions.append(ring.rotate())) for ring in rings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == list(range(2, 10))
    assert Keyring.load(path, PROVIDER).active_version == 9


def test_a_crash_before_the_exchange_leaves_the_old_keys(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = Keyring.load(path, PROVIDER)

    def crash(*_: object) -> None:
        raise OSError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", crash)
        with pytest.raises(OSError, match="power cut"):
            ring.rotate()
    assert ring.active_version == 1
    assert Keyring.load(path, PROVIDER).active_version == 1
