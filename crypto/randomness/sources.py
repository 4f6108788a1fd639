"""Noise sources: the kernel, a device file such as /dev/hwrng, a vendor's card (GM/T 0018, `SDF_GenerateRandom`).

All three give bytes that were conditioned already, so they should look uniform. They are assessed at half of that, 4 bits
a byte: the health tests then never stop a sound source by chance, and the generator asks for twice as much.
"""

import os
import select
from pathlib import Path
from typing import Protocol

from crypto.errors import SourceFailed
from crypto.provider import RandomBytes

CONDITIONED_ENTROPY = 4.0
_DEVICE_SECONDS = 10.0


class NoiseSource(Protocol):
    """Where entropy comes from. `min_entropy`: assessed bits in one byte. `is_uniform`: whether `startup` applies."""

    name: str
    min_entropy: float
    is_uniform: bool

    def read(self, count: int) -> bytes:
        """New bytes, `count` of them; nobody else gets them. Raises `SourceFailed` when it cannot give them."""
        ...


class KernelSource:
    """getrandom(2): waits until the kernel's pool was seeded once."""

    name = "kernel"
    min_entropy = CONDITIONED_ENTROPY
    is_uniform = True

    def read(self, count: int) -> bytes:
        """By `os.urandom`, which is getrandom(2) on Linux and repeats short reads."""
        try:
            return os.urandom(count)
        except OSError as error:
            raise SourceFailed(f"noise source {self.name}: {error.strerror}; check the kernel") from error


class DeviceSource:
    """A character device that gives noise."""

    min_entropy = CONDITIONED_ENTROPY
    is_uniform = True

    def __init__(self, path: Path) -> None:
        self.name = f"device {path.name}"
        self._path = path

    def read(self, count: int) -> bytes:
        """Opened anew each time: a device that was pulled out is noticed. Gives up after 10 s without a byte."""
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                return self._read_all(handle, count)
            finally:
                os.close(handle)
        except OSError as error:
            raise SourceFailed(
                f"noise source {self.name}: {error.strerror}; check {self._path} and its rights"
            ) from error

    def _read_all(self, handle: int, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            if not select.select([handle], [], [], _DEVICE_SECONDS)[0]:
                raise SourceFailed(
                    f"noise source {self.name}: nothing came for {_DEVICE_SECONDS:.0f} s; check it"
                )
            part = os.read(handle, count - len(parts))
            if not part:
                raise SourceFailed(f"noise source {self.name}: it ended; check {self._path}")
            parts += part
        return bytes(parts)


class CardSource:
    """A card's generator by its own function, for instance `SDF_GenerateRandom` (GM/T 0018-2012 §6.2.6)."""

    min_entropy = CONDITIONED_ENTROPY
    is_uniform = True

    def __init__(self, name: str, generate: RandomBytes) -> None:
        self.name = f"card {name}"
        self._generate = generate

    def read(self, count: int) -> bytes:
        """Whatever the card raises is a failed source."""
        try:
            return self._generate(count)
        except Exception as error:
            raise SourceFailed(f"noise source {self.name}: {type(error).__name__}; check the card") from error
