"""Vaults of two machines for the tests of backup and restore: portable engines, a clock that stands still."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from crypto.provider import KEY_SIZE, KeyPair, Provider, Sm2Engine, Sm3Lanes
from crypto.providers.openssl_sm2 import OpenSslSm2
from crypto.providers.portable import PortableProvider
from crypto.shamir import Purpose, combine
from crypto.vault.archive import Opened, verify
from crypto.vault.backup import KeyBackup
from crypto.vault.records import KeyRecord, Kind
from crypto.vault.restore import KeyRestore
from crypto.vault.vault import KeyVault

SYSTEM_KEY = bytes(range(16))
NEW_SYSTEM_KEY = bytes(range(100, 116))


@dataclass(frozen=True)
class PortableEngines:
    """Real answers on any machine."""

    sm4: Provider
    sm3: Sm3Lanes
    sm2: Sm2Engine


ENGINES = PortableEngines(PortableProvider(), PortableProvider(), OpenSslSm2(os.urandom))


def now() -> datetime:
    return datetime(2026, 11, 24, 20, 0, tzinfo=UTC)


def no_progress(done: int, total: int) -> None:
    assert 0 <= done <= total


def new_vault(directory: Path, system_key: bytes = SYSTEM_KEY) -> KeyVault:
    return KeyVault.create(directory / "keys.db", system_key, ENGINES, now, os.urandom)


def open_vault(directory: Path, system_key: bytes) -> KeyVault:
    vault = KeyVault.open(directory / "keys.db", ENGINES, now, os.urandom)
    vault.unseal(system_key)
    return vault


def backup_of(vault: KeyVault) -> KeyBackup:
    return KeyBackup(vault, ENGINES, now, os.urandom)


def ceremony(vault: KeyVault, needed: int = 2, made: int = 3) -> bytes:
    """Hold one; the backup key as its holders would give it back."""
    sets = backup_of(vault).sets
    held = sets.begin(needed, made)
    sets.finish(held, now().isoformat())
    return combine(held.shares[-needed:], Purpose.BACKUP_KEY)


def restore(directory: Path, archive: Opened, backup_key: bytes, system_key: bytes = NEW_SYSTEM_KEY) -> None:
    target = KeyRestore(directory / "keys.db", ENGINES, now, os.urandom)
    target.restore(archive, backup_key, system_key, no_progress)


def opened(path: Path) -> Opened:
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
        key = vault.symmetric(record.id, "decrypt")
        assert len(key) == KEY_SIZE
        return key
    return vault.pair(record.id, "verify" if record.purpose == "sign" else "decrypt")
