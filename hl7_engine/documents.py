"""What is not HL7 v2: XML of the national platform and our JSON. Checked at the door, understood by the drain."""

import json

from hl7_engine import charset
from hl7_engine.errors import Unreadable
from hl7_engine.v3 import tree

XML = "v3"
JSON = "json"


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
    tree.parse(content)
    return tree.read_text(content).charset


def _where(error: Exception) -> str:
    """The line; the parser's own text may quote the message."""
    line = getattr(error, "lineno", None)
    return f"broken in line {line}" if line else type(error).__name__
