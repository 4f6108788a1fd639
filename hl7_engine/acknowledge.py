"""Acknowledgements (HL7 v2.5.1 chapters 2.9.2, 2.15.5, 2.15.8): chosen, built, and read from peers.

An answer goes back the way the message came: sender and receiver swapped, the peer's separators, its
character set. Which answer, MSH-15 and MSH-16 say (table 0155: AL always, NE never, ER on error, SU on success):

| MSH-15 | MSH-16 | at once | later |
|---|---|---|---|
| empty | empty | original mode: AA, AE, AR | |
| AL, ER, SU | any | enhanced mode: CA, CE, CR as asked | what MSH-16 asks: AA or AE |
| NE or empty | AL, ER, SU | AA, AE, AR as MSH-16 asks: the sender waits for it on this connection | |
| NE | NE | nothing | |

A site's profile may force one of the two modes, for peers that fill in the fields without meaning them.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import count
from secrets import token_hex

from core.clock import now
from hl7_engine import charset
from hl7_engine.er7 import Message, Segment, Separators, escape
from hl7_engine.errors import CONDITION_TEXTS, Unreadable
from hl7_engine.times import format_moment

ACCEPTED = "AA"
# AE: the content is wrong. AR: it is no message for us, or we cannot take it now (chapter 2.9.2).
ERROR = "AE"
REJECTED = "AR"

# The same three in enhanced mode: commit accept, error, reject.
_COMMIT = {ACCEPTED: "CA", ERROR: "CE", REJECTED: "CR"}
POSITIVE = frozenset({ACCEPTED, "CA"})

ORIGINAL_MODE = "original"
ENHANCED_MODE = "enhanced"
BY_HEADER = "by_header"
MODES = frozenset({ORIGINAL_MODE, ENHANCED_MODE, BY_HEADER})

APPLICATION = "CLOUDFILM"
_DEFAULT_VERSION = "2.5.1"

# Control ids of our answers: this run of the program, and a number.
_RUN = token_hex(4).upper()
_numbers = count(1)
# Where a template has gaps: no message that is taken contains it.
_GAP = "\x00"


@dataclass(frozen=True)
class AckResult:
    """What a peer answered: MSA-1, MSA-2, its reason and ERR-3 (table 0357) if it gave them."""

    code: str
    control_id: str
    text: str = ""
    condition: str = ""


@dataclass(frozen=True)
class Fault:
    """Why a message is not accepted: HL7 table 0357 and a text for a person."""

    condition: str
    text: str


def answer_code(outcome: str, header: Segment, mode: str) -> str:
    """What to answer at once to a message whose outcome is AA, AE or AR; empty when its sender wants nothing."""
    accept, application = header.get("15").upper(), header.get("16").upper()
    if mode == ORIGINAL_MODE or (mode == BY_HEADER and not accept and not application):
        return outcome
    if mode == ENHANCED_MODE or accept not in ("", "NE"):
        return _COMMIT[outcome] if _is_wanted(accept or "AL", outcome) else ""
    return outcome if _is_wanted(application, outcome) else ""


def wants_application_answer(header: Segment, mode: str, outcome: str) -> bool:
    """Whether an application acknowledgement of this outcome is owed after a commit acknowledgement."""
    accept, application = header.get("15").upper(), header.get("16").upper()
    is_enhanced = mode == ENHANCED_MODE or (mode == BY_HEADER and accept not in ("", "NE"))
    return is_enhanced and application != "" and _is_wanted(application, outcome)


def _is_wanted(condition: str, outcome: str) -> bool:
    """Table 0155. A condition that is none of the four is read as "always": an answer too many harms nobody."""
    if condition == "NE":
        return False
    if condition == "ER":
        return outcome != ACCEPTED
    return condition != "SU" or outcome == ACCEPTED


def build(code: str, message: Message | None, charset_name: str, fault: Fault | None = None) -> bytes:
    """The acknowledgement of `message`; None when not even its header could be read."""
    separators = message.separators if message else Separators()
    control_id = message.first("MSH").raw(10) if message else ""
    lines = [
        _header(message, charset_name, separators, _moment(), _own_id()),
        _msa(code, control_id, fault, separators),
    ]
    if fault:
        lines.append(_err(fault, separators))
    return charset.encode("\r".join(lines) + "\r", charset_name)


class Template:
    """The answers to headers of one kind when all is well: they differ in the moment and in the two control ids."""

    def __init__(self, code: str, message: Message, charset_name: str) -> None:
        separators = message.separators
        lines = [
            _header(message, charset_name, separators, _GAP, _GAP),
            _msa(code, _GAP, None, separators),
        ]
        self._charset = charset_name
        whole = charset.encode("\r".join(lines) + "\r", charset_name)
        self._parts = whole.split(_GAP.encode())

    def fill(self, control_id: str) -> bytes:
        """The acknowledgement of the message whose MSH-10 reads so."""
        begin, after_moment, after_own_id, end = self._parts
        told = charset.encode(control_id, self._charset)
        return b"".join(
            (begin, _moment().encode(), after_moment, _own_id().encode(), after_own_id, told, end)
        )


def parse(raw: bytes) -> AckResult:
    """Read a peer's answer. Raises `Unreadable` when it is none."""
    message = Message.parse(charset.decode(raw).text)
    msa = message.first("MSA")
    if not msa.get("1"):
        raise Unreadable("the answer has no MSA-1: it is no acknowledgement")
    err = message.first("ERR")
    text = err.get("8") or err.get("3.2") or msa.get("3")
    # Before v2.5 the condition was the last component of ERR-1.
    condition = err.get("3.1") or err.get("1.4.1")
    return AckResult(msa.get("1").upper(), msa.get("2"), text, condition)


def _header(
    message: Message | None, charset_name: str, separators: Separators, moment: str, own_id: str
) -> str:
    field, component = separators.field, separators.component
    encoding = separators.component + separators.repetition + separators.escape + separators.subcomponent
    header = message.first("MSH") if message else Segment("MSH", separators)
    event = header.get("9.2")
    message_type = component.join(("ACK", event, "ACK")) if event else "ACK"
    fields = [
        "MSH",
        encoding,
        header.raw(5) or APPLICATION,
        header.raw(6),
        header.raw(3),
        header.raw(4),
        moment,
        "",
        message_type,
        own_id,
        header.raw(11) or "P",
        header.raw(12) or _DEFAULT_VERSION,
        *[""] * 5,
        charset.declaration(charset_name, header.raw(18)),
    ]
    return field.join(fields)


def _moment() -> str:
    return _formatted(now().replace(microsecond=0))


@lru_cache(maxsize=2)
def _formatted(second: datetime) -> str:
    return format_moment(second)


def _own_id() -> str:
    return f"A{_RUN}{next(_numbers):08X}"


def _msa(code: str, control_id: str, fault: Fault | None, separators: Separators) -> str:
    # MSA-3 is deprecated, and all that receivers of v2.3 read.
    fields = ["MSA", code, control_id] + ([escape(fault.text, separators)] if fault else [])
    return separators.field.join(fields)


def _err(fault: Fault, separators: Separators) -> str:
    condition = separators.component.join((fault.condition, CONDITION_TEXTS[fault.condition], "HL70357"))
    fields = ["ERR", "", "", condition, "E", "", "", "", escape(fault.text, separators)]
    return separators.field.join(fields)
