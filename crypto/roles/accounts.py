"""Accounts of the key service: people with a password (argon2id) and a one-time code, machines without either.

The secret of the one-time codes is sealed under the key that argon2id makes of the password: the table alone gives neither
factor away, and the seal's tag is the check of the password. Ten guesses in an hour are what lock-out leaves: 5 failures
close an account for 30 minutes, an administrator opens it earlier.
"""

import re
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from argon2.low_level import Type, hash_secret_raw

from crypto.errors import RoleRefused, SealBroken
from crypto.provider import KEY_SIZE, NONCE_SIZE, Provider, RandomBytes
from crypto.roles import totp
from crypto.roles.audit_log import AuditLog, Event
from crypto.roles.permissions import Role, Session
from crypto.vault.database import KeyDatabase

MAX_FAILURES = 5
LOCKED_FOR = timedelta(minutes=30)
MIN_PASSWORD = 12
# RFC 9106 §4, second recommended option: 64 MiB, 3 passes, 4 lanes.
_COST = {"time_cost": 3, "memory_cost": 64 * 1024, "parallelism": 4}
_SALT_SIZE = 16
_SHOWN_NAME = 64
_NAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")
_ISSUER = "CloudFilm keys"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, is_machine INTEGER NOT NULL, salt BLOB, sealed_secret BLOB,
    failures INTEGER NOT NULL DEFAULT 0, locked_until TEXT NOT NULL DEFAULT '', last_step INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL, removed_at TEXT NOT NULL DEFAULT ''
)
"""
_REFUSED = (
    "name, password or code is wrong, the code was used already, or the account is locked: wait for the next code; "
    "an administrator unlocks with `./cloudfilm keys account unlock`"
)


class Account(NamedTuple):
    """One account as it may be shown."""

    name: str
    role: Role
    is_machine: bool
    is_locked: bool
    is_removed: bool


class Accounts:
    """The accounts of one vault database."""

    def __init__(
        self,
        database: KeyDatabase,
        audit: AuditLog,
        sm4: Provider,
        random: RandomBytes,
        now: Callable[[], datetime],
    ) -> None:
        """Makes the table where it is missing. `audit` is in the same database. `now` is aware UTC."""
        self._database = database
        self._audit = audit
        self._sm4 = sm4
        self._random = random
        self._now = now
        database.connection().execute(_SCHEMA)

    def add(self, name: str, role: Role, password: str) -> str:
        """A new person; returns the `otpauth://` address for the authenticator app, which is shown once and not kept.

        Raises `RoleRefused` for a bad or taken name and a short password.
        """
        if len(password) < MIN_PASSWORD:
            raise RoleRefused(f"account {name}: a password has {MIN_PASSWORD} characters or more")
        secret, salt, nonce = (self._random(size) for size in (totp.SECRET_SIZE, _SALT_SIZE, NONCE_SIZE))
        sealed = self._sm4.seal(_key(password, salt), nonce, name.encode(), secret, nonce)
        self._insert(name, role, False, salt, sealed)
        return totp.enrolment_uri(secret, name, _ISSUER)

    def add_machine(self, name: str) -> None:
        """A new operator that is a program: known by the socket or certificate it comes through, not by a password."""
        self._insert(name, Role.OPERATOR, True, None, None)

    def sign_in(self, name: str, password: str, code: str) -> Session:
        """The session of a person; recorded, as is each failure.

        Raises `RoleRefused`, always with the same words and at the same cost, `AuditUnavailable`.
        """
        row = self._begin_attempt(name)
        secret = self._open_secret(name, password, row)
        if row is None or secret is None or not self._take_code(name, row["role"], secret, code):
            self._audit.append(Event(name[:_SHOWN_NAME], "unknown", "sign_in", "", outcome="refused"))
            raise RoleRefused(_REFUSED)
        return Session(name, Role(row["role"]))

    def machine_session(self, name: str) -> Session:
        """The session of a program whose identity the caller has checked. Raises `RoleRefused` when it is no machine."""
        row = self._find(name)
        if row is None or not row["is_machine"]:
            raise RoleRefused(
                f"account {name}: no such machine; add it with `./cloudfilm keys account add --machine`"
            )
        return Session(name, Role(row["role"]))

    def require_active(self, session: Session) -> None:
        """Raises `RoleRefused` when the account was removed or changed after the session began."""
        row = self._find(session.account)
        if row is None or row["role"] != session.role:
            raise RoleRefused(f"account {session.account}: it is no {session.role} any more; sign in again")

    def unlock(self, name: str) -> None:
        """Open a locked account; password and code stay what they were. Raises `RoleRefused` when there is none."""
        self._change(name, "failures = 0, locked_until = ''")

    def remove(self, name: str) -> None:
        """End an account; its name stays taken, so that the record is never about two people. Raises `RoleRefused`."""
        self._change(name, "removed_at = :now")

    def all(self) -> list[Account]:
        """Every account, removed ones too, by name."""
        now = self._stamp()
        rows = self._database.connection().execute("SELECT * FROM accounts ORDER BY name")
        return [
            Account(
                row["name"],
                Role(row["role"]),
                bool(row["is_machine"]),
                row["locked_until"] > now,
                bool(row["removed_at"]),
            )
            for row in rows
        ]

    def administrators(self) -> int:
        """How many can administer: two are needed for dual control."""
        return sum(account.role is Role.ADMINISTRATOR and not account.is_removed for account in self.all())

    def _begin_attempt(self, name: str) -> sqlite3.Row | None:
        """Count the attempt before it is tried: many at once are not more guesses. None: unknown, locked, removed."""
        with self._database.transaction() as connection:
            row = self._find(name)
            if row is None or row["is_machine"] or row["locked_until"] > self._stamp():
                return None
            failures = row["failures"] + 1
            is_last = failures >= MAX_FAILURES
            connection.execute(
                "UPDATE accounts SET failures = ?, locked_until = ? WHERE name = ?",
                (0 if is_last else failures, self._stamp(LOCKED_FOR) if is_last else "", name),
            )
            return row

    def _take_code(self, name: str, role: str, secret: bytes, code: str) -> bool:
        with self._database.transaction() as connection:
            last = connection.execute("SELECT last_step FROM accounts WHERE name = ?", (name,)).fetchone()
            step = totp.matching_step(secret, code, self._now().timestamp(), last["last_step"])
            if step is None:
                return False
            connection.execute(
                "UPDATE accounts SET failures = 0, locked_until = '', last_step = ? WHERE name = ?",
                (step, name),
            )
            self._audit.append(Event(name, role, "sign_in", ""))
        return True

    def _open_secret(self, name: str, password: str, row: sqlite3.Row | None) -> bytes | None:
        key = _key(password, row["salt"] if row else bytes(_SALT_SIZE))
        if row is None:
            return None
        sealed = row["sealed_secret"]
        try:
            return self._sm4.open(key, sealed[:NONCE_SIZE], name.encode(), sealed[NONCE_SIZE:])
        except SealBroken:
            return None

    def _insert(
        self, name: str, role: Role, is_machine: bool, salt: bytes | None, sealed: bytes | None
    ) -> None:
        if not _NAME.fullmatch(name):
            raise RoleRefused(
                f"account {name!r}: a name has 2 to 32 of a-z, 0-9, dot, dash, underscore; first a letter"
            )
        try:
            with self._database.transaction() as connection:
                connection.execute(
                    "INSERT INTO accounts (name, role, is_machine, salt, sealed_secret, created_at) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (name, role, is_machine, salt, sealed, self._stamp()),
                )
        except sqlite3.IntegrityError:
            raise RoleRefused(f"account {name}: the name is or was taken; choose another") from None

    def _find(self, name: str) -> sqlite3.Row | None:
        query = "SELECT * FROM accounts WHERE name = ? AND removed_at = ''"
        row: sqlite3.Row | None = self._database.connection().execute(query, (name,)).fetchone()
        return row

    def _change(self, name: str, assignment: str) -> None:
        with self._database.transaction() as connection:
            changed = connection.execute(
                f"UPDATE accounts SET {assignment} WHERE name = :name AND removed_at = ''",  # noqa: S608
                {"name": name, "now": self._stamp()},
            )
        if not changed.rowcount:
            raise RoleRefused(f"account {name}: there is none; `./cloudfilm keys account list` shows them")

    def _stamp(self, later: timedelta = timedelta()) -> str:
        return (self._now() + later).isoformat(timespec="microseconds")


def _key(password: str, salt: bytes) -> bytes:
    return hash_secret_raw(password.encode(), salt, hash_len=KEY_SIZE, type=Type.ID, **_COST)
