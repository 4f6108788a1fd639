"""The acknowledgement of the national platform: MCCI_IN000002UV01 (WS/T 500 part 1), AA accepted, AE not.

`acknowledgementDetail/text@value` tells why; receivers show it to people.
"""

from uuid import uuid4

from lxml import etree

from core.clock import now
from hl7_engine.errors import Unreadable
from hl7_engine.times import SHANGHAI
from hl7_engine.v3.facts import numbers
from hl7_engine.v3.tree import Node, parse

ACCEPTED = "AA"
ERROR = "AE"
NAMESPACE = "urn:hl7-org:v3"
_MESSAGE = "2.16.156.10011.2.5.1.1"
_INTERACTION = "2.16.156.10011.2.5.1.2"
_DEVICE = "2.16.156.10011.2.5.1.3"
_OURSELVES = "CLOUDFILM"
_ID_LENGTH = 64


def acknowledge(message: bytes, code: str, text: str, our_name: str = _OURSELVES) -> str:
    """The acknowledgement of `message`, which need not be readable; `code` is AA or AE."""
    root = _opened(message)
    ack = etree.Element(f"{{{NAMESPACE}}}MCCI_IN000002UV01", nsmap={None: NAMESPACE}, ITSVersion="XML_1.0")
    _add(ack, "id", root=_root_of(root) or _MESSAGE, extension=str(uuid4()))
    _add(ack, "creationTime", value=now().astimezone(SHANGHAI).strftime("%Y%m%d%H%M%S"))
    _add(ack, "interactionId", root=_INTERACTION, extension="MCCI_IN000002UV01")
    _add(ack, "processingCode", code="P")
    _add(ack, "processingModeCode")
    _add(ack, "acceptAckCode", code="NE")
    _add_device(ack, "receiver", "RCV", _sender_of(root))
    _add_device(ack, "sender", "SND", our_name)
    acknowledgement = _add(ack, "acknowledgement", typeCode=code)
    _add(
        _add(acknowledgement, "targetMessage"),
        "id",
        root=_root_of(root) or _MESSAGE,
        extension=message_id(root),
    )
    _add(_add(acknowledgement, "acknowledgementDetail"), "text", value=text)
    return str(etree.tostring(ack, encoding="unicode"))


def message_id(root: Node) -> str:
    """The sender's number of the message; empty when it has none."""
    return next((told.value for told in numbers(root)), "")[:_ID_LENGTH]


def _opened(message: bytes) -> Node:
    try:
        return parse(message)
    except Unreadable:
        return Node(None)


def _root_of(root: Node) -> str:
    return next((told.root for told in numbers(root)), "")[:_ID_LENGTH]


def _sender_of(root: Node) -> str:
    told = numbers(root.at("sender/device"))
    return told[0].value[:_ID_LENGTH] if told else ""


def _add_device(ack: etree._Element, name: str, kind: str, value: str) -> None:
    device = _add(_add(ack, name, typeCode=kind), "device", classCode="DEV", determinerCode="INSTANCE")
    _add(_add(device, "id"), "item", root=_DEVICE, extension=value)


def _add(parent: etree._Element, name: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{NAMESPACE}}}{name}", attributes)
