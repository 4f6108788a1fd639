"""One guarded request, the same way everywhere: role, work, record, release.

A refusal and a failure are recorded too. When the record cannot be written, the result is dropped: `AuditUnavailable`.
"""

from collections.abc import Callable
from typing import TypeVar

from crypto.errors import RoleRefused, SealBroken, SignatureRefused
from crypto.roles.audit_log import AuditLog, Event
from crypto.roles.permissions import Right, Session, require
from crypto.sm3 import sm3
from crypto.vault.database import KeyDatabase

# What a request names may come from outside and is kept for ever.
_LONGEST_SUBJECT = 2048
# The key did its work and the answer was no: that is a use, too.
_KEY_WAS_USED = (SealBroken, SignatureRefused)
Result = TypeVar("Result")


class Guard:
    """The requests of one session."""

    def __init__(self, database: KeyDatabase, audit: AuditLog, session: Session) -> None:
        """`database` holds what `change` changes, and is the very object that the audit log writes to.

        Otherwise a change and its row could not be one transaction: raises `ValueError`.
        """
        if database is not audit.database:
            raise ValueError("the audit log must write through the vault's own KeyDatabase object")
        self._database = database
        self._audit = audit
        self._session = session

    def use(
        self,
        operation: str,
        subject: str,
        work: Callable[[], Result],
        count: int = 1,
        also: Callable[[], None] | None = None,
    ) -> Result:
        """What `work` gives, after its row is on the disk; `also` counts uses in the row's transaction.

        Raises `RoleRefused`, `AuditUnavailable`, and what `work` raises.
        """
        self.require(operation, subject, count)
        try:
            result = work()
        except Exception as error:
            counted = also if isinstance(error, _KEY_WAS_USED) else None
            self._record(operation, subject, count, f"failed: {type(error).__name__}", also=counted)
            raise
        self._record(operation, subject, count, also=also)
        return result

    def change(
        self, operation: str, subject: str, work: Callable[[], Result], detail: str = "", count: int = 1
    ) -> Result:
        """What `work` gives; its changes and its row are one transaction: both are there, or neither.

        Raises `RoleRefused`, `AuditUnavailable`, and what `work` raises.
        """
        self.require(operation, subject, count)
        try:
            with self._database.transaction():
                # First the row: when it cannot be written nothing was begun.
                self._record(operation, subject, count, detail=detail)
                return work()
        except Exception as error:
            self._record(operation, subject, count, f"failed: {type(error).__name__}")
            raise

    def long_change(
        self, operation: str, subject: str, work: Callable[[], Result], opening: Callable[[], None]
    ) -> Result:
        """What `work` gives, which has many transactions of its own and may be killed: a row before and a row after.

        `opening` is in the transaction of the first row. Raises `RoleRefused`, `AuditUnavailable`, and what both raise.
        """
        self.require(operation, subject)
        try:
            self._record(operation, subject, 1, "begun", also=opening)
            result = work()
        except Exception as error:
            self._record(operation, subject, 1, f"failed: {type(error).__name__}")
            raise
        self._record(operation, subject, 1)
        return result

    def require(self, operation: str, subject: str, count: int = 1) -> Right:
        """The session's right. A refusal is recorded and raised."""
        try:
            return require(operation, self._session)
        except RoleRefused:
            self._record(operation, subject, count, "refused: role")
            raise

    def _record(
        self,
        operation: str,
        subject: str,
        count: int,
        outcome: str = "done",
        detail: str = "",
        also: Callable[[], None] | None = None,
    ) -> None:
        account, role = self._session
        self._audit.append(
            Event(account, role, operation, _shortened(subject), count, outcome, _shortened(detail)), also
        )


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST_SUBJECT:
        return text
    return f"{text[:_LONGEST_SUBJECT]}… SM3 of all: {sm3(text.encode()).hex()}"
