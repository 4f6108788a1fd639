"""The ways in which a system key comes back: gathered shares, a key file, a device's slot, a command of the site."""

import sys
from pathlib import Path

import pytest

from crypto.errors import KeyRefused, ShareRefused, VaultSealed
from crypto.shamir import Purpose, Share, split
from crypto.unsealing import (
    Command,
    DeviceSlot,
    GatheringState,
    KeyFile,
    ShareGathering,
    change_key_file,
    unseal_by_file,
)
from tests.fixtures.key_vault import OTHER_SYSTEM_KEY, SYSTEM_KEY, new_vault, opened

pytestmark = pytest.mark.requirement("H2.8")

KEY = bytes(range(16))


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Device:
    """Opens only what it enveloped itself for the same slot."""

    name = "test device"

    def __init__(self) -> None:
        self._inside: dict[tuple[int, bytes], bytes] = {}

    def envelope(self, slot: int, key: bytes) -> bytes:
        handle = bytes([slot, len(self._inside)])
        self._inside[slot, handle] = key
        return handle

    def open_envelope(self, slot: int, envelope: bytes) -> bytes:
        try:
            return self._inside[slot, envelope]
        except KeyError:
            raise KeyRefused(f"slot {slot}: not enveloped to this device") from None


@pytest.fixture(scope="module")
def shares() -> list[Share]:
    return split(KEY, 3, 5, Purpose.SYSTEM_KEY)


def test_shares_come_one_by_one_in_any_order_and_are_forgotten_with_the_key(shares: list[Share]) -> None:
    gathering = ShareGathering(Purpose.SYSTEM_KEY, Clock())
    assert gathering.state == GatheringState(0, 0)
    assert [gathering.add(shares[i].text).is_complete for i in (4, 0, 2)] == [False, False, True]
    assert gathering.take_key() == KEY
    assert gathering.state == GatheringState(0, 0)
    with pytest.raises(ShareRefused, match="0 shares were given"):
        gathering.take_key()


def test_a_refused_share_leaves_the_earlier_ones(shares: list[Share]) -> None:
    gathering = ShareGathering(Purpose.SYSTEM_KEY, Clock())
    gathering.add(shares[0].text)
    refused = [
        ("0" * 60, "share 2: mistyped"),
        (shares[0].text, "share 2: share number 1 was given already"),
        (split(KEY, 3, 5, Purpose.SYSTEM_KEY)[1].text, "share 2: it is of another set"),
        (split(KEY, 3, 5, Purpose.BACKUP_KEY)[1].text, "share 2: it is a share of a backup key"),
    ]
    for text, said in refused:
        with pytest.raises(ShareRefused, match=said):
            gathering.add(text)
    assert gathering.state == GatheringState(1, 3)
    with pytest.raises(ShareRefused, match="1 shares were given, 3 are needed"):
        gathering.take_key()
    gathering.add(shares[1].text)
    gathering.add(shares[2].text)
    assert gathering.take_key() == KEY


def test_shares_that_nobody_completes_are_forgotten(shares: list[Share]) -> None:
    clock = Clock()
    gathering = ShareGathering(Purpose.SYSTEM_KEY, clock, patience=60)
    gathering.add(shares[0].text)
    clock.now += 59
    gathering.add(shares[1].text)
    clock.now += 60
    assert gathering.state.given == 2
    clock.now += 1
    assert gathering.state == GatheringState(0, 0)
    gathering.add(shares[2].text)
    gathering.forget()
    assert gathering.state == GatheringState(0, 0)


def test_a_key_file_is_private_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "system.key"
    assert KeyFile.create(path, KEY).system_key() == KEY
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyRefused, match="not overwritten"):
        KeyFile.create(path, KEY)
    path.chmod(0o640)
    with pytest.raises(KeyRefused, match="chmod 600"):
        KeyFile(path).system_key()
    with pytest.raises(KeyRefused, match="absent"):
        KeyFile(tmp_path / "absent.key").system_key()


def test_a_key_file_with_another_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.key"
    KeyFile.create(path, KEY[:15])
    with pytest.raises(KeyRefused, match="gives no system key"):
        KeyFile(path).system_key()


def test_a_device_slot_opens_its_envelope_only(tmp_path: Path) -> None:
    device, path = Device(), tmp_path / "system.envelope"
    assert DeviceSlot.create(device, 3, path, KEY).system_key() == KEY
    assert KEY.hex() not in path.read_text()
    with pytest.raises(KeyRefused, match="made for slot 3 of a device, not for slot 4"):
        DeviceSlot(device, 4, path).system_key()
    with pytest.raises(KeyRefused, match="not enveloped to this device"):
        DeviceSlot(Device(), 3, path).system_key()
    plain = tmp_path / "plain.key"
    KeyFile.create(plain, KEY)
    with pytest.raises(KeyRefused, match="slot None"):
        DeviceSlot(device, 3, plain).system_key()


