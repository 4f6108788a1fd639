"""The ways in which the system key comes back after a start: the service starts sealed, with no key in its memory.

    shares    M of N people type theirs; `ShareGathering` takes them one by one, in any order
    file      a key file, mode 0600: for machines that must start alone, and whose disk is guarded otherwise
    device    the key lies beside the vault, enveloped to a slot of an SDF device, which alone can open it
    command   any program of the site that prints the key: a cloud's key service, a TPM, a card reader

None of them knows the vault: `KeyVault.unseal` compares what they bring with the vault's own commitment.
"""

import contextlib
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from crypto.errors import KeyRefused, ShareRefused
from crypto.key_file import create_key_file, read_key_file
from crypto.provider import KEY_SIZE
from crypto.shamir import Purpose, Share, check_fits, combine, parse
from crypto.vault.snapshot import alone

# Holders are called one after the other; parts of a key that nobody completes do not stay in memory overnight.
PATIENCE_SECONDS = 900.0
_COMMAND_SECONDS = 30.0


class KeySource(Protocol):
    """Something that brings the system key without a person at each start."""

    def system_key(self) -> bytes:
        """16 bytes. Raises `KeyRefused` saying what is missing and where."""
        ...


class KeyDevice(Protocol):
    """A device that opens an envelope inside itself (GM/T 0018: import with the internal private key, decrypt)."""

    name: str

    def envelope(self, slot: int, key: bytes) -> bytes:
        """`key` for the eyes of this slot only."""
        ...

    def open_envelope(self, slot: int, envelope: bytes) -> bytes:
        """What was enveloped. Raises `KeyRefused` when the device, its slot or the envelope is another."""
        ...


