"""Two people for what cannot be undone: one administrator asks, another approves, the first then does it, once.

An approval is for this operation with these arguments and no other. It ends after four hours, a working half-day.
"""

import json
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from crypto.errors import RoleRefused
from crypto.provider import RandomBytes
from crypto.roles.permissions import Session
from crypto.vault.database import KeyDatabase

VALID_FOR = timedelta(hours=4)
_ID_SIZE = 8
_SCHEMA = """
CREATE TABLE IF NOT EXISTS approvals (
    id TEXT PRIMARY KEY, operation TEXT NOT NULL, arguments TEXT NOT NULL, reason TEXT NOT NULL,
    requested_by TEXT NOT NULL, expires_at TEXT NOT NULL, approved_by TEXT NOT NULL DEFAULT '',
    ended TEXT NOT NULL DEFAULT ''
)
"""


class Approval(NamedTuple):
    """One request for a second person, as it is shown to that person. `state`: open, approved, used, withdrawn, expired."""

    id: str
    operation: str
    arguments: str
    reason: str
    requested_by: str
    approved_by: str
    expires_at: str
    state: str


class DualControl:
    """The requests of one vault database. Who may ask and approve is `guard`'s business; that they are two is ours."""

    def __init__(self, database: KeyDatabase, random: RandomBytes, now: Callable[[], datetime]) -> None:
        """Makes the table where it is missing. `now` is aware UTC."""
        self._database = database
        self._random = random
        self._now = now
        database.connection().execute(_SCHEMA)

    def request(self, session: Session, operation: str, arguments: dict[str, str], reason: str) -> str:
        """Ask; returns the id that the other one approves. Raises `RoleRefused` without a reason."""
        if not reason.strip():
            raise RoleRefused(f"{operation}: say why, so that the other administrator can judge")
        approval_id = self._random(_ID_SIZE).hex()
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO approvals (id, operation, arguments, reason, requested_by, expires_at) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (approval_id, operation, _text(arguments), reason, session.account, self._stamp(VALID_FOR)),
            )
        return approval_id

    def approve(self, session: Session, approval_id: str) -> Approval:
        """Say yes to another's open request. Raises `RoleRefused` for one's own and for one that is over."""
        with self._database.transaction() as connection:
            approval = self._require(approval_id, "open")
            if approval.requested_by == session.account:
                raise RoleRefused(
                    f"request {approval_id}: {session.account} asked for it; another administrator approves"
                )
            connection.execute(
                "UPDATE approvals SET approved_by = ? WHERE id = ?", (session.account, approval_id)
            )
        return self._find(approval_id)

    def withdraw(self, approval_id: str) -> None:
        """End a request that is open or approved. Raises `RoleRefused` when it is over."""
        with self._database.transaction():
            self._require(approval_id, "open", "approved")
            self._end(approval_id, "withdrawn")

    def use(self, session: Session, approval_id: str, operation: str, arguments: dict[str, str]) -> Approval:
        """Spend an approval. Raises `RoleRefused` unless it is approved, this session's own, and for exactly this."""
        with self._database.transaction():
            approval = self._require(approval_id, "approved")
            if approval.requested_by != session.account:
                raise RoleRefused(
                    f"request {approval_id}: {approval.requested_by} asked for it and may use it"
                )
            if (approval.operation, approval.arguments) != (operation, _text(arguments)):
                raise RoleRefused(
                    f"request {approval_id} is for {approval.operation} {approval.arguments}, not for this; ask anew"
                )
            self._end(approval_id, "used")
        return approval

    def all(self) -> list[Approval]:
        """Every request, the newest last."""
        rows = self._database.connection().execute("SELECT * FROM approvals ORDER BY rowid")
        return [self._approval(row) for row in rows]

    def _require(self, approval_id: str, *states: str) -> Approval:
        approval = self._find(approval_id)
        if approval.state not in states:
            raise RoleRefused(
                f"request {approval_id} is {approval.state}, not {' or '.join(states)}; ask anew"
            )
        return approval

    def _find(self, approval_id: str) -> Approval:
        query = "SELECT * FROM approvals WHERE id = ?"
        row = self._database.connection().execute(query, (approval_id,)).fetchone()
        if row is None:
            raise RoleRefused(
                f"request {approval_id}: there is none; `./cloudfilm keys approvals` shows them"
            )
        return self._approval(row)

    def _end(self, approval_id: str, how: str) -> None:
        self._database.connection().execute("UPDATE approvals SET ended = ? WHERE id = ?", (how, approval_id))

    def _approval(self, row: sqlite3.Row) -> Approval:
        if row["ended"]:
            state = row["ended"]
        elif row["expires_at"] <= self._stamp():
            state = "expired"
        else:
            state = "approved" if row["approved_by"] else "open"
        return Approval(
            row["id"],
            row["operation"],
            row["arguments"],
            row["reason"],
            row["requested_by"],
            row["approved_by"],
            row["expires_at"],
            state,
        )

    def _stamp(self, later: timedelta = timedelta()) -> str:
        return (self._now() + later).isoformat(timespec="microseconds")


def _text(arguments: dict[str, str]) -> str:
    return json.dumps(arguments, sort_keys=True, ensure_ascii=False)
