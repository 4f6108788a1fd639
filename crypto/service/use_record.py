"""The record of what the platform does with its keyring, in blocks: a page of names is fifty uses, not fifty rows.

A block begins with a row, durable before anything is released under it: this account, this operation, at most so many uses
and so many seconds. It ends with a row that has the true number. After a kill the second is missing, and the first is the
upper bound. So there is no use without a record, and the vault's database does not grow by every name that is shown.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from crypto.roles.audit_log import AuditLog, Event
from crypto.roles.guard import Guard
from crypto.roles.permissions import Session
from crypto.vault.database import KeyDatabase

Result = TypeVar("Result")

BLOCK_USES = 4096
BLOCK_SECONDS = 60.0
# What happens for every value of a page. Data keys of objects have a row each.
IN_BLOCKS = frozenset(f"DataKeys.{name}" for name in ("seal_blobs", "open_blobs", "blind_indexes", "derive"))


@dataclass
class _Block:
    session: Session
    operation: str
    began: float
    used: int = 0

    def holds(self, count: int, now: float) -> bool:
        return self.used + count <= BLOCK_USES and now - self.began < BLOCK_SECONDS


class UseRecord:
    """One for each service process. `seconds` is a clock that only goes forward. All raise `AuditUnavailable`."""

    def __init__(self, audit: AuditLog, seconds: Callable[[], float]) -> None:
        self._audit = audit
        self._seconds = seconds
        self._blocks: dict[tuple[Session, str], _Block] = {}
        self._lock = threading.Lock()

    def cover(self, session: Session, operation: str, count: int) -> None:
        """These uses are covered by a durable row when this returns."""
        with self._lock:
            now = self._seconds()
            block = self._blocks.get((session, operation))
            if block is None or not block.holds(count, now):
                if block is not None:
                    self._end(block)
                block = self._begin(session, operation, max(count, BLOCK_USES), now)
            block.used += count

    def close(self) -> None:
        """End every block with its number."""
        with self._lock:
            for block in list(self._blocks.values()):
                self._end(block)

    def _begin(self, session: Session, operation: str, most: int, now: float) -> _Block:
        subject = f"at most {most} uses in {BLOCK_SECONDS:.0f} s"
        self._audit.append(Event(session.account, session.role, operation, subject, 0, "begun"))
        block = self._blocks[session, operation] = _Block(session, operation, now)
        return block

    def _end(self, block: _Block) -> None:
        account, role = block.session
        self._audit.append(Event(account, role, block.operation, "uses since begun", block.used))
        del self._blocks[block.session, block.operation]


class BlockGuard(Guard):
    """A guard that writes the operations of `IN_BLOCKS` down in blocks, before they are done."""

    def __init__(self, database: KeyDatabase, audit: AuditLog, session: Session, record: UseRecord) -> None:
        super().__init__(database, audit, session)
        self._who = session
        self._uses = record

    def use(
        self,
        operation: str,
        subject: str,
        work: Callable[[], Result],
        count: int = 1,
        also: Callable[[], None] | None = None,
    ) -> Result:
        """See `Guard.use`."""
        if operation not in IN_BLOCKS or also is not None:
            return super().use(operation, subject, work, count, also)
        self.require(operation, subject, count)
        self._uses.cover(self._who, operation, count)
        return work()
