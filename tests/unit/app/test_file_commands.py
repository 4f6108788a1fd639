"""`./cloudfilm seal|open|verify|rewrap`: what they print, their status, what lies there afterwards."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from app.cli import cli
from app.commands import files as commands
from crypto.files.envelope import key_path
from crypto.keyring import Keyring
from crypto.provider import Provider
from crypto.sm3 import sm3
from imaging.errors import StoreUnavailable
from imaging.stores.local import LocalStore

pytestmark = pytest.mark.requirement("H2", "H2.9", "C1")

CONTENT = bytes(range(256)) * 700


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture(autouse=True)
def platform(
    monkeypatch: pytest.MonkeyPatch, keyring: Keyring, provider: Provider, store: LocalStore
) -> None:
    found = SimpleNamespace(keyring=keyring, provider=provider, store=store)
    monkeypatch.setattr(commands, "build_platform", lambda _settings: found)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.bin").write_bytes(CONTENT)
    (folder / "notes.txt").write_bytes(b"notes")
    return folder


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)


def test_seal_verify_open(data: Path, tmp_path: Path) -> None:
    sealed = call("seal", data, "--out", tmp_path / "sealed")
    assert (sealed.exit_code, sealed.output.splitlines()[0]) == (0, "sealed 2 (other 1, txt 1)")
    assert call("seal", data, "--out", tmp_path / "sealed").output.startswith("sealed 0, already 2")
    assert call("verify", tmp_path / "sealed").output.startswith("verified 2 (")
    assert call("rewrap", tmp_path / "sealed").output.startswith("re-wrapped 0, already 2")
    opened = call("open", tmp_path / "sealed", "--out", tmp_path / "back")
    assert (opened.exit_code, opened.output.splitlines()[0]) == (0, "opened 2 (other 1, txt 1)")
    assert (tmp_path / "back" / "data" / "a.bin").read_bytes() == CONTENT


def test_relative_paths_are_those_of_the_caller(data: Path) -> None:
    assert call("seal", "--from", data.parent, "data", "--out", "sealed").exit_code == 0
    assert call("open", "--from", data.parent, "sealed", "--out", "back").exit_code == 0
    assert (data.parent / "back" / "data" / "a.bin").read_bytes() == CONTENT


def test_a_failure_is_named_and_gives_status_1(data: Path, tmp_path: Path) -> None:
    call("seal", data)
    body = data / "a.bin.cfs"
    body.write_bytes(body.read_bytes()[:-1])
    found = call("verify", data)
    assert found.exit_code == 1
    assert "verified 1, failed 1" in found.output
    assert "a.bin.cfs" in found.stderr and "cut" in found.stderr
    assert call("verify", tmp_path / "missing").exit_code == 1


def test_sources_stay_unless_told(data: Path) -> None:
    call("seal", data)
    assert (data / "a.bin").exists()
    assert call("seal", data, "--delete-source").exit_code == 0
    assert sorted(path.name for path in data.iterdir()) == [
        "a.bin.cfs",
        "a.bin.cfs.key",
        "notes.txt.cfs",
        "notes.txt.cfs.key",
    ]


@pytest.mark.parametrize(
    "arguments", [["seal"], ["open"], ["seal", "--watch", "x"], ["seal", "--watch", "nowhere", "--out", "y"]]
)
def test_wrong_usage_gives_status_2(arguments: list[str], tmp_path: Path) -> None:
    assert call(arguments[0], "--from", tmp_path, *arguments[1:]).exit_code == 2


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = call("seal", tmp_path / "empty")
    assert found.exit_code == 1
    assert "no such file" in found.stderr


def test_the_watched_folder_goes_to_the_store_with_its_key(
    data: Path, tmp_path: Path, store: LocalStore, keyring: Keyring, provider: Provider
) -> None:
    found = call(
        "seal", "--watch", data, "--out", tmp_path / "out", "--quiet", 0, "--once", "--delete-source"
    )
    assert found.exit_code == 0, found.output
    assert found.output.splitlines()[-1] == "stored 2"
    assert not list(data.iterdir())
    (body,) = (path for path in (tmp_path / "out").rglob("*.cfs") if path.stat().st_size > len(CONTENT))
    key = f"files/{body.stem[:2]}/{body.stem}"
    metadata = store.head(key).metadata
    assert metadata["sealed-sm3"] == sm3(body.read_bytes()).hex()
    # From the store alone, as after the loss of the front machine.
    shutil.rmtree(tmp_path / "out")
    assert call("fetch", body.stem, "--out", tmp_path / "fetched").exit_code == 0
    assert call("open", tmp_path / "fetched", "--out", tmp_path / "back").exit_code == 0
    assert (tmp_path / "back" / "a.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(("name", "status"), [("../../etc", 2), ("0" * 32, 1)])
def test_what_the_store_does_not_have_is_not_fetched(tmp_path: Path, name: str, status: int) -> None:
    found = CliRunner().invoke(cli, ["fetch", name, "--out", str(tmp_path / "fetched")])
    assert (found.exit_code, list(tmp_path.rglob("*.cfs"))) == (status, [])


def test_a_store_that_is_away_keeps_everything(
    data: Path, tmp_path: Path, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("the store is away")

    watching = ("seal", "--watch", data, "--out", tmp_path / "out", "--quiet", 0, "--once", "--delete-source")
    with monkeypatch.context() as patched:
        patched.setattr(LocalStore, "put_file", away)
        found = call(*watching)
    assert found.exit_code == 1
    assert "the store is away" in found.output
    assert len(list(data.iterdir())) == 2
    assert call(*watching).output.splitlines()[-1] == "stored 2"
    assert not list(data.iterdir())


def test_a_key_file_of_another_file_opens_nothing(data: Path) -> None:
    call("seal", data)
    key_path(data / "a.bin.cfs").write_bytes(key_path(data / "notes.txt.cfs").read_bytes())
    assert call("open", data / "a.bin.cfs").exit_code == 1
