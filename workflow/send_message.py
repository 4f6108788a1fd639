"""When a message is owed to a hospital system, then it is sent until that system takes it, or a person has to look."""

from core import problems
from core.errors import Unavailable
from core.models import OutboundMessage
from hl7_engine import outgoing
from workflow.context import Platform


def send_message(platform: Platform, message_id: int) -> None:
    """Deliver one owed message; repeating it after the ACK changes nothing.

    Raises `Unavailable` while the peer is away, or is no longer named by the site: then its messages stay queued.
    """
    peer = OutboundMessage.get_by_id(message_id).peer
    reference = f"nobody:{peer}"
    sender = platform.senders.get(peer)
    if sender is None:
        text = (
            f"messages to {peer} cannot be sent: the site has no peer of this name with send_to; they stay queued. "
            "Name it again in CLOUDFILM_HL7_SITE (CLOUDFILM_HIS_ADDRESS for HIS)"
        )
        problems.note("his", reference, text, peer=peer)
        raise Unavailable(text)
    problems.withdraw("his", reference)
    outgoing.deliver(message_id, sender, platform.settings.outbox_max_attempts)
