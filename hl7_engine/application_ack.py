"""Owing the application acknowledgement that a sender asked for in MSH-16, once its message was handled or parked.

Writing it costs more than handling the message did, so that is work of its own: the drain only records it.
"""

from functools import partial

from core import outbox
from core.models import InboundMessage
from hl7_engine import charset, outgoing
from hl7_engine.acknowledge import ACCEPTED, ERROR, wants_application_answer
from hl7_engine.er7 import Message
from hl7_engine.read_message import open_er7
from hl7_engine.site import APPLICATION_ACK, ORDER_ANSWER, Peer, Site
from hl7_engine.writing import application_ack
from hl7_engine.writing.application_ack import ORDER_ANSWERS
from hl7_engine.writing.envelope import Envelope


def owe(row: InboundMessage, message: Message, site: Site, error: str = "") -> None:
    """Owe the sender of a stored message its answer: AA, or AE with `error`; call in the transaction of its handling.

    Nothing is owed when the sender asks for none, or the site sends such answers to it by no way. A message that is
    replayed after it was parked is answered again.
    """
    outcome = ERROR if error else ACCEPTED
    peer = site.peer_of(row.peer)
    if _kind_for(peer, message) and wants_application_answer(message.first("MSH"), peer.profile.ack, outcome):
        outbox.record("answer_message", f"{row.id}:{outcome}", {"message_id": row.id, "error": error})


def write(message_id: int, error: str, site: Site) -> None:
    """Write the answer that is owed to this message and queue it for its sender; again changes nothing."""
    row = InboundMessage.get_or_none(InboundMessage.id == message_id)
    if row is None:
        return
    message = Message.parse(charset.decode(row.body).text)
    peer = site.peer_of(row.peer)
    kind = _kind_for(peer, message)
    if not kind:
        return
    build = application_ack.build_order_answer if kind == ORDER_ANSWER else application_ack.build
    message_type = ORDER_ANSWERS[message.type][0] if kind == ORDER_ANSWER else "ACK"
    subject = open_er7(row.body, row.peer, site).subject
    outgoing.queue(
        peer.name,
        f"answer:{message_id}:{ERROR if error else ACCEPTED}",
        message_type,
        partial(build, message, error, envelope=Envelope.of(site, peer)),
        stream_key=subject.stream,
    )


def _kind_for(peer: Peer, message: Message) -> str:
    """The kind of answer that this peer gets to such a message; empty when it gets none."""
    if not peer.send_to:
        return ""
    if message.type in ORDER_ANSWERS and ORDER_ANSWER in peer.receives:
        return ORDER_ANSWER
    return APPLICATION_ACK if APPLICATION_ACK in peer.receives else ""
