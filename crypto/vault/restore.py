"""An archive back into a vault, on a machine that has none, under a new system key (H2.6).

Everything is done beside the place where the vault shall lie; it gets its name last. So before that there is no vault, and
nothing that looks like one: wrong shares, an altered archive, a full disk or a kill leave at most a hidden part, which the
next try removes.
"""

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from crypto.errors import KeyRefused, SealBroken
from crypto.provider import KEY_SIZE, RandomBytes
from crypto.vault.archive import Opened, Progress, read_body
from crypto.vault.identity import SCHEMA_VERSION
from crypto.vault.manifest import Manifest
from crypto.vault.snapshot import Inventory, alone, clear_unfinished, publish, take_inventory, unfinished
from crypto.vault.vault import KeyVault
from crypto.vault.wrapping import VaultEngines

# SQLite plays a log of this name into whatever database it finds beside it, another vault's too.
_COMPANIONS = ("-wal", "-shm", "-journal")


class KeyRestore:
    """Restores at `path`, where no vault is."""

    def __init__(
        self, path: Path, engines: VaultEngines, now: Callable[[], datetime], random: RandomBytes
    ) -> None:
        self._path = path
        self._engines = engines
        self._now = now
        self._random = random

    def require_empty(self) -> None:
        """Raises `KeyRefused` when there is a vault: it would be the end of the keys that only it has."""
        if self._path.exists():
            raise KeyRefused(
                f"there is a vault at {self._path}; restore on a machine without one, or move that file away first, "
                f"and those that begin with its name"
            )
        for end in _COMPANIONS:
            left = self._path.with_name(self._path.name + end)
            if left.exists():
                raise KeyRefused(
                    f"{left} is left of another vault, whose last changes it holds: move it to where that vault is"
                )

    def restore(
        self,
        archive: Opened,
        backup_key: bytes,
        system_key: bytes,
        progress: Progress,
        record: Callable[[KeyVault], None] = lambda vault: None,
    ) -> None:
        """Put the keys of a verified archive under `system_key`, a new one; the vault is then at its path, closed.

        `progress` is told bytes read and in all. `record` may write into the vault before it gets its name. Raises
        `ShareRefused`, `SealBroken`, `KeyRefused`.
        """
        _require_version(archive.manifest)
        with alone(self._path, "a restore"):
            self.require_empty()
            clear_unfinished(self._path)
            part = unfinished(self._path, "restore")
            try:
                wrapping_key = self._write_database(archive, backup_key, part, progress)
                _require_inventory(take_inventory(part), archive.manifest)
                self._change_system_key(part, archive.manifest, wrapping_key, system_key, record)
                publish(part, self._path)
            finally:
                clear_unfinished(self._path)

    def _write_database(self, archive: Opened, backup_key: bytes, part: Path, progress: Progress) -> bytes:
        pieces = read_body(archive, backup_key, self._engines.sm4)
        first = next(pieces, b"")
        if len(first) <= KEY_SIZE:
            raise SealBroken(f"archive {archive.path} holds no database")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(first[KEY_SIZE:])
            for done in _written(pieces, file.write):
                progress(len(first) + done, archive.manifest.body_size)
        progress(archive.manifest.body_size, archive.manifest.body_size)
        return first[:KEY_SIZE]

    def _change_system_key(
        self,
        part: Path,
        manifest: Manifest,
        wrapping_key: bytes,
        system_key: bytes,
        record: Callable[[KeyVault], None],
    ) -> None:
        vault = KeyVault.open(part, self._engines, self._now, self._random)
        try:
            if vault.set_id != manifest.vault_id:
                raise SealBroken(f"the archive holds vault {vault.set_id[:8]}, its manifest says another")
            vault.unseal_by_wrapping_key(wrapping_key)
            vault.change_system_key(system_key)
            record(vault)
            # One file from here on: what is published has no log beside it.
            vault.database.connection().execute("PRAGMA journal_mode=DELETE")
        finally:
            vault.close()


def _written(pieces: Iterator[bytes], write: Callable[[bytes], int]) -> Iterator[int]:
    done = 0
    for piece in pieces:
        write(piece)
        done += len(piece)
        yield done


def _require_version(manifest: Manifest) -> None:
    if manifest.schema_version != SCHEMA_VERSION:
        raise KeyRefused(
            f"the archive is of version {manifest.schema_version}, this program knows {SCHEMA_VERSION}: "
            "restore with the version that made it, then update"
        )


def _require_inventory(found: Inventory, manifest: Manifest) -> None:
    if found != Inventory(manifest.counts, manifest.key_ids_sm3):
        raise SealBroken("the archive holds other keys than its manifest says; take another copy")
