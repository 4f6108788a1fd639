"""The access record (F10, E25): an append-only SM3 hash chain, written in the transaction that grants the access.

No audit row, no access: the grant and its row commit together or not at all. The chain is evidence of tampering only if
its head is also kept elsewhere; `head()` is what an operator exports.
"""

import json
from typing import Any

from core import db
from core.clock import now
from core.errors import CloudFilmError
from core.models import AuditEvent, AuditHead
from crypto.sm3 import sm3

GENESIS = "0" * 64


class ChainBroken(CloudFilmError):
    """A row of the audit chain was changed, removed or inserted."""


def append(
    actor: str, action: str, subject: str, *, address: str = "", detail: dict[str, Any] | None = None
) -> None:
    """Add one event. `actor` and `subject` are ids (patient:12, staff:3, exam:7), never personal data."""
    with db.transaction():
        AuditHead.insert(id=1, seq=0, row_hash=GENESIS).on_conflict_ignore().execute()
        db.lock(AuditHead(id=1))
        head = AuditHead.get_by_id(1)
        event = AuditEvent(
            seq=head.seq + 1,
            at=now(),
            actor=actor,
            action=action,
            subject=subject,
            address=address,
            detail=json.dumps(detail or {}, ensure_ascii=False, sort_keys=True),
            previous_hash=head.row_hash,
        )
        event.row_hash = _row_hash(event)
        event.save(force_insert=True)
        AuditHead.update(seq=event.seq, row_hash=event.row_hash).where(AuditHead.id == 1).execute()


def verify() -> int:
    """Walk the whole chain; return its length. Raises `ChainBroken` naming the first bad row."""
    previous, seq = GENESIS, 0
    for event in AuditEvent.select().order_by(AuditEvent.seq).iterator():
        seq += 1
        if event.seq != seq or event.previous_hash != previous:
            raise ChainBroken(f"audit row {seq}: it is missing or was moved; compare with the exported heads")
        if event.row_hash != _row_hash(event):
            raise ChainBroken(f"audit row {seq}: its content was changed; compare with the exported heads")
        previous = event.row_hash
    head = AuditHead.get_or_none(AuditHead.id == 1)
    if (head.seq, head.row_hash) != (seq, previous) if head else seq != 0:
        raise ChainBroken(
            f"audit row {seq + 1}: rows were cut off at the end; compare with the exported heads"
        )
    return seq


def head() -> tuple[int, str]:
    """Sequence number and hash of the newest event."""
    row = AuditHead.get_or_none(AuditHead.id == 1)
    return (row.seq, row.row_hash) if row else (0, GENESIS)


def _row_hash(event: AuditEvent) -> str:
    body = json.dumps(
        [
            event.seq,
            event.at.isoformat(timespec="microseconds"),
            event.actor,
            event.action,
            event.subject,
            event.address,
            event.detail,
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return sm3(event.previous_hash.encode() + body.encode()).hex()
