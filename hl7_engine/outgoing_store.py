"""What we owe our peers, for a person to look at: queued, sent, parked; and sending a parked one again.

The work of sending is a row of the outbox with the message's key; it is that row which backs off and is parked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee

from core import audit, db, outbox
from core.errors import Conflict, NotFound, Refused
from core.logs import mask_text
from core.models import OutboundMessage, OutboxEvent

# The kind of outbox row that sends a message (hl7_engine/outgoing.py).
KIND = "send_his"
STATES = ("queued", "parked", "sent")
PAGE_ROWS = 50
LONGEST_REASON = 200

_IS_PARKED = (OutboundMessage.state == "parked") | (OutboxEvent.state == "parked")
_STATE = peewee.Case(None, [(_IS_PARKED, "parked")], OutboundMessage.state)


@dataclass(frozen=True)
class Owed:
    """One message without its body. `error`: why it has not been taken; `next_at`: when it is tried again."""

    id: int
    peer: str
    key: str
    message_type: str
    control_id: str
    state: str
    ack_code: str
    error: str
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    next_at: datetime | None


@dataclass(frozen=True)
class OwedPage:
    """The newest first. `next_before`: go on from here; 0 at the end."""

    rows: list[Owed]
    next_before: int = 0


@dataclass(frozen=True)
class Depth:
    """What one peer has not been told yet."""

    queued: int = 0
    oldest_at: datetime | None = None
    parked: int = 0


def list_owed(state: str = "", peer: str = "", *, before: int = 0, limit: int = PAGE_ROWS) -> OwedPage:
    """The newest messages in this state for this peer (empty: any), of those with ids below `before`."""
    query = _with_work().order_by(OutboundMessage.id.desc())
    if before:
        query = query.where(OutboundMessage.id < before)
    if peer:
        query = query.where(OutboundMessage.peer == peer)
    if state == "parked":
        query = query.where(OutboundMessage.state != "sent", _IS_PARKED)
    elif state == "queued":
        query = query.where(OutboundMessage.state == "queued", _STATE == "queued")
    elif state:
        query = query.where(OutboundMessage.state == state)
    rows = [_owed(row) for row in query.limit(limit + 1).namedtuples()]
    return OwedPage(rows[:limit], rows[limit - 1].id if len(rows) > limit else 0)


def depths() -> dict[str, Depth]:
    """By peer, what is queued and parked; a peer to which nothing is owed is not in it."""
    rows: Any = (
        OutboundMessage.select(
            OutboundMessage.peer,
            _STATE.alias("shown"),
            peewee.fn.COUNT(OutboundMessage.id),
            peewee.fn.MIN(OutboundMessage.created_at),
        )
        .join(OutboxEvent, peewee.JOIN.LEFT_OUTER, on=_IS_ITS_WORK)
        .where(OutboundMessage.state != "sent")
        .group_by(OutboundMessage.peer, peewee.SQL("shown"))
        .tuples()
    )
    found: dict[str, Depth] = {}
    for peer, state, count, oldest_at in rows:
        known = found.get(peer, Depth())
        if state == "parked":
            found[peer] = Depth(known.queued, known.oldest_at, count)
        else:
            found[peer] = Depth(count, oldest_at, known.parked)
    return found


def resend(outbound_id: int, actor: str, reason: str, *, address: str = "") -> None:
    """Send a parked message again, with fresh attempts. Raises `Conflict` when it is not parked, `NotFound`."""
    told = mask_text(reason.strip())[:LONGEST_REASON]
    if not told:
        raise Refused("请填写原因")
    with db.transaction():
        row = _with_work().where(OutboundMessage.id == outbound_id).namedtuples().first()
        if row is None:
            raise NotFound(f"没有编号为 {outbound_id} 的外发消息")
        if row.shown != "parked" or not outbox.retry(row.work_id):
            raise Conflict("这条消息没有搁置：它会自动重试，不需要重发")
        OutboundMessage.update(state="queued", error="").where(OutboundMessage.id == outbound_id).execute()
        audit.append(
            actor, "resend_outgoing", f"outgoing:{outbound_id}", address=address, detail={"reason": told}
        )


_IS_ITS_WORK = (OutboxEvent.key == OutboundMessage.key) & (OutboxEvent.kind == KIND)


def _with_work() -> "peewee.ModelSelect[OutboundMessage]":
    columns: Iterable[peewee.Field] = (
        OutboundMessage.id,
        OutboundMessage.peer,
        OutboundMessage.key,
        OutboundMessage.message_type,
        OutboundMessage.control_id,
        OutboundMessage.ack_code,
        OutboundMessage.error,
        OutboundMessage.created_at,
        OutboundMessage.sent_at,
    )
    return OutboundMessage.select(
        *columns,
        _STATE.alias("shown"),
        OutboxEvent.id.alias("work_id"),
        OutboxEvent.attempts,
        OutboxEvent.next_at,
        OutboxEvent.last_error,
    ).join(OutboxEvent, peewee.JOIN.LEFT_OUTER, on=_IS_ITS_WORK)


def _owed(row: Any) -> Owed:
    is_open = row.shown != "sent"
    return Owed(
        id=row.id,
        peer=row.peer,
        key=row.key,
        message_type=row.message_type,
        control_id=row.control_id,
        state=row.shown,
        ack_code=row.ack_code,
        error=(row.error or row.last_error or "") if is_open else "",
        attempts=row.attempts or 0,
        created_at=row.created_at,
        sent_at=row.sent_at,
        next_at=row.next_at if row.shown == "queued" else None,
    )
