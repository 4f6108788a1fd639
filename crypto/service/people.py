"""Sessions of persons: password and code once, then a token that ends when it rests, or with the process."""

import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from crypto.roles.accounts import Accounts
from crypto.roles.permissions import Session

IDLE_SECONDS = 900
# A shift.
LIFE_SECONDS = 8 * 3600
_MOST = 256


@dataclass
class _Visit:
    session: Session
    began: float
    used: float


class People:
    """Tokens are kept as digests, in memory alone. `seconds` is a clock that only goes forward."""

    def __init__(self, accounts: Accounts, seconds: Callable[[], float]) -> None:
        self._accounts = accounts
        self._seconds = seconds
        self._visits: dict[bytes, _Visit] = {}
        self._lock = threading.Lock()

    def sign_in(self, account: str, password: str, code: str) -> tuple[str, Session]:
        """A new token. Raises `RoleRefused`."""
        session = self._accounts.sign_in(account, password, code)
        token = secrets.token_urlsafe(32)
        now = self._seconds()
        with self._lock:
            self._forget_old(now)
            if len(self._visits) >= _MOST:
                del self._visits[min(self._visits, key=lambda digest: self._visits[digest].used)]
            self._visits[_digest(token)] = _Visit(session, now, now)
        return token, session

    def session_of(self, token: str) -> Session | None:
        """Whose token this is; None when nobody's, or no longer."""
        now = self._seconds()
        with self._lock:
            self._forget_old(now)
            visit = self._visits.get(_digest(token))
            if visit is None:
                return None
            visit.used = now
            return visit.session

    def end(self, token: str) -> None:
        """This token is worth nothing any more."""
        with self._lock:
            self._visits.pop(_digest(token), None)

    def _forget_old(self, now: float) -> None:
        for digest, visit in list(self._visits.items()):
            if now - visit.used > IDLE_SECONDS or now - visit.began > LIFE_SECONDS:
                del self._visits[digest]


def _digest(token: str) -> bytes:
    """A digest of 256 random bits is found by looking it up: its time tells nothing of the token."""
    return hashlib.sha256(token.encode()).digest()
