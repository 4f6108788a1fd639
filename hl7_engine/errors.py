"""What can go wrong with a message.

CloudFilmError
├── Refused
│   ├── Unreadable        the bytes are no HL7 message, or a field that we need cannot be understood
│   │   ├── NotHl7        not even a message header: nobody knows what it is
│   │   └── Undecodable   a message in a character set that we cannot tell
│   ├── Unsupported       understood, but nothing here may act on it
│   └── Unwritable        our own message breaks a rule of HL7: nothing is sent
└── Rejected              the peer answered our message with AE, AR, CE or CR
"""

import re

from core.errors import CloudFilmError, Refused

# HL7 table 0357, message error condition codes (v2.5.1 chapter 2.16.3).
SEGMENT_SEQUENCE = "100"
REQUIRED_FIELD_MISSING = "101"
DATA_TYPE = "102"
INTERNAL = "207"

CONDITION_TEXTS = {
    SEGMENT_SEQUENCE: "Segment sequence error",
    REQUIRED_FIELD_MISSING: "Required field missing",
    DATA_TYPE: "Data type error",
    INTERNAL: "Application internal error",
}


def quoted(text: str) -> str:
    """What a message about a wrong value may repeat: digits and signs, or a short code. Anything else may be a name."""
    if re.fullmatch(r"[0-9:./ +T-]{0,32}|[A-Za-z0-9]{1,4}", text, re.ASCII):
        return repr(text)
    return f"a text of {len(text)} characters"


class Unreadable(Refused):
    """The message cannot be understood. `condition` is its code in HL7 table 0357."""

    def __init__(self, text: str, condition: str = DATA_TYPE) -> None:
        super().__init__(text)
        self.condition = condition


class NotHl7(Unreadable):
    """No message header, or a frame that is damaged as a whole."""

    def __init__(self, text: str) -> None:
        super().__init__(text, SEGMENT_SEQUENCE)


class Undecodable(Unreadable):
    """The bytes are text in no character set that we know."""


class Unsupported(Refused):
    """A message or a request in it that nothing here acts on; a person must look."""


class Unwritable(Refused):
    """The facts do not make a valid message."""


class Rejected(CloudFilmError):
    """The peer received our message and does not want it."""
