"""What the tests of backup and restore do with vaults: a ceremony, an archive, a restore, every secret there is."""

import os
from pathlib import Path

from crypto.provider import KeyPair
from crypto.shamir import Purpose, combine
from crypto.vault.archive import Opened, verify
from crypto.vault.backup import KeyBackup
from crypto.vault.records import KeyRecord, Kind
from crypto.vault.restore import KeyRestore
from crypto.vault.vault import KeyVault
from tests.fixtures.key_vault import ENGINES, OTHER_SYSTEM_KEY, now


def no_progress(done: int, total: int) -> None:
    assert 0 <= done <= total


def backup_of(vault: KeyVault) -> KeyBackup:
    return KeyBackup(vault, ENGINES, now, os.urandom)


def ceremony(vault: KeyVault, needed: int = 2, made: int = 3) -> bytes:
    """Hold one; the backup key as its holders would give it back."""
    sets = backup_of(vault).sets
    held = sets.begin(needed, made)
    sets.finish(held, now().isoformat())
    return combine(held.shares[-needed:], Purpose.BACKUP_KEY)


def restore(path: Path, archive: Opened, backup_key: bytes, system_key: bytes = OTHER_SYSTEM_KEY) -> None:
    target = KeyRestore(path, ENGINES, now, os.urandom)
    target.restore(archive, backup_key, system_key, no_progress)


def opened_archive(path: Path) -> Opened:
    return verify(path, ENGINES.sm2, no_progress)


def secrets_of(vault: KeyVault) -> dict[str, bytes | KeyPair | None]:
    """Every secret of the vault by key id; None for tombstones. Raises when one does not open."""
    return {"root": vault.root()} | {record.id: _secret(vault, record) for record in vault.records()}


def _secret(vault: KeyVault, record: KeyRecord) -> bytes | KeyPair | None:
    if record.state == "destroyed":
        return None
    if record.kind is Kind.KEK:
        return vault.kek(record.owner, record.version).key
    if record.kind is Kind.SM4:
        return vault.symmetric(record.id, "decrypt")
    return vault.pair(record.id, "verify" if record.purpose == "sign" else "decrypt")
