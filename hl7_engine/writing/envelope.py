"""What all our messages have in common: who writes to whom, in which version and character set (v2.5.1 chapter 2.15.9).

Every message is built and validated as v2.5.1; MSH-12 says the version that the peer expects, in which the fields that we
fill have the same places.
"""

from dataclasses import dataclass
from typing import Any, Self

from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.core import Message, Segment

from core.clock import now
from hl7_engine import charset
from hl7_engine.acknowledge import APPLICATION, ORIGINAL_MODE
from hl7_engine.er7 import escape
from hl7_engine.site import Peer, Site
from hl7_engine.times import format_moment

_STRUCTURE = "2.5.1"


@dataclass(frozen=True)
class Envelope:
    """MSH-3 to 6 and 12, the Python name of the character set, and whether the peer knows only original acknowledgements."""

    application: str = APPLICATION
    facility: str = ""
    receiving_application: str = "HIS"
    receiving_facility: str = ""
    version: str = _STRUCTURE
    charset: str = charset.GB18030
    is_original: bool = False

    @classmethod
    def of(cls, site: Site, peer: Peer) -> Self:
        """For messages to `peer`, in its dialect."""
        return cls(
            application=site.application,
            facility=site.facility,
            receiving_application=peer.application,
            receiving_facility=peer.facility,
            version=peer.profile.version,
            charset=peer.profile.writes,
            is_original=peer.profile.ack == ORIGINAL_MODE,
        )


STANDARD = Envelope()


def new_message(message_type: str, structure: str, control_id: str, envelope: Envelope) -> Any:
    """A message with its header; `message_type` like `DFT^P03`."""
    message = Message(structure, version=_STRUCTURE, validation_level=VALIDATION_LEVEL.STRICT)
    message.msh.msh_3 = escape(envelope.application)
    message.msh.msh_4 = escape(envelope.facility)
    message.msh.msh_5 = escape(envelope.receiving_application)
    message.msh.msh_6 = escape(envelope.receiving_facility)
    message.msh.msh_7 = format_moment(now())
    message.msh.msh_9 = f"{message_type}^{structure}"
    message.msh.msh_10 = control_id
    message.msh.msh_11 = "P"
    message.msh.msh_12 = envelope.version
    if not envelope.is_original:
        message.msh.msh_15 = "AL"
        message.msh.msh_16 = "NE"
    message.msh.msh_17 = "CHN"
    message.msh.msh_18 = charset.declaration(envelope.charset)
    return message


def new_segment(name: str) -> Any:
    """A segment that stands at the end of a message, outside what hl7apy knows of its structure."""
    return Segment(name, version=_STRUCTURE, validation_level=VALIDATION_LEVEL.STRICT)


def to_bytes(message: Any, envelope: Envelope, *last: Any) -> bytes:
    """The validated message with its `last` segments. Raises hl7apy's exceptions."""
    message.validate()
    lines = [str(message.to_er7()).rstrip()]
    for segment in last:
        segment.validate()
        lines.append(segment.to_er7())
    return charset.encode("\r".join(lines) + "\r", envelope.charset)


def fill_patient(pid: Any, name: str, identifiers: tuple[tuple[str, str], ...]) -> None:
    """The numbers, (assigner, value), by which the hospital knows the patient, and the name; nothing that it need not be
    told."""
    pid.pid_1 = "1"
    for assigner, value in identifiers:
        pid.add_field("pid_3").value = f"{escape(value)}^^^{escape(assigner)}^PI"
    pid.pid_5 = f"{escape(name)}^^^^^^L^I"
