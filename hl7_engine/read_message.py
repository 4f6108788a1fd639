"""From a stored message, whatever its format, to the commands that it asks for and the subject that it is about."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from core.models import InboundMessage
from crypto.sm3 import sm3
from hl7_engine import charset, json_commands, v3
from hl7_engine.er7 import Message
from hl7_engine.errors import Unreadable
from hl7_engine.reading.patient import read_numbers
from hl7_engine.reading.source import Source
from hl7_engine.router import Router, standard_router
from hl7_engine.site import Site

# Where a command says what it is about.
_ORDER = "placer_order_number"
_ACCESSION = "accession_number"
_KEY_LENGTH = 64


@dataclass(frozen=True)
class Subject:
    """What a message is about, for ordering and for searching; empty when it does not say."""

    order_number: str = ""
    accession_number: str = ""
    patient_number: str = ""

    @property
    def stream(self) -> str:
        """Messages of one stream are handled as they came: a change must not overtake its order."""
        key = self.order_number or self.accession_number or self.patient_number
        return sm3(key.encode()).hex()[:40] if key else ""


@dataclass(frozen=True)
class Opened:
    """A message that could be decoded; `read` may still find that it makes no sense."""

    subject: Subject
    read: Callable[[], list[object]]
    # HL7 v2 only: what an application acknowledgement is built from.
    message: Message | None = None


def open_message(row: InboundMessage, site: Site) -> Opened:
    """Decode and find the subject. Raises `Unreadable`."""
    if row.format == "er7":
        return open_er7(row.body, row.peer, site)
    if row.format == "v3":
        profile = site.peer_of(row.peer).profile
        return _open_commands(lambda: v3.read(row.message_type, row.body, profile, site.film_item_code))
    return _open_commands(lambda: json_commands.read(row.body))


def open_er7(body: bytes, peer: str, site: Site) -> Opened:
    """The same for an HL7 v2 message in the dialect of `peer` (MSH-3|MSH-4)."""
    message = Message.parse(charset.decode(body).text)
    source = Source(message, site.peer_of(peer).profile, site.film_item_code)
    return Opened(subject_of(source), lambda: _router().read(source), message)


def subject_of(source: Source) -> Subject:
    """Order, accession and patient number as the profile finds them, cut: only to be searched by."""
    order = next(
        filter(None, map(source.value, ("order_number", "fee_order_number", "appointment_order_number"))), ""
    )
    return Subject(
        order_number=order[:_KEY_LENGTH],
        accession_number=source.value("accession_number")[:_KEY_LENGTH],
        patient_number=_patient_number(source),
    )


def _patient_number(source: Source) -> str:
    """The first number of a hospital; an identity number is never kept in the clear."""
    try:
        numbers = read_numbers(source, "patient_number")
    except Unreadable:
        return ""
    return numbers[0][1] if numbers else ""


def _open_commands(read: Callable[[], list[object]]) -> Opened:
    """XML and JSON are understood at once: what they are about is in the commands."""
    commands = read()
    first = commands[0] if commands else None
    patient = getattr(first, "patient", None)
    identifiers = patient.identifiers if patient else ()
    subject = Subject(
        order_number=getattr(first, _ORDER, "")[:_KEY_LENGTH],
        accession_number=getattr(first, _ACCESSION, "")[:_KEY_LENGTH],
        patient_number=identifiers[0][1][:_KEY_LENGTH] if identifiers else "",
    )
    return Opened(subject, lambda: commands)


@cache
def _router() -> Router:
    return standard_router()
