"""Vaults for the tests of this folder: portable engines, a clock that stands still, random bytes of the system."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from crypto.provider import Provider, Sm2Engine, Sm3Lanes
from crypto.providers.openssl_sm2 import OpenSslSm2
from crypto.providers.portable import PortableProvider
from crypto.vault.vault import KeyVault

SYSTEM_KEY = bytes(range(16))
OTHER_SYSTEM_KEY = bytes(range(16, 32))
PORTABLE = PortableProvider()


@dataclass(frozen=True)
class PortableEngines:
    """What every machine has."""

    sm4: Provider
    sm3: Sm3Lanes
    sm2: Sm2Engine


ENGINES = PortableEngines(PORTABLE, PORTABLE, OpenSslSm2(os.urandom))


def now() -> datetime:
    return datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def new_vault(path: Path) -> KeyVault:
    return KeyVault.create(path, SYSTEM_KEY, ENGINES, now, os.urandom)


def opened(path: Path, system_key: bytes = SYSTEM_KEY) -> KeyVault:
    """As another process has it."""
    vault = KeyVault.open(path, ENGINES, now, os.urandom)
    vault.unseal(system_key)
    return vault
