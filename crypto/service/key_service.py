"""The service put together: a vault, its accounts and record, the engines; and what answers for them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from crypto.batcher import GatheringServices
from crypto.keyring import Keyring
from crypto.provider import RandomBytes
from crypto.roles.accounts import Accounts
from crypto.roles.administration import Administration
from crypto.roles.audit_log import AuditLog, Event
from crypto.roles.dual_control import DualControl
from crypto.roles.permissions import Role
from crypto.rsa_keys import RsaKeyGenerator
from crypto.selection import Engines
from crypto.service.application import Application
from crypto.service.contract import ENDPOINTS
from crypto.service.door import Caller, ServiceDoor
from crypto.service.exchange_desk import ExchangeDesk
from crypto.service.keyring_desk import KeyringDesk
from crypto.service.limits import ServiceLimits
from crypto.service.machines import Machines
from crypto.service.management_desk import ManagementDesk
from crypto.service.openapi import describe
from crypto.service.operation_desk import OperationDesk
from crypto.service.people import People
from crypto.service.state_desk import StateDesk
from crypto.service.use_record import UseRecord
from crypto.shamir import Purpose
from crypto.unsealing import ShareGathering
from crypto.vault.vault import KeyVault


class KeyService:
    """One for each process. `now` is aware UTC, `seconds` a clock that only goes forward."""

    def __init__(
        self,
        vault: KeyVault,
        keyring: Keyring,
        engines: Engines,
        machines: Machines,
        random: RandomBytes,
        rsa: RsaKeyGenerator,
        limits: ServiceLimits,
        now: Callable[[], datetime],
        seconds: Callable[[], float],
    ) -> None:
        audit = AuditLog(vault.database, now)
        accounts = Accounts(vault.database, audit, engines.sm4, random, now)
        dual_control = DualControl(vault.database, random, now)
        people = People(accounts, seconds)
        self._vault = vault
        self._audit = audit
        self._accounts = accounts
        self._services = GatheringServices(engines, random, limits.inputs, rsa)
        self._record = UseRecord(audit, seconds)

        exchanges = ExchangeDesk(self._services, vault, audit, seconds)

        def seal(caller: Caller) -> None:
            Administration(vault, accounts, dual_control, audit, self._services, caller.session).seal()
            exchanges.forget()

        state = StateDesk(
            vault,
            ShareGathering(Purpose.SYSTEM_KEY, seconds),
            people,
            audit,
            engines.report(),
            seal,
            lambda: self._application.under_way,
        )
        handlers = {
            **state.handlers,
            **KeyringDesk(keyring, vault.database, audit, self._record).handlers,
            **OperationDesk(self._services, vault, audit).handlers,
            **exchanges.handlers,
            **ManagementDesk(vault, accounts, dual_control, audit, self._services).handlers,
        }
        door = ServiceDoor(machines, people, accounts, vault)
        self._application = Application(ENDPOINTS, handlers, door, limits, seconds, describe(ENDPOINTS))

    @property
    def asgi(self) -> Any:
        """The ASGI application."""
        return self._application.asgi

    @property
    def is_sealed(self) -> bool:
        """Whether the system key is missing."""
        return self._vault.is_sealed

    def add_machine_once(self, name: str) -> None:
        """The machine that is known without a peers file; an administrator's removal of it stays."""
        if all(account.name != name for account in self._accounts.all()):
            self._accounts.add_machine(name)
            self._audit.append(Event("key server", Role.OPERATOR, "Service.add_machine", name))

    def close(self) -> None:
        """Finish what is under way, end the record's blocks, forget the keys."""
        self._application.close()
        self._services.close()
        self._record.close()
        self._vault.close()
