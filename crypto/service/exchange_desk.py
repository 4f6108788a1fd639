"""Key exchanges under way, and RSA keys: the handlers of `exchange_contract`, for operators (`roles.operation`)."""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crypto.errors import KeyRefused, ServiceUnavailable
from crypto.roles.audit_log import AuditLog
from crypto.roles.operation import Operation
from crypto.roles.permissions import Session
from crypto.service import exchange_contract as contract
from crypto.service.door import Caller
from crypto.service.endpoint import Message
from crypto.services import CryptoServices
from crypto.sm2.exchange import Agreement, KeyExchange, Peer
from crypto.vault.vault import KeyVault

# The peer answers within a network's time; a person is not in it.
RUN_SECONDS = 60.0
MOST_RUNS = 1000


@dataclass
class _Run:
    session: Session
    began: float
    exchange: KeyExchange
    agreement: Agreement | None = None


class ExchangeDesk:
    """Runs are in memory alone, and forgotten when the vault is sealed. `seconds` is a clock that only goes forward."""

    def __init__(
        self, services: CryptoServices, vault: KeyVault, audit: AuditLog, seconds: Callable[[], float]
    ) -> None:
        self._operation = lambda caller: Operation(services, vault, audit, caller.session)
        self._seconds = seconds
        self._runs: dict[str, _Run] = {}
        self._lock = threading.Lock()

    @property
    def handlers(self) -> Mapping[str, Callable[[Caller, Any], Message]]:
        """By the endpoint's name."""
        return {
            contract.BEGIN.name: self._begin,
            contract.AGREE.name: self._agree,
            contract.CONFIRM.name: self._confirm,
            contract.RSA.name: self._rsa,
        }

    def forget(self) -> None:
        """End every run."""
        with self._lock:
            self._runs.clear()

    def _begin(self, caller: Caller, body: contract.BeginExchange) -> contract.Begun:
        begun = self._operation(caller).begin_exchange(
            body.key_id,
            Peer(body.peer_public, body.peer_user_id),
            is_initiator=body.is_initiator,
            user_id=body.user_id,
        )
        exchange_id = secrets.token_hex(16)
        with self._lock:
            self._forget_old()
            if len(self._runs) >= MOST_RUNS:
                raise ServiceUnavailable(f"{MOST_RUNS} key exchanges are under way: ask again later")
            self._runs[exchange_id] = _Run(caller.session, self._seconds(), begun.run)
        return contract.Begun(exchange_id=exchange_id, public=begun.public)

    def _agree(self, caller: Caller, body: contract.Agree) -> contract.Agreed:
        with self._lock:
            run = self._find(caller, body.exchange_id)
            agreement = run.agreement = run.exchange.agree(body.peer_ephemeral, body.length)
        return contract.Agreed(code=agreement.code)

    def _confirm(self, caller: Caller, body: contract.Confirm) -> contract.ExchangedKey:
        """One try: a wrong code ends the run."""
        with self._lock:
            run = self._find(caller, body.exchange_id)
            if run.agreement is None:
                raise KeyRefused("this key exchange has not come to a key yet: agree first")
            del self._runs[body.exchange_id]
        return contract.ExchangedKey(key=run.agreement.confirm(body.code))

    def _rsa(self, caller: Caller, body: contract.RsaCount) -> contract.NewRsaKeys:
        keys = self._operation(caller).generate_rsa(body.bits, body.count)
        return contract.NewRsaKeys(
            keys=[contract.NewRsaKey(bits=one.bits, weak=one.is_weak, pkcs8=one.pkcs8) for one in keys]
        )

    def _find(self, caller: Caller, exchange_id: str) -> _Run:
        """Another's run is not told from none."""
        self._forget_old()
        run = self._runs.get(exchange_id)
        if run is None or run.session != caller.session:
            raise KeyRefused("there is no such key exchange, or it took longer than a minute: begin anew")
        return run

    def _forget_old(self) -> None:
        now = self._seconds()
        for exchange_id, run in list(self._runs.items()):
            if now - run.began > RUN_SECONDS:
                del self._runs[exchange_id]
