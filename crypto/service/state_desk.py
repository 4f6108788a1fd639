"""Health, status, unsealing, and persons coming and going: the handlers of `state_contract`."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from crypto.errors import CryptoError
from crypto.roles.audit_log import AuditLog, Event
from crypto.service import state_contract as contract
from crypto.service.door import Caller
from crypto.service.endpoint import Message, Nothing
from crypto.service.people import IDLE_SECONDS, People
from crypto.unsealing import GatheringState, ShareGathering
from crypto.vault.vault import KeyVault

VERSION = "1"

_log = logging.getLogger("crypto.service")


class StateDesk:
    """`engines` are rows of `selection.Engines.report`; `under_way` tells how many requests there are."""

    def __init__(
        self,
        vault: KeyVault,
        gathering: ShareGathering,
        people: People,
        audit: AuditLog,
        engines: list[dict[str, str]],
        seal: Callable[[Caller], None],
        under_way: Callable[[], int],
    ) -> None:
        self._vault = vault
        self._gathering = gathering
        self._people = people
        self._audit = audit
        self._engines = [contract.EngineRow(**row) for row in engines]
        self._seal_by = seal
        self._under_way = under_way

    @property
    def handlers(self) -> Mapping[str, Callable[[Caller, Any], Message]]:
        """By the endpoint's name."""
        return {
            contract.HEALTH.name: self._health,
            contract.STATUS.name: self._status,
            contract.UNSEAL.name: self._unseal,
            contract.SEAL.name: self._seal,
            contract.LOG_IN.name: self._log_in,
            contract.LOG_OUT.name: self._log_out,
        }

    def _health(self, _caller: Caller | None, _body: Nothing) -> contract.Health:
        sealed = self._vault.is_sealed
        return contract.Health(status="sealed" if sealed else "ok", sealed=sealed)

    def _status(self, _caller: Caller, _body: Nothing) -> contract.Status:
        state = self._gathering.state
        return contract.Status(
            sealed=self._vault.is_sealed,
            shares_given=state.given,
            shares_needed=state.needed,
            engines=self._engines,
            keys={f"{kind} {state}": count for (kind, state), count in self._vault.counts().items()},
            requests=self._under_way(),
            version=VERSION,
        )

    def _unseal(self, caller: Caller, body: contract.ShareGiven) -> contract.Unsealing:
        try:
            state = self._gathering.add(body.share)
            if state.is_complete:
                key = self._gathering.take_key()
                # First the row: a vault that opened without one would go on without one.
                self._note(caller, "unseal", "begun")
                self._vault.unseal(key)
                _log.warning("unsealed by %d shares", state.given)
        except CryptoError as error:
            self._note(caller, "unseal", f"failed: {type(error).__name__}")
            raise
        self._note(caller, "unseal", "done" if state.is_complete else "share taken")
        return self._unsealing(state)

    def _seal(self, caller: Caller, _body: Nothing) -> contract.Unsealing:
        self._seal_by(caller)
        _log.warning("sealed by %s", caller.session.account)
        return self._unsealing(self._gathering.state)

    def _log_in(self, _caller: Caller | None, body: contract.LogIn) -> contract.LoggedIn:
        token, session = self._people.sign_in(body.account, body.password, body.code)
        return contract.LoggedIn(token=token, role=session.role, seconds=IDLE_SECONDS)

    def _log_out(self, caller: Caller, _body: Nothing) -> Nothing:
        self._people.end(caller.token)
        return Nothing()

    def _note(self, caller: Caller, operation: str, outcome: str) -> None:
        account, role = caller.session
        self._audit.append(Event(account, role, f"Service.{operation}", "vault", 1, outcome))

    def _unsealing(self, state: GatheringState) -> contract.Unsealing:
        return contract.Unsealing(sealed=self._vault.is_sealed, given=state.given, needed=state.needed)