class KeyFile:
    """The system key in a file that only its owner may read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def create(cls, path: Path, key: bytes) -> "KeyFile":
        """Write `key` to a new file. Raises `KeyRefused` when there is one."""
        create_key_file(path, {"system_key": key.hex()})
        return cls(path)

    def system_key(self) -> bytes:
        """The key of the file. Raises `KeyRefused`: missing, damaged, or open to others."""
        return _from_hex(read_key_file(self._path).get("system_key"), f"key file {self._path}")


class DeviceSlot:
    """The system key enveloped to one slot of a device; without the device the file is worth nothing."""

    def __init__(self, device: KeyDevice, slot: int, path: Path) -> None:
        self._device = device
        self._slot = slot
        self._path = path

    @classmethod
    def create(cls, device: KeyDevice, slot: int, path: Path, key: bytes) -> "DeviceSlot":
        """Envelope `key` and write it to a new file. Raises `KeyRefused`."""
        create_key_file(path, {"slot": slot, "envelope": device.envelope(slot, key).hex()})
        return cls(device, slot, path)

    def system_key(self) -> bytes:
        """The key, opened by the device. Raises `KeyRefused`."""
        content = read_key_file(self._path)
        if content.get("slot") != self._slot:
            raise KeyRefused(
                f"key file {self._path}: made for slot {content.get('slot')} of a device, not for slot {self._slot}"
            )
        try:
            envelope = bytes.fromhex(content["envelope"])
        except (KeyError, TypeError, ValueError):
            raise KeyRefused(f"key file {self._path}: it holds no envelope of a device") from None
        key = self._device.open_envelope(self._slot, envelope)
        if len(key) != KEY_SIZE:
            raise KeyRefused(
                f"device {self._device.name}, slot {self._slot}: it gave {len(key)} bytes for a key"
            )
        return key


class Command:
    """A program of the site; it prints 32 hex digits. Started without a shell, its output is never logged."""

    def __init__(self, arguments: Sequence[str], seconds: float = _COMMAND_SECONDS) -> None:
        if not arguments:
            raise KeyRefused("no command is named that brings the system key")
        self._arguments = list(arguments)
        self._seconds = seconds

    def system_key(self) -> bytes:
        """What the program printed. Raises `KeyRefused`: it is missing, failed, hung, or printed something else."""
        called = f"the unsealing command {self._arguments[0]}"
        try:
            done = subprocess.run(
                self._arguments,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self._seconds,
                check=False,
            )
        except OSError as error:
            raise KeyRefused(f"{called}: {error.strerror}") from None
        except subprocess.TimeoutExpired:
            raise KeyRefused(f"{called}: no answer in {self._seconds:.0f} s; it was ended") from None
        if done.returncode:
            raise KeyRefused(f"{called}: it ended with status {done.returncode}; run it by hand to see why")
        return _from_hex(done.stdout.decode("ascii", "replace").strip(), called)


@dataclass(frozen=True)
class GatheringState:
    """How many shares are there, and how many are needed; `needed` is 0 before the first one."""

    given: int
    needed: int

    @property
    def is_complete(self) -> bool:
        """Whether the key can be rebuilt."""
        return 0 < self.needed <= self.given


class ShareGathering:
    """Shares as they come in, from several people and connections. `seconds` is a clock that only goes forward."""

    def __init__(
        self, purpose: Purpose, seconds: Callable[[], float], patience: float = PATIENCE_SECONDS
    ) -> None:
        self._purpose = purpose
        self._seconds = seconds
        self._patience = patience
        self._shares: list[Share] = []
        self._last_at = 0.0
        self._lock = threading.Lock()

    @property
    def state(self) -> GatheringState:
        """What is there now."""
        with self._lock:
            self._forget_old()
            return self._state()

    def add(self, text: str) -> GatheringState:
        """Take one typed share. Raises `ShareRefused` naming it by its turn; the earlier ones stay."""
        with self._lock:
            self._forget_old()
            called = f"share {len(self._shares) + 1}"
            share = parse(text, called)
            check_fits(self._shares, share, self._purpose, called)
            self._shares.append(share)
            self._last_at = self._seconds()
            return self._state()

    def take_key(self) -> bytes:
        """Rebuild the key and forget the shares. Raises `ShareRefused` when too few are there; then they stay."""
        with self._lock:
            self._forget_old()
            if not self._state().is_complete:
                raise ShareRefused(
                    f"{len(self._shares)} shares were given, {self._state().needed or 'some'} are needed"
                )
            key = combine(self._shares, self._purpose)
            self._shares.clear()
            return key

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._shares.clear()

    def _state(self) -> GatheringState:
        return GatheringState(len(self._shares), self._shares[0].threshold if self._shares else 0)

    def _forget_old(self) -> None:
        if self._shares and self._seconds() - self._last_at > self._patience:
            self._shares.clear()


def _from_hex(text: object, called: str) -> bytes:
    try:
        key = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        key = b""
    if len(key) != KEY_SIZE:
        raise KeyRefused(f"{called}: it gives no system key ({2 * KEY_SIZE} hex digits)")
    return key


def unseal_by_file(path: Path, unseal: Callable[[bytes], None]) -> None:
    """Hand the key of `path` to `unseal`. A change of the system key that was killed half-way is finished here.

    Raises what `KeyFile` and `unseal` raise.
    """
    try:
        unseal(KeyFile(path).system_key())
    except KeyRefused:
        following = next_key_path(path)
        if not following.exists():
            raise
        unseal(KeyFile(following).system_key())
        following.replace(path)


def change_key_file(
    path: Path, key: bytes, require_current: Callable[[], object], change: Callable[[], None]
) -> None:
    """Put `key` into the place of the old one around `change`, which puts the vault under it.

    `require_current` raises when the vault is under another key than its caller holds. At each moment one of the two files
    has the vault's key: killed anywhere, `unseal_by_file` finds which. Raises `KeyRefused` while another process does it.
    """
    following = next_key_path(path)
    with alone(path, "a change of the system key"):
        # Whoever was unsealed before another's change would delete, with the coming file, the only key there is.
        require_current()
        # So this one was left by a change that never came to the vault.
        following.unlink(missing_ok=True)
        KeyFile.create(following, key)
        change()
        # Another process may have unsealed by it just now, and have given it its name.
        with contextlib.suppress(FileNotFoundError):
            following.replace(path)


def next_key_path(path: Path) -> Path:
    """Where the coming system key lies while the vault is put under it."""
    return path.with_name(f"{path.name}.next")
