"""What kind of message some bytes are, where the way in does not say: middleware, files, a string inside SOAP."""

from typing import Literal

Format = Literal["er7", "v3", "json"]

_BOM = b"\xef\xbb\xbf"
# The begin and end bytes of an MLLP block (0x0B, 0x1C) come along from senders that copy from a socket.
_BLANK = b" \t\r\n\x0b\x0c\x1c\x00"


def sniff(content: bytes) -> Format:
    """The format by the first letter that counts; what looks like nothing is er7, and refused there as no HL7."""
    start = content[:256].lstrip(_BLANK).removeprefix(_BOM).lstrip(_BLANK)[:1]
    if start in (b"{", b"["):
        return "json"
    return "v3" if start == b"<" else "er7"
