"""Finding stored messages: by number, sender, type, state and time, and by a text inside their sealed bodies.

Bodies are sealed, so a text is looked for by opening the newest candidates one after the other, no more than is bearable
in one request; the page says how far it looked, and goes on from there.
"""

import json
from dataclasses import dataclass, fields
from datetime import datetime

import peewee

from core.errors import NotFound
from core.models import InboundMessage
from crypto.errors import CryptoError
from hl7_engine import charset
from hl7_engine.documents import JSON
from hl7_engine.errors import Undecodable
from hl7_engine.message_age import SLACK, first_id_since

STATES = ("received", "handled", "ignored", "parked", "refused", "corrected")
# What waits for a person.
PROBLEM = "problem"
_PROBLEM_STATES = ("parked", "refused")

PAGE_ROWS = 50
TEXT_CANDIDATES = 2_000
# Reports of 8 MB: then fewer.
TEXT_BYTES = 128 * 1024 * 1024

_NUMBERS = (InboundMessage.patient_number, InboundMessage.order_number, InboundMessage.accession_number)
# Everything but the body.
_SUMMARY = [column for column in InboundMessage._meta.sorted_fields if column is not InboundMessage.body]


@dataclass(frozen=True)
class Criteria:
    """What is looked for; empty means any. `state` is one of `STATES` or `PROBLEM`; times are [since, until).

    `number` is any of the three numbers.
    """

    number: str = ""
    patient_number: str = ""
    order_number: str = ""
    accession_number: str = ""
    peer: str = ""
    channel: str = ""
    message_type: str = ""
    state: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether every message fits."""
        return not any(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True)
class Page:
    """Rows without their bodies, the newest first. `next_before`: go on from here; 0 at the end.

    `looked`: how many bodies were opened for a text; 0 when none was asked for.
    """

    rows: list[InboundMessage]
    next_before: int = 0
    looked: int = 0


def search(criteria: Criteria, *, before: int = 0, limit: int = PAGE_ROWS) -> Page:
    """The newest messages that fit, of those with ids below `before` (0: of all)."""
    query = _matching(criteria, before)
    if criteria.text:
        return _with_text(query, criteria.text, limit)
    rows = list(query.limit(limit + 1))
    return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else 0)


def find(message_id: int) -> InboundMessage:
    """One message with its body. Raises `NotFound`, or `CryptoError` when the body cannot be opened."""
    row = _required(InboundMessage.select().where(InboundMessage.id == message_id).first(), message_id)
    _ = row.body  # opened here, where callers expect what may be wrong with it
    return row


def summary(message_id: int) -> InboundMessage:
    """One message without its body. Raises `NotFound`."""
    return _required(
        InboundMessage.select(*_SUMMARY).where(InboundMessage.id == message_id).first(), message_id
    )


def _required(row: InboundMessage | None, message_id: int) -> InboundMessage:
    if row is None:
        raise NotFound(f"没有编号为 {message_id} 的消息，可能已过保存期")
    return row


def _matching(criteria: Criteria, before: int) -> "peewee.ModelSelect[InboundMessage]":
    query = InboundMessage.select(*_SUMMARY).order_by(InboundMessage.id.desc())
    if before:
        query = query.where(InboundMessage.id < before)
    for column in ("patient_number", "order_number", "accession_number", "peer", "channel"):
        value = getattr(criteria, column)
        if value:
            query = query.where(getattr(InboundMessage, column) == value)
    if criteria.number:
        of_any = [column == criteria.number for column in _NUMBERS]
        query = query.where(of_any[0] | of_any[1] | of_any[2])
    if criteria.message_type:
        wanted = criteria.message_type
        with_event = InboundMessage.message_type.startswith(f"{wanted}^")
        query = query.where((InboundMessage.message_type == wanted) | with_event)
    if criteria.state == PROBLEM:
        query = query.where(InboundMessage.state.in_(_PROBLEM_STATES))
    elif criteria.state:
        query = query.where(InboundMessage.state == criteria.state)
    if criteria.since:
        query = query.where(
            InboundMessage.id >= first_id_since(criteria.since), InboundMessage.created_at >= criteria.since
        )
    if criteria.until:
        # An id from which on all are younger: the slack, this time on the other side.
        query = query.where(
            InboundMessage.id < first_id_since(criteria.until + 2 * SLACK),
            InboundMessage.created_at < criteria.until,
        )
    return query


def _with_text(query: "peewee.ModelSelect[InboundMessage]", text: str, limit: int) -> Page:
    rows: list[InboundMessage] = []
    looked = size = 0
    candidates = list(query.limit(TEXT_CANDIDATES + 1))
    for row in candidates[:TEXT_CANDIDATES]:
        body = _body_of(row.id)
        looked += 1
        size += len(body)
        if _contains(body, row, text):
            rows.append(row)
        if len(rows) == limit or size > TEXT_BYTES:
            break
    more = looked < len(candidates)
    return Page(rows, candidates[looked - 1].id if more else 0, looked)


def _body_of(message_id: int) -> bytes:
    """Empty when it cannot be opened, or has just been pruned: then it holds no text for anybody."""
    try:
        row = InboundMessage.select(InboundMessage.body).where(InboundMessage.id == message_id).first()
        return row.body if row else b""
    except CryptoError:
        return b""


def _contains(body: bytes, row: InboundMessage, text: str) -> bool:
    """Bytes first, which is quick; then decoded, since a character of GB18030 may end and begin inside others.

    Without `^`, on both sides: a message has 张^珅東 where a person types 张珅東.
    """
    folded = body.lower().replace(b"^", b"")
    spellings = {text.encode(name, "ignore") for name in (charset.UTF_8, charset.GB18030)}
    # JSON may spell Chinese as \uXXXX.
    escaped = json.dumps(text)[1:-1].lower()
    if row.format == JSON and escaped.encode() in folded:
        return True
    if not any(spelling and spelling.lower().replace(b"^", b"") in folded for spelling in spellings):
        return False
    return text.lower().replace("^", "") in decoded(body, row.charset).lower().replace("^", "")


def decoded(body: bytes, charset_name: str) -> str:
    """The text of a body, as it was found to be spelled; what cannot be decoded is replaced."""
    try:
        return body.decode(charset_name) if charset_name else charset.decode(body).text
    except (Undecodable, UnicodeDecodeError, LookupError):
        return body.decode(charset.GB18030, errors="replace")
