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
    tree.parse(content)
    return tree.read_text(content).charset


def _require_json(content: bytes) -> str:
    text, charset_name = charset.decode(content)
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(f"no JSON: broken in line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError):
        raise Unreadable("no JSON: a number too long, or nested too deep") from None
    if not isinstance(found, dict | list):
        raise Unreadable("a JSON message is an object, or a list of them")
    return charset_name
