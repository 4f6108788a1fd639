"""A stored message takes effect: read, acted on and marked as handled, all in one transaction."""

import structlog

from core import db, failpoints
from core.bus import Bus
from core.clock import now
from core.errors import Conflict, Refused
from core.logs import get_logger, mask_text
from core.models import InboundMessage
from hl7_engine import charset
from hl7_engine.er7 import Message
from hl7_engine.router import Router

_ERROR_LENGTH = 500

_log = get_logger("hl7_engine")


def handle(message_id: int, bus: Bus, router: Router) -> None:
    """Act on one message, once. What cannot be read or applied is parked with its reason, without any effect.

    Other errors (a dependency is away) leave it as received and are raised: the relay tries again.
    """
    with db.connection(), structlog.contextvars.bound_contextvars(message=message_id):
        try:
            with db.transaction():
                # First, so that of two workers with the same message the second waits and finds it done.
                if not _leave_received(message_id, state="handled", handled_at=now()):
                    return
                message = _read_back(message_id)
                for command in router.read(message):
                    bus.submit(command)
                failpoints.passing("hl7.before_handled")
        except (Refused, Conflict) as error:
            reason = mask_text(str(error))[:_ERROR_LENGTH]
            with db.transaction():
                _leave_received(message_id, state="parked", error=reason)
            _log.warning("message_parked", why=reason)


def _leave_received(message_id: int, **columns: object) -> bool:
    return bool(
        InboundMessage.update(**columns)
        .where(InboundMessage.id == message_id, InboundMessage.state == "received")
        .execute()
    )


def _read_back(message_id: int) -> Message:
    row = InboundMessage.select(InboundMessage.body).where(InboundMessage.id == message_id).get()
    return Message.parse(charset.decode(row.body).text)
