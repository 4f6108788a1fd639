"""What kind of message some bytes are, where the way in does not say: middleware, files, a string inside SOAP."""

from typing import Literal

Format = Literal["er7", "v3", "json"]

_BOM = b"\xef\xbb\xbf"
# The begin and end bytes of an MLLP block (0x0B, 0x1C) come along from senders that copy from a socket.
_BLANK = b" \t\r\n\x0b\x0c\x1c\x00"
_BLOCK_START = b"\x0b"
_BLOCK_END = b"\x1c"


def sniff(content: bytes) -> Format:
    """The format by the first letter that counts; what looks like nothing is er7, and refused there as no HL7."""
    start = content[:256].lstrip(_BLANK).removeprefix(_BOM).lstrip(_BLANK)[:1]
    if start in (b"{", b"["):
        return "json"
    return "v3" if start == b"<" else "er7"


def unframed(content: bytes) -> bytes:
    """A message without the one MLLP block around it, from a sender that copies what it would send to a socket.

    Unchanged when the block is cut short or not the only one: then it is no message, and refused as what it is.
    """
    if _BLOCK_START not in content[:16]:
        return content
    block = content.strip(b" \t\r\n")
    if not (block.startswith(_BLOCK_START) and block.endswith(_BLOCK_END)):
        return content
    inner = block[1:-1]
    return content if _BLOCK_END in inner else inner
