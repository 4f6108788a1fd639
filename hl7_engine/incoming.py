"""What a way in hands to the inbox, and what it gets back: the same for MLLP, SOAP, REST, middleware, files."""

from typing import NamedTuple

from hl7_engine.framing import Damage


class Incoming(NamedTuple):
    """One message as it came. HL7 v2 names its sender and itself; of XML and JSON the way in must say both."""

    content: bytes
    # Network address of the peer, or the name of the connector.
    address: str
    # mllp | soap | rest | rabbitmq | redis | folder | view | file
    channel: str = "mllp"
    damage: Damage | None = None
    # er7 | v3 | json
    format: str = "er7"
    peer: str = ""
    # Empty: the same content is the same message.
    control_id: str = ""
    message_type: str = ""
    # The stored message that this one replays or corrects.
    origin_id: int | None = None


class Receipt(NamedTuple):
    """What became of it.

    `state`: stored | known (it came before) | refused (stored to be looked at; the sender must correct it) |
    unavailable (not stored: the sender keeps it and tries again). `answer` is the HL7 v2 acknowledgement; empty for other
    formats, and when the sender wants none.
    """

    state: str
    answer: bytes = b""
    message_id: int | None = None
    control_id: str = ""
    reason: str = ""
    # HL7 table 0357.
    condition: str = ""
