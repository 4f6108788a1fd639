"""Who comes in: a machine by what its connection shows, a person by a token; both have accounts in the vault."""

from typing import NamedTuple, Protocol

from crypto.roles.accounts import Accounts
from crypto.roles.permissions import Session
from crypto.service.connection import Peer
from crypto.service.machines import Machines
from crypto.service.people import People


class Sealable(Protocol):
    """What the door asks of the vault."""

    @property
    def is_sealed(self) -> bool:
        """Whether the system key is missing."""
        ...


class Caller(NamedTuple):
    """Who asks, as handlers see it."""

    session: Session
    token: str


class ServiceDoor:
    """See `application.Door`."""

    def __init__(self, machines: Machines, people: People, accounts: Accounts, vault: Sealable) -> None:
        self._machines = machines
        self._people = people
        self._accounts = accounts
        self._vault = vault

    @property
    def is_sealed(self) -> bool:
        """Whether the system key is missing."""
        return self._vault.is_sealed

    def account(self, peer: Peer, token: str) -> str:
        """The person of the token, or the machine of the connection. Raises `NotKnown`."""
        if token and (session := self._people.session_of(token)):
            return session.account
        return self._machines.account_of(peer, token)

    def enter(self, account: str, token: str) -> Caller:
        """Raises `RoleRefused` when the account was removed, or never added to the vault's accounts."""
        session = self._people.session_of(token) if token else None
        if session is None:
            return Caller(self._accounts.machine_session(account), "")
        self._accounts.require_active(session)
        return Caller(session, token)
