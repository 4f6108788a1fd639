"""Messages that we owe a peer: recorded with the change that they tell of, delivered until accepted."""

from collections.abc import Callable

from core import db, failpoints, outbox
from core.clock import now
from core.logs import mask_text
from core.models import OutboundMessage
from crypto.sm3 import sm3
from hl7_engine.errors import Rejected
from hl7_engine.sender import Sender

STREAM = "his"
_ACCEPTED = ("AA", "CA")
_REASON_LENGTH = 200


def queue(peer: str, key: str, message_type: str, build: Callable[[str], bytes]) -> None:
    """Owe `peer` one message per `key`; call in the transaction of the change. `build` gets the control id.

    The control id follows from the key: whatever happens in between, a peer that remembers ids takes it once.
    """
    if OutboundMessage.select().where(OutboundMessage.key == key).exists():
        return
    control_id = f"CF{sm3(key.encode()).hex()[:18].upper()}"
    OutboundMessage.insert(
        peer=peer,
        key=key,
        message_type=message_type,
        control_id=control_id,
        body=build(control_id),
        created_at=now(),
    ).on_conflict_ignore().execute()
    row = OutboundMessage.select(OutboundMessage.id).where(OutboundMessage.key == key).get()
    outbox.record("send_his", key, {"message_id": row.id}, stream=STREAM)


def deliver(message_id: int, sender: Sender) -> None:
    """Send and note the answer. Once accepted it is not sent again.

    Raises `Rejected` when the peer does not want it, `Unavailable` when it did not answer.
    """
    message = OutboundMessage.get_by_id(message_id)
    if message.state == "sent":
        return
    failpoints.passing("his.before_send")
    answer = sender.send(message.body)
    failpoints.passing("his.after_ack")
    accepted = answer.code in _ACCEPTED
    with db.transaction():
        OutboundMessage.update(
            ack_code=answer.code[:2],
            state="sent" if accepted else "queued",
            sent_at=now() if accepted else None,
        ).where(OutboundMessage.id == message_id, OutboundMessage.state != "sent").execute()
    if not accepted:
        reason = mask_text(answer.text)[:_REASON_LENGTH] or "without a reason"
        raise Rejected(f"{message.peer} answered {answer.code} to {message.control_id}: {reason}")
