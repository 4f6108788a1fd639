"""A real vault with real engines, of the kind that any machine has."""

import os
from functools import cache
from pathlib import Path

from crypto.providers.gmssl_reference import GmsslReferenceProvider
from crypto.providers.gmssl_sm2 import GmsslSm2
from crypto.providers.openssl_sm2 import OpenSslSm2
from crypto.providers.portable import PortableProvider
from crypto.roles.administration import Administration
from crypto.roles.inspection import Inspection
from crypto.roles.operation import Operation
from crypto.roles.permissions import Role, Session
from crypto.selection import Candidate, Engines, select
from crypto.services import CryptoServices
from crypto.vault.vault import KeyVault
from tests.unit.crypto.roles.people import Clock, Office

SYSTEM_KEY = bytes(range(16))


@cache
def engines() -> Engines:
    return select(
        [
            Candidate("portable", PortableProvider),
            Candidate("openssl", lambda: OpenSslSm2(os.urandom)),
            Candidate("gmssl", lambda: GmsslSm2(os.urandom)),
            Candidate("gmssl-reference", GmsslReferenceProvider),
        ],
        print,
    )


class KeyRoom(Office):
    """An office with a vault, unsealed; two administrators, an operator, an auditor are there."""

    def __init__(self, path: Path) -> None:
        clock = Clock()
        self.vault = KeyVault.create(path / "keys.db", SYSTEM_KEY, engines(), clock, os.urandom)
        super().__init__(self.vault.database, clock)
        self.services = CryptoServices(engines(), os.urandom)
        self.first = self.hire("first", Role.ADMINISTRATOR)
        self.second = self.hire("second", Role.ADMINISTRATOR)
        self.clerk = self.hire("clerk", Role.OPERATOR)
        self.auditor = self.hire("auditor", Role.AUDITOR)

    def administration(self, session: Session | None = None) -> Administration:
        return Administration(
            self.vault, self.accounts, self.dual, self.audit, self.services, session or self.first
        )

    def operation(self, session: Session | None = None) -> Operation:
        return Operation(self.services, self.vault, self.audit, session or self.clerk)

    def inspection(self, session: Session | None = None) -> Inspection:
        return Inspection(self.vault, self.accounts, self.dual, self.audit, session or self.auditor)

    def approval(self, operation: str, **arguments: str) -> str:
        asked = self.administration().request(operation, arguments, "as planned")
        self.administration(self.second).approve(asked)
        return asked

    def uses(self, key_id: str) -> int:
        return self.vault.find(key_id).uses

    def break_audit(self) -> None:
        with self.database.transaction() as connection:
            connection.execute("DROP TABLE audit_head")
