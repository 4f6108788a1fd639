"""The outbox: work recorded in the same transaction as the change it follows from (decision 1).

`record` writes a row. A relay (jobs/) `claim`s due rows, runs their handler, and calls `finish`, `postpone`
or `fail`. Handlers must be idempotent: a row may run again after a crash between its work and `finish`.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import peewee

from core import problems
from core.clock import now
from core.db import is_sqlite, transaction
from core.models import OutboxEvent

BACKOFF_FIRST_SECONDS = 1
BACKOFF_MAX_SECONDS = 600
# A claimed row belongs to its runner this long unless renewed; the relay that holds the lock frees all when
# it starts.
LEASE_SECONDS = 900


@dataclass(frozen=True)
class Work:
    """A claimed outbox row, detached from the database."""

    id: int
    kind: str
    payload: dict[str, Any]
    attempt: int


def record(
    kind: str, key: str, payload: dict[str, Any], *, stream: str = "", not_before: datetime | None = None
) -> None:
    """Ask for `kind` once per `key`; again changes nothing. Call inside the transaction of the change."""
    moment = now()
    OutboxEvent.insert(
        kind=kind,
        key=key,
        payload=json.dumps(payload, ensure_ascii=False, sort_keys=True),
        stream=stream,
        next_at=not_before or moment,
        created_at=moment,
    ).on_conflict_ignore().execute()


def claim(limit: int, *, only: Collection[str] = (), without: Collection[str] = ()) -> list[Work]:
    """Take up to `limit` due rows, oldest first; of each stream only the oldest pending row may be taken.

    `only` and `without` choose kinds, so that quick work need not queue behind slow work.
    """
    moment = now()
    kinds = OutboxEvent.kind.in_(list(only)) if only else OutboxEvent.kind.not_in(list(without))
    older = OutboxEvent.alias()
    blocked = peewee.fn.EXISTS(
        older.select(older.id).where(
            older.stream == OutboxEvent.stream, older.state == "pending", older.id < OutboxEvent.id
        )
    )
    free = OutboxEvent.lease_until.is_null() | (OutboxEvent.lease_until < moment)
    due: Any = (
        OutboxEvent.select()
        .where(
            OutboxEvent.state == "pending",
            OutboxEvent.next_at <= moment,
            free,
            (OutboxEvent.stream == "") | ~blocked,
            kinds,
        )
        .order_by(OutboxEvent.id)
        .limit(limit)
    )
    if not is_sqlite():
        # A row that another transaction holds is taken the next time: waiting for it, we might hold what it waits for.
        due = due.for_update("FOR UPDATE SKIP LOCKED")
    with transaction():
        taken = []
        for row in list(due):
            got = (
                OutboxEvent.update(
                    lease_until=moment + timedelta(seconds=LEASE_SECONDS), attempts=OutboxEvent.attempts + 1
                )
                .where(OutboxEvent.id == row.id, OutboxEvent.state == "pending", free)
                .execute()
            )
            if got:
                taken.append(Work(row.id, row.kind, json.loads(row.payload), row.attempts + 1))
        return taken


def finish(work_id: int) -> None:
    """The work is done; a second call changes nothing."""
    OutboxEvent.update(state="done", done_at=now(), lease_until=None, last_error="").where(
        OutboxEvent.id == work_id, OutboxEvent.state == "pending"
    ).execute()


def postpone(work_id: int, until: datetime) -> None:
    """Not due yet: run again at `until`. Does not count as an attempt."""
    OutboxEvent.update(next_at=until, lease_until=None, attempts=OutboxEvent.attempts - 1).where(
        OutboxEvent.id == work_id, OutboxEvent.state == "pending"
    ).execute()


def fail(work_id: int, attempt: int, error: str, *, max_attempts: int, may_park: bool = True) -> bool:
    """Note a failure: back off exponentially, or park after `max_attempts`; return whether it was parked.

    Without `may_park` the row is tried for ever, at the longest interval: what it needs is away, not wrong.
    """
    parked = may_park and attempt >= max_attempts
    delay = min(BACKOFF_FIRST_SECONDS * 2 ** min(attempt - 1, 20), BACKOFF_MAX_SECONDS)
    OutboxEvent.update(
        state="parked" if parked else "pending",
        next_at=now() + timedelta(seconds=delay),
        attempts=attempt if may_park else min(attempt, max_attempts - 1),
        lease_until=None,
        last_error=error[:500],
    ).where(OutboxEvent.id == work_id, OutboxEvent.state == "pending").execute()
    return parked


def take(work_id: int, attempt: int) -> Work | None:
    """Read a claimed row in the process that runs it; None when it is done, parked or claimed anew."""
    row = _claimed(OutboxEvent.select(), work_id, attempt).first()
    return Work(row.id, row.kind, json.loads(row.payload), row.attempts) if row else None


def leased() -> list[Work]:
    """Every claimed row that nobody has finished."""
    rows = OutboxEvent.select().where(OutboxEvent.state == "pending", OutboxEvent.lease_until.is_null(False))
    return [Work(row.id, row.kind, json.loads(row.payload), row.attempts) for row in rows]


def renew(work_ids: Collection[int]) -> None:
    """These rows are still being worked on: let their leases begin again."""
    OutboxEvent.update(lease_until=now() + timedelta(seconds=LEASE_SECONDS)).where(
        OutboxEvent.id.in_(list(work_ids)),
        OutboxEvent.state == "pending",
        OutboxEvent.lease_until.is_null(False),
    ).execute()


def release(work_id: int, attempt: int, *, counted: bool) -> None:
    """The runner of this attempt is gone: due at once. `counted` when it may have died of the work itself."""
    attempts = attempt if counted else attempt - 1
    _claimed(OutboxEvent.update(lease_until=None, attempts=attempts), work_id, attempt).execute()


def release_all() -> int:
    """Free every lease: only the relay that holds the installation's relay lock may do this, as it starts."""
    return OutboxEvent.update(lease_until=None).where(OutboxEvent.lease_until.is_null(False)).execute()


def bring_forward(kind: str, keys: list[str]) -> None:
    """Make waiting rows due now: what they waited for has happened."""
    if not keys:
        return
    waiting = OutboxEvent.select(OutboxEvent.id).where(
        OutboxEvent.kind == kind, OutboxEvent.key.in_(keys), OutboxEvent.state == "pending"
    )
    with transaction():
        if not is_sqlite():
            # Two that bring the same rows forward wait at the first of them.
            waiting = waiting.order_by(OutboxEvent.id).for_update()
        ids = [row.id for row in waiting]
        OutboxEvent.update(next_at=now()).where(OutboxEvent.id.in_(ids)).execute()


def retry(work_id: int) -> bool:
    """Put a parked row back, with fresh attempts. Returns whether there was one."""
    with transaction():
        problems.withdraw("outbox", str(work_id))
        return bool(
            OutboxEvent.update(state="pending", attempts=0, next_at=now())
            .where(OutboxEvent.id == work_id, OutboxEvent.state == "parked")
            .execute()
        )


def _claimed(query: Any, work_id: int, attempt: int) -> Any:
    return query.where(
        OutboxEvent.id == work_id,
        OutboxEvent.state == "pending",
        OutboxEvent.attempts == attempt,
        OutboxEvent.lease_until.is_null(False),
    )
