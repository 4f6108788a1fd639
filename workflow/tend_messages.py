"""When an operator looks after messages, then each look at a person's data and each replay is on record (S3, F10)."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from access.rights import require_operator
from access.sessions import Visitor
from core import audit
from core.db import transaction
from core.models import AuditEvent, Exam, InboundMessage, Staff
from crypto.errors import CryptoError
from hl7_engine import correction, message_store, outgoing_store, replaying
from hl7_engine.explanation import Explanation, explain
from hl7_engine.incoming import Receipt
from hl7_engine.message_store import Criteria, Page
from workflow.context import Platform
from workflow.exam_card import ExamCard, card_of

HISTORY_LINES = 50


@dataclass(frozen=True)
class Line:
    """One event of a message's history. `by` is the person's name as staff know it."""

    at: datetime
    by: str
    action: str
    detail: dict[str, Any]


@dataclass(frozen=True)
class MessageView:
    """One message laid open; `explanation` is None when its body cannot be opened. `exam`: the one that it is about."""

    row: InboundMessage
    explanation: Explanation | None
    exam: ExamCard | None
    history: list[Line]


def search_messages(visitor: Visitor, criteria: Criteria, before: int, address: str) -> Page:
    """One page of what fits, the newest first."""
    require_operator(visitor)
    with transaction():
        page = message_store.search(criteria, before=before)
        detail = {"found": len(page.rows), "looked": page.looked}
        audit.append(visitor.actor, "search_messages", "messages", address=address, detail=detail)
    return page


def open_message(platform: Platform, visitor: Visitor, message_id: int, address: str) -> MessageView:
    """Show one message with all that is in it. Raises `NotFound`."""
    require_operator(visitor)
    with transaction():
        row, explanation = _laid_open(platform, message_id)
        exam = _exam_of(row)
        history = _history(message_id)
        audit.append(visitor.actor, "read_message", replaying.subject_of(message_id), address=address)
        card = card_of(exam, platform.settings.hospital_name) if exam else None
    return MessageView(row, explanation, card, history)


def replay_message(
    platform: Platform, visitor: Visitor, message_id: int, reason: str, address: str
) -> Receipt:
    """Have it acted upon again. Raises `Refused` without a reason, `Conflict` while it waits, `NotFound`."""
    require_operator(visitor)
    return replaying.replay(message_id, visitor.actor, reason, site=platform.site, address=address)


def resend_with_fields(
    platform: Platform, visitor: Visitor, message_id: int, typed: dict[str, str], reason: str, address: str
) -> Receipt:
    """Take the message in anew with other values, by their paths. Raises `Refused`, `Conflict`, `NotFound`."""
    require_operator(visitor)
    row = message_store.find(message_id)
    content = correction.with_fields(row.body, explain(row, platform.site), typed)
    return _resend(platform, visitor, message_id, content, reason, address)


def resend_with_text(
    platform: Platform, visitor: Visitor, message_id: int, typed: str, reason: str, address: str
) -> Receipt:
    """The same with another text as a whole."""
    require_operator(visitor)
    content = correction.with_text(message_store.find(message_id), typed)
    return _resend(platform, visitor, message_id, content, reason, address)


def resend_outgoing(visitor: Visitor, outbound_id: int, reason: str, address: str) -> None:
    """Send a parked message to another system again. Raises `Refused` without a reason, `Conflict`, `NotFound`."""
    require_operator(visitor)
    outgoing_store.resend(outbound_id, visitor.actor, reason, address=address)


def _resend(
    platform: Platform, visitor: Visitor, message_id: int, content: bytes, reason: str, address: str
) -> Receipt:
    return replaying.resend_edited(
        message_id, content, visitor.actor, reason, site=platform.site, address=address
    )


def _laid_open(platform: Platform, message_id: int) -> tuple[InboundMessage, Explanation | None]:
    try:
        row = message_store.find(message_id)
    except CryptoError:
        return message_store.summary(message_id), None
    return row, explain(row, platform.site)


def _exam_of(row: InboundMessage) -> Exam | None:
    if row.accession_number:
        found = Exam.get_or_none(Exam.accession_number == row.accession_number)
        if found is not None:
            return found
    if row.order_number:
        return Exam.get_or_none(Exam.placer_order_number == row.order_number)
    return None


def _history(message_id: int) -> list[Line]:
    events = list(
        AuditEvent.select()
        .where(AuditEvent.subject == replaying.subject_of(message_id))
        .order_by(AuditEvent.seq.desc())
        .limit(HISTORY_LINES)
    )
    ids = {int(event.actor.removeprefix("staff:")) for event in events if event.actor.startswith("staff:")}
    names = {f"staff:{person.id}": person.display_name for person in Staff.select().where(Staff.id.in_(ids))}
    return [
        Line(event.at, names.get(event.actor, event.actor), event.action, json.loads(event.detail))
        for event in events
    ]
