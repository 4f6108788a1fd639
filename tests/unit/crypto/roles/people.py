"""A vault database with its accounts, audit and approvals, and a clock that the test moves."""

import base64
import os
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from crypto.providers.portable import PortableProvider
from crypto.roles import accounts as accounts_module
from crypto.roles import totp
from crypto.roles.accounts import Accounts
from crypto.roles.audit_log import AuditLog
from crypto.roles.dual_control import DualControl
from crypto.roles.permissions import Role, Session
from crypto.vault.database import KeyDatabase

PASSWORD = "four words and more"
# argon2id at full cost takes 0.1 s a call; what is tested here is what comes around it.
CHEAP = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_time(self, **units: float) -> None:
        self.at += timedelta(**units)


class Office:
    """Two administrators, an operator, an auditor; `secrets` are their authenticator apps."""

    def __init__(self, database: KeyDatabase, clock: Clock) -> None:
        self.clock = clock
        self.database = database
        self.audit = AuditLog(self.database, self.clock)
        self.dual = DualControl(self.database, os.urandom, self.clock)
        self.accounts = Accounts(self.database, self.audit, PortableProvider(), os.urandom, self.clock)
        self.secrets: dict[str, bytes] = {}

    def hire(self, name: str, role: Role, password: str = PASSWORD) -> Session:
        self.secrets[name] = secret_of(self.accounts.add(name, role, password))
        return Session(name, role)

    def code(self, name: str) -> str:
        return totp.code(self.secrets[name], int(self.clock.at.timestamp() // totp.STEP_SECONDS))


def secret_of(uri: str) -> bytes:
    text = parse_qs(urlsplit(uri).query)["secret"][0]
    return base64.b32decode(text + "=" * (-len(text) % 8))


def make_argon2_cheap(monkeypatch: object) -> None:
    monkeypatch.setattr(accounts_module, "_COST", CHEAP)  # type: ignore[attr-defined]
