"""A person has a stored message acted upon again, as it is or corrected: with a reason, and on record.

Nothing is lost by it: the row keeps its content, a corrected message is a row of its own that names the first.
"""

from core import audit, db
from core.errors import Conflict, Refused
from core.logs import mask_text
from core.models import InboundMessage
from hl7_engine import inbox, message_store
from hl7_engine.incoming import Incoming, Receipt
from hl7_engine.site import STANDARD_SITE, Site

LONGEST_REASON = 200
_REPLAYABLE = ("handled", "ignored", "parked")


def replay(
    message_id: int, actor: str, reason: str, *, site: Site = STANDARD_SITE, address: str = ""
) -> Receipt:
    """Put the message back into the queue; one that was refused goes in at the door again, and may be refused again.

    Raises `Refused` without a reason, `Conflict` while it is waiting anyway, `NotFound`.
    """
    with db.transaction():
        row = message_store.summary(message_id)
        detail: dict[str, object] = {"reason": _required(reason), "was": row.state}
        if row.state == "refused":
            receipt = _accept_anew(row, message_store.find(message_id).body, site)
        else:
            _put_back(row.id, _REPLAYABLE)
            receipt = Receipt("stored", message_id=row.id, control_id=row.control_id)
        if receipt.message_id != row.id:
            detail["new"] = receipt.message_id
        audit.append(actor, "replay_message", subject_of(row.id), address=address, detail=detail)
        return receipt


def resend_edited(
    message_id: int,
    content: bytes,
    actor: str,
    reason: str,
    *,
    site: Site = STANDARD_SITE,
    address: str = "",
) -> Receipt:
    """Take `content` in as a new message made from this one, which stays as it is.

    Raises `Refused` without a reason or when nothing was changed, `NotFound`. What comes of the content is in the receipt.
    """
    with db.transaction():
        row = message_store.find(message_id)
        told = _required(reason)
        if content == row.body:
            raise Refused("内容没有改动：如要原样再处理一次，请用“重放”")
        receipt = _accept_anew(row, content, site)
        if receipt.state == "known":
            raise Conflict("同样内容的消息已经收到过：请在消息列表中查找并重放那一条")
        for subject, detail in (
            (row.id, {"reason": told, "new": receipt.message_id}),
            (receipt.message_id, {"reason": told, "from": row.id, "state": receipt.state}),
        ):
            audit.append(actor, "resend_message", subject_of(subject), address=address, detail=detail)
        return receipt


def subject_of(message_id: int | None) -> str:
    """A message in the access record."""
    return f"message:{message_id}"


def _accept_anew(row: InboundMessage, content: bytes, site: Site) -> Receipt:
    item = Incoming(
        content,
        row.address,
        channel=row.channel,
        format=row.format,
        peer=row.peer,
        # XML and JSON do not name themselves; what does is read from the content.
        control_id=row.control_id if row.format != "er7" else "",
        message_type=row.message_type if row.format != "er7" else "",
        origin_id=row.id,
    )
    (receipt,) = inbox.accept([item], site)
    if receipt.state == "known" and receipt.message_id == row.id:
        # Refused once and readable now: the very same row takes its way.
        _put_back(row.id, ("refused",))
        return Receipt("stored", message_id=row.id, control_id=row.control_id)
    return receipt


def _put_back(message_id: int, from_states: tuple[str, ...]) -> None:
    """Received, as if it had just come. Conditional: two clicks, or a drain at work, put it back once."""
    changed = (
        InboundMessage.update(state="received", attempts=0, error="", next_at=None, handled_at=None)
        .where(InboundMessage.id == message_id, InboundMessage.state.in_(from_states))
        .execute()
    )
    if not changed:
        raise Conflict("这条消息正在等待处理，不需要重放")


def _required(reason: str) -> str:
    told = mask_text(reason.strip())[:LONGEST_REASON]
    if not told:
        raise Refused("请填写原因")
    return told
