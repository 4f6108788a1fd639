"""Whole files, as `./cloudfilm seal` does them: read, sealed chunk by chunk, written and synced."""

import os
import time
from pathlib import Path

from bench.crypto_engines import Tier
from bench.crypto_lines import Line
from bench.crypto_rates import THREADS, Rates
from bench.figure import ROUNDS
from crypto.files.sealed_file import SealedFiles
from crypto.keyring import WrappedKey
from crypto.provider import KEY_SIZE, Provider

FILE_SIZE = 256 << 20
FILE_LINE = Line("file_seal_mb_per_s", "MB/s", 100, 300, "files", "seal", lambda engine: lambda: 0.0)


class _OneKey:
    """The keyring that sealing asks for a data key."""

    active_version = 1

    def __init__(self, provider: Provider) -> None:
        self._provider, self._kek = provider, os.urandom(KEY_SIZE)

    def new_dek(self) -> bytes:
        return os.urandom(KEY_SIZE)

    def wrap_dek(self, dek: bytes, *, object_id: bytes, kind: str, owner: str) -> WrappedKey:
        nonce = os.urandom(12)
        return WrappedKey(self.active_version, nonce + self._provider.seal(self._kek, nonce, object_id, dek))


def file_seal_rates(tier: Tier, folder: Path) -> Rates:
    """MB/s: by CPU time of the process, which is a rate per core, and by the clock."""
    provider = tier.engines.sm4
    files = SealedFiles(_OneKey(provider), provider, THREADS)  # type: ignore[arg-type]
    source = folder / "film.bin"
    if not source.exists():
        with source.open("wb") as file:
            for _ in range(FILE_SIZE >> 20):
                file.write(os.urandom(1 << 20))
    cpu, wall = [], []
    for number in range(ROUNDS):
        target = folder / f"{tier.mark or 'here'}-{number}.sealed"
        began, spent = time.perf_counter(), time.process_time()
        files.seal(source, target, source.name, lambda done: None)
        wall.append(FILE_SIZE / 1e6 / (time.perf_counter() - began))
        cpu.append(FILE_SIZE / 1e6 / (time.process_time() - spent))
        for left in folder.glob(f"{target.name}*"):
            left.unlink()
    return Rates(cpu, wall)
