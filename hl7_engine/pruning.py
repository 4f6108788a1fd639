"""Old messages are deleted, when what they did is long done; how many there were stays counted (statistics.py).

What was not handled is kept longer, what still waits is never touched. Few rows per transaction, so that messages that
come in meanwhile need not wait. A corrected message may outlive the one that its `origin_id` names.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import peewee

from core import db, personal_data
from core.models import InboundMessage, OutboundMessage
from hl7_engine.message_age import first_id_since

BATCH = 500
_DONE = ("handled", "ignored", "corrected")
_PROBLEMS = ("parked", "refused")


@dataclass(frozen=True)
class Retention:
    """For how many days messages are kept that were handled, and those that were parked or refused."""

    days: int
    problem_days: int


@dataclass(frozen=True)
class Prunable:
    """How many messages are past their time. Of `outgoing` only the content goes: its key makes a payment told once."""

    done: int
    problems: int
    outgoing: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.done + self.problems + self.outgoing


def prunable(retention: Retention, moment: datetime) -> Prunable:
    """What `prune` would take."""
    return Prunable(
        *(
            query.count()
            for query in (
                _past(_DONE, moment - timedelta(days=retention.days)),
                _past(_PROBLEMS, moment - timedelta(days=retention.problem_days)),
                _sent(moment - timedelta(days=retention.days)),
            )
        )
    )


def prune(retention: Retention, moment: datetime) -> int:
    """Take one batch in one transaction; return how many messages it was. Call until it is 0."""
    with db.transaction():
        for states, days in ((_DONE, retention.days), (_PROBLEMS, retention.problem_days)):
            rows = _past(states, moment - timedelta(days=days)).order_by(InboundMessage.id).limit(BATCH)
            ids = [row.id for row in rows]
            if ids:
                return int(InboundMessage.delete().where(InboundMessage.id.in_(ids)).execute())
        sent = _sent(moment - timedelta(days=retention.days)).order_by(OutboundMessage.id).limit(BATCH)
        ids = [row.id for row in sent]
        if not ids:
            return 0
        return int(OutboundMessage.update(body=b"").where(OutboundMessage.id.in_(ids)).execute())


def _past(states: tuple[str, ...], cutoff: datetime) -> "peewee.ModelSelect[InboundMessage]":
    """Came before `cutoff`, and was last acted upon before it, too."""
    return InboundMessage.select(InboundMessage.id).where(
        InboundMessage.state.in_(states),
        InboundMessage.id < first_id_since(cutoff),
        InboundMessage.created_at < cutoff,
        InboundMessage.handled_at.is_null() | (InboundMessage.handled_at < cutoff),
    )


def _sent(cutoff: datetime) -> "peewee.ModelSelect[OutboundMessage]":
    empty = len(personal_data.seal_bytes(b"", "outbound_message.body"))
    return OutboundMessage.select(OutboundMessage.id).where(
        OutboundMessage.state == "sent",
        OutboundMessage.sent_at < cutoff,
        peewee.fn.LENGTH(OutboundMessage.body).coerce(False) > empty,
    )
