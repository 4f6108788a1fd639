"""What the string of a SOAP call holds: XML of the platform, JSON, HL7 v2, or one of them as Base64."""

import binascii
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass

from hl7_engine import charset, json_commands
from hl7_engine.errors import Unreadable
from hl7_engine.incoming import Incoming
from hl7_engine.payload import Format, sniff, unframed
from hl7_engine.v3 import answer, tree

# Possessive: looked through once, however long.
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{16,}+={0,2}+\s*+")
_BLANKS = re.compile(r"\s+")
# What may be an action: all else is a mistake of the caller, perhaps with a patient in it.
_ACTION = re.compile(r"[A-Za-z0-9_.^-]{1,32}")
_DECLARATION = re.compile(r"^<\?xml\b[^>]*\?>")
_MARKS = {"er7": (b"MSH", b"FHS", b"BHS"), "v3": (b"<",), "json": (b"{", b"[")}


@dataclass(frozen=True)
class Payload:
    """The message in a call."""

    content: bytes
    format: Format
    is_base64: bool = False

    def incoming(self, action: str, peer: str, address: str) -> Incoming:
        """What the inbox is given; XML and JSON say themselves which message they are, as far as they can."""
        control_id, message_type = _heading(self)
        action = action if _ACTION.fullmatch(action) else ""
        return Incoming(
            self.content,
            address,
            channel="soap",
            format=self.format,
            peer=peer,
            control_id=control_id,
            # JSON says its action itself; XML is known by the action that it came with, else by its root.
            message_type=message_type or action if self.format == "json" else action or message_type,
        )

    def wrapped(self, text: str | bytes) -> str:
        """An answer in the way in which the message came."""
        if self.is_base64:
            return b64encode(text if isinstance(text, bytes) else text.encode()).decode()
        return text if isinstance(text, str) else charset.decode(text).text


def unpack(text: str) -> Payload:
    """Tell what `text` is. What looks like nothing is taken for HL7 v2, which refuses it and says why."""
    content = _BLANKS.sub("", text) if _BASE64.fullmatch(text) else ""
    if content:
        try:
            inner = unframed(b64decode(content, validate=True))
        except (binascii.Error, ValueError):
            inner = b""
        kind = sniff(inner)
        if inner.lstrip(b"\xef\xbb\xbf\x0b \t\r\n").startswith(_MARKS[kind]):
            return Payload(inner, kind, is_base64=True)
    content_bytes = _bytes_of(text)
    return Payload(content_bytes, sniff(content_bytes))


def _bytes_of(text: str) -> bytes:
    """As bytes that are what they declare: HL7 v2 in the characters of MSH-18, all else in UTF-8."""
    if text.startswith("<?xml"):
        # What was declared held for the bytes around; they are gone.
        return _DECLARATION.sub("", text, count=1).encode()
    if text.startswith("MSH"):
        declared = charset.declared_charset(text.encode()) or charset.UTF_8
        try:
            return text.encode(declared)
        except UnicodeEncodeError:
            pass
    return text.encode()


def _heading(payload: Payload) -> tuple[str, str]:
    if payload.format == "json":
        return json_commands.heading(payload.content)
    if payload.format == "v3":
        try:
            root = tree.parse(payload.content)
        except Unreadable:
            return "", ""
        return answer.message_id(root), root.name
    return "", ""
