"""What is not HL7 v2: XML of the national platform and our JSON. Checked at the door, understood by the drain."""

import json
import re
from xml.parsers.expat import ExpatError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from hl7_engine import charset
from hl7_engine.errors import Unreadable

XML = "v3"
JSON = "json"

_DECLARED = re.compile(rb"""<\?xml[^>]*encoding=["']([A-Za-z0-9._-]+)["']""")


def require_well_formed(format_name: str, content: bytes) -> str:
    """Return the Python name of the characters. Raises `Unreadable`, so that the sender hears of it at once."""
    if format_name == JSON:
        return _require_json(content)
    return _require_xml(content)


def _require_json(content: bytes) -> str:
    text, charset_name = charset.decode(content)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"no JSON: {_where(error)}") from None
    if not isinstance(found, dict | list):
        raise Unreadable("a JSON message is an object, or a list of them")
    return charset_name


def _require_xml(content: bytes) -> str:
    declared = _DECLARED.search(content[:200])
    charset_name = declared[1].decode().lower()[:16] if declared else charset.UTF_8
    try:
        # Decoded here: expat itself knows no GBK. The declaration goes, since it no longer holds.
        text = re.sub(r"^\s*<\?xml[^>]*\?>", "", content.decode(charset_name).removeprefix("\ufeff"))
        ElementTree.fromstring(text, forbid_dtd=True)
    except DefusedXmlException:
        raise Unreadable("XML with a DTD or entities is not taken") from None
    except (ExpatError, ElementTree.ParseError, ValueError, LookupError) as error:
        raise Unreadable(f"no XML: {_where(error)}") from None
    return charset_name


def _where(error: Exception) -> str:
    """Line and column; the parser's own text may quote the message."""
    line = getattr(error, "lineno", None) or getattr(error, "position", (None,))[0]
    return f"broken in line {line}" if line else type(error).__name__
