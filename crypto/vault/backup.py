"""All keys of a vault into one archive, while it is in use (H2.6).

The archive holds the database as it was at one moment and the key that its rows are wrapped by (derived from the system
key, which is not in it). It gets its name when it is whole, on the disk, and read back; a kill before that leaves a hidden
part, which the next backup removes before it begins anew.
"""

import io
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

from crypto.errors import KeyRefused
from crypto.provider import RandomBytes
from crypto.vault.archive import Body, Progress, verify, write_body, write_end
from crypto.vault.backup_sets import BackupSet, BackupSets
from crypto.vault.identity import SCHEMA_VERSION
from crypto.vault.manifest import Manifest
from crypto.vault.snapshot import (
    Inventory,
    alone,
    clear_unfinished,
    copy_database,
    publish,
    take_inventory,
    unfinished,
)
from crypto.vault.vault import KeyVault
from crypto.vault.wrapping import VaultEngines


class KeyBackup:
    """Backups of one unsealed vault."""

    def __init__(
        self, vault: KeyVault, engines: VaultEngines, now: Callable[[], datetime], random: RandomBytes
    ) -> None:
        self._vault = vault
        self._engines = engines
        self._now = now
        self._random = random
        self.sets = BackupSets(vault)

    def write(self, path: Path, progress: Progress) -> Manifest:
        """Write a new archive at `path`, for the shares of the standing set.

        `progress` is told bytes done and in all, twice: while sealing, and while reading back. Raises `KeyRefused`: there
        is no set yet, `path` exists, or another backup runs; `VaultSealed`; `OSError` when the disk is full.
        """
        standing = self.sets.standing()
        if standing is None:
            raise KeyRefused("no backup key was split yet: begin with `keys backup --new-shares 3/5 PATH`")
        if path.exists():
            raise KeyRefused(f"{path} exists; it is not overwritten: name another file")
        source = self._vault.database.path
        with alone(source, "a backup"):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Named after the vault: archives have a new name every night, and what was left of one is to be found.
            place = path.with_name(f"{self._vault.set_id[:8]}.cfkeys")
            for left in (source, place):
                clear_unfinished(left)
            copy, part = unfinished(source, "copy"), unfinished(place, "archive")
            try:
                return self._write(standing, copy, part, path, progress)
            finally:
                copy.unlink(missing_ok=True)
                part.unlink(missing_ok=True)

    def _write(self, standing: BackupSet, copy: Path, part: Path, path: Path, progress: Progress) -> Manifest:
        signer = self.sets.signer()
        wrapping_key = self._vault.wrapping_key()
        copy_database(self._vault.database, copy)
        self._require_opens(copy, wrapping_key)
        inventory = take_inventory(copy)
        length = len(wrapping_key) + copy.stat().st_size
        with copy.open("rb") as database, _new_file(part) as sink:
            content = cast(BinaryIO, _Content(wrapping_key, database, lambda done: progress(done, length)))
            body = write_body(sink, content, length, self.sets.key(standing), self._engines.sm4)
            manifest = self._manifest(body, inventory, standing, signer)
            write_end(sink, manifest, lambda message: self._sign(signer, message))
        verify(part, self._engines.sm2, progress)
        publish(part, path)
        return manifest

    def _require_opens(self, copy: Path, wrapping_key: bytes) -> None:
        """That copy and key belong together: another process may have changed the system key. Raises `KeyRefused`."""
        vault = KeyVault.open(copy, self._engines, self._now, self._random)
        try:
            vault.unseal_by_wrapping_key(wrapping_key)
            # One file: what is sealed has no log beside it.
            vault.database.connection().execute("PRAGMA journal_mode=DELETE")
        finally:
            vault.close()

    def _manifest(self, body: Body, inventory: Inventory, standing: BackupSet, signer: str) -> Manifest:
        return Manifest(
            archive_id=body.archive_id.hex(),
            vault_id=self._vault.set_id,
            made_at=self._now().isoformat(timespec="seconds"),
            schema_version=SCHEMA_VERSION,
            counts=inventory.counts,
            key_ids_sm3=inventory.key_ids_sm3,
            body_size=body.size,
            body_sm3=body.digest.hex(),
            key_commitment=body.commitment.hex(),
            share_set=standing.share_set,
            shares_needed=standing.needed,
            shares_made=standing.made,
            signer=self._vault.find(signer).public.hex(),
        )

    def _sign(self, signer: str, message: bytes) -> bytes:
        return self._engines.sm2.sign_many([self._vault.pair(signer, "sign")], [message])[0]


class _Content(io.RawIOBase):
    """The wrapping key, then the database, as one stream; tells how much was read."""

    def __init__(self, key: bytes, database: BinaryIO, told: Callable[[int], None]) -> None:
        self._key = key
        self._database = database
        self._told = told
        self._done = 0

    def read(self, size: int = -1) -> bytes:
        head, self._key = self._key[:size], self._key[size:]
        data = head or self._database.read(size)
        self._done += len(data)
        self._told(self._done)
        return data


def _new_file(path: Path) -> BinaryIO:
    return cast(
        BinaryIO, os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")
    )