def test_a_command_prints_the_key() -> None:
    assert Command([sys.executable, "-c", f"print('{KEY.hex()}')"]).system_key() == KEY


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; print('00' * 16); sys.exit(3)", "ended with status 3"),
        (f"print('{KEY.hex()}00')", "gives no system key"),
        ("print('é')", "gives no system key"),
        ("pass", "gives no system key"),
    ],
)
def test_a_command_that_fails_says_so_without_its_output(program: str, said: str) -> None:
    with pytest.raises(KeyRefused, match=said) as refused:
        Command([sys.executable, "-c", program]).system_key()
    assert KEY.hex() not in str(refused.value)


def test_a_command_that_is_missing_or_hangs_is_refused() -> None:
    with pytest.raises(KeyRefused, match="No such file"):
        Command(["/nonexistent/unseal"]).system_key()
    with pytest.raises(KeyRefused, match="no answer"):
        Command([sys.executable, "-c", "__import__('signal').pause()"], seconds=0).system_key()
    with pytest.raises(KeyRefused, match="no command"):
        Command([])


class Killed(BaseException):
    """Stands for a kill: nothing after it runs."""


class Lock:
    """Opens for one key, as a vault does."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.is_open = False

    def unseal(self, key: bytes) -> None:
        if key != self.key:
            raise KeyRefused("the system key does not belong to this vault")
        self.is_open = True


def no_other() -> None:
    """Nobody else has changed the key."""


def visible(directory: Path) -> list[str]:
    return [entry.name for entry in directory.iterdir() if not entry.name.endswith(".lock")]


def test_a_change_of_the_key_file_follows_the_vault(tmp_path: Path) -> None:
    path, lock, new = tmp_path / "system.key", Lock(KEY), bytes(16)
    KeyFile.create(path, KEY)

    def change() -> None:
        lock.key = new

    change_key_file(path, new, no_other, change)
    unseal_by_file(path, lock.unseal)
    assert lock.is_open
    assert visible(tmp_path) == ["system.key"]


@pytest.mark.parametrize("is_changed", [False, True])
def test_a_change_that_was_killed_leaves_one_file_that_opens(tmp_path: Path, is_changed: bool) -> None:
    path, lock, new = tmp_path / "system.key", Lock(KEY), bytes(16)
    KeyFile.create(path, KEY)

    def change() -> None:
        if is_changed:
            lock.key = new
        raise Killed

    with pytest.raises(Killed):
        change_key_file(path, new, no_other, change)
    unseal_by_file(path, lock.unseal)
    assert lock.is_open
    assert KeyFile(path).system_key() == lock.key

    def change_again() -> None:
        lock.key = bytes(15) + b"\1"

    change_key_file(path, bytes(15) + b"\1", no_other, change_again)
    unseal_by_file(path, lock.unseal)
    assert visible(tmp_path) == ["system.key"]


def test_a_key_file_of_another_vault_is_refused(tmp_path: Path) -> None:
    KeyFile.create(tmp_path / "system.key", KEY)
    with pytest.raises(KeyRefused, match="does not belong"):
        unseal_by_file(tmp_path / "system.key", Lock(bytes(16)).unseal)


def test_who_holds_an_old_key_deletes_no_coming_one(tmp_path: Path) -> None:
    """Killed between vault and name the coming file has the only key; another was unsealed before that."""
    path = tmp_path / "system.key"
    vault, other = new_vault(tmp_path / "keys.db"), opened(tmp_path / "keys.db")
    KeyFile.create(path, SYSTEM_KEY)

    def killed_after() -> None:
        vault.change_system_key(OTHER_SYSTEM_KEY)
        raise Killed

    with pytest.raises(Killed):
        change_key_file(path, OTHER_SYSTEM_KEY, vault.wrapping_key, killed_after)
    with pytest.raises(VaultSealed):
        change_key_file(path, KEY, other.wrapping_key, lambda: other.change_system_key(KEY))
    unseal_by_file(path, other.unseal)
    assert KeyFile(path).system_key() == OTHER_SYSTEM_KEY


def test_two_changes_at_once_are_refused_and_a_start_between_may_finish_one(tmp_path: Path) -> None:
    path, lock, new = tmp_path / "system.key", Lock(KEY), bytes(16)
    KeyFile.create(path, KEY)

    def change() -> None:
        with pytest.raises(KeyRefused, match="running already"):
            change_key_file(path, KEY, no_other, lambda: None)
        lock.key = new
        unseal_by_file(path, lock.unseal)

    change_key_file(path, new, no_other, change)
    assert KeyFile(path).system_key() == new
    assert visible(tmp_path) == ["system.key"]
