"""Messages that we owe a peer: recorded with the change that they tell of, delivered until accepted.

What is about one order (or patient) leaves in the order in which it was owed; other orders and other peers do not wait. A
peer that is away is tried for ever. One that answers and does not want a message is asked some times more, then the message
is parked for a person and the later ones go on.
"""

from collections.abc import Callable
from datetime import timedelta

from core import db, failpoints, outbox
from core.clock import now
from core.errors import NotYet, Refused, Unavailable
from core.logs import mask_text
from core.models import OutboundMessage, OutboxEvent
from crypto.sm3 import sm3
from hl7_engine.acknowledge import POSITIVE, AckResult
from hl7_engine.errors import INTERNAL, Rejected
from hl7_engine.outgoing_store import KIND
from hl7_engine.sender import Sender

_REASON_LENGTH = 200
_ERROR_LENGTH = 500
_KEY_LENGTH = 96
_STREAM_DIGITS = 24
_ONCE_MORE = timedelta(minutes=10)
# "Rejected" with an internal error: the peer cannot take anything now (v2.5.1 chapter 2.9.2.2, table 0357).
_NOT_NOW = frozenset({"AR", "CR"})


class Unwanted(Refused):
    """The peer has refused the message as often as it was asked to take it."""


def queue(
    peer: str, key: str, message_type: str, build: Callable[[str], bytes], *, stream_key: str = ""
) -> None:
    """Owe the peer of this name one message per `key`; call in the transaction of the change. `build` gets the control id.

    Messages of one `stream_key` (an order's number) stay in order. The control id follows from peer and key: whatever
    happens in between, a peer that remembers ids takes it once.
    """
    stored_key = _stored_key(peer, key)
    if OutboundMessage.select().where(OutboundMessage.key == stored_key).exists():
        return
    control_id = f"CF{sm3(stored_key.encode()).hex()[:18].upper()}"
    message_id = OutboundMessage.add_if_new(
        peer=peer,
        key=stored_key,
        message_type=message_type,
        control_id=control_id,
        body=build(control_id),
    )
    if message_id is None:
        return
    stream = f"{peer}:{sm3(stream_key.encode()).hex()[:_STREAM_DIGITS]}" if stream_key else ""
    outbox.record("send_his", stored_key, {"message_id": message_id}, stream=stream)


def deliver(message_id: int, sender: Sender, max_attempts: int) -> None:
    """Send and note the answer. Once accepted it is not sent again.

    Raises `Rejected` when the peer does not want it, `Unwanted` when it still does not after `max_attempts`,
    `Unavailable` when it did not answer or cannot take anything now. The attempts while it was away count as well, so the
    first refusal after them raises `NotYet`: a HIS that has just come back may refuse what it takes a little later.
    """
    message = OutboundMessage.get_by_id(message_id)
    if message.state == "sent":
        return
    if message.state == "parked":
        raise Unwanted(message.error)
    failpoints.passing("his.before_send")
    answer = sender.send(message.body)
    failpoints.passing("his.after_ack")
    reason = mask_text(answer.text)[:_REASON_LENGTH] or "without a reason"
    text = f"{message.peer} answered {answer.code} to {message.control_id}: {reason}"
    if answer.code in POSITIVE:
        _note(message_id, answer, state="sent", sent_at=now(), error="")
    elif answer.code in _NOT_NOW and answer.condition == INTERNAL:
        _note(message_id, answer, error=text[:_ERROR_LENGTH])
        raise Unavailable(text)
    elif _attempts(message) < max_attempts:
        _note(message_id, answer, error=text[:_ERROR_LENGTH])
        raise Rejected(text)
    elif message.ack_code == "":
        _note(message_id, answer, error=text[:_ERROR_LENGTH])
        raise NotYet(now() + _ONCE_MORE, text)
    else:
        _note(message_id, answer, state="parked", error=text[:_ERROR_LENGTH])
        raise Unwanted(text)


def _stored_key(peer: str, key: str) -> str:
    """Unique over all peers, and never longer than its column."""
    whole = f"{key}@{peer}"
    if len(whole) <= _KEY_LENGTH:
        return whole
    digest = sm3(whole.encode()).hex()[:40]
    return f"{whole[: _KEY_LENGTH - len(digest) - 1]}:{digest}"


def _attempts(message: OutboundMessage) -> int:
    """How often its work was begun, this time included."""
    work = OutboxEvent.get_or_none(OutboxEvent.kind == KIND, OutboxEvent.key == message.key)
    return work.attempts if work else 0


def _note(message_id: int, answer: AckResult, **columns: object) -> None:
    with db.transaction():
        OutboundMessage.update(ack_code=answer.code[:2], **columns).where(
            OutboundMessage.id == message_id, OutboundMessage.state != "sent"
        ).execute()
