"""A key exchange under way belongs to its caller, for a minute, until the vault is sealed."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.errors import KeyRefused
from crypto.roles.audit_log import AuditLog
from crypto.roles.permissions import Role, Session
from crypto.service import exchange_contract as contract
from crypto.service.door import Caller
from crypto.service.exchange_desk import RUN_SECONDS, ExchangeDesk
from crypto.services import CryptoServices
from crypto.vault.vault import KeyVault
from tests.unit.crypto.service.toy_engines import real_engines

pytestmark = pytest.mark.requirement("H2.2")

MINE = Caller(Session("platform", Role.OPERATOR), "")
OTHER = Caller(Session("archive", Role.OPERATOR), "")


class World:
    def __init__(self, path: Path) -> None:
        self.now = 0.0
        engines = real_engines()
        self.vault = KeyVault.create(
            path / "keys.db", bytes(16), engines, lambda: datetime(2030, 1, 1, tzinfo=UTC), os.urandom
        )
        audit = AuditLog(self.vault.database, lambda: datetime(2030, 1, 1, tzinfo=UTC))
        services = CryptoServices(engines, os.urandom)
        self.desk = ExchangeDesk(services, self.vault, audit, lambda: self.now)
        [self.key_id] = self.vault.create_pairs("ward", "encrypt")
        self.peer = services.generate()

    def begin(self) -> contract.Begun:
        body = contract.BeginExchange(key_id=self.key_id, peer_public=self.peer.public, is_initiator=True)
        return self.desk.handlers["begin_exchange"](MINE, body)  # type: ignore[return-value]

    def agree(self, caller: Caller, exchange_id: str) -> object:
        body = contract.Agree(exchange_id=exchange_id, peer_ephemeral=self.peer.public, length=16)
        return self.desk.handlers["agree"](caller, body)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_another_caller_cannot_go_on_with_it(world: World) -> None:
    begun = world.begin()
    with pytest.raises(KeyRefused):
        world.agree(OTHER, begun.exchange_id)
    assert world.agree(MINE, begun.exchange_id)


def test_it_ends_after_a_minute(world: World) -> None:
    begun = world.begin()
    world.now += RUN_SECONDS + 1
    with pytest.raises(KeyRefused):
        world.agree(MINE, begun.exchange_id)


def test_it_ends_when_the_vault_is_sealed(world: World) -> None:
    begun = world.begin()
    world.desk.forget()
    with pytest.raises(KeyRefused):
        world.agree(MINE, begun.exchange_id)
