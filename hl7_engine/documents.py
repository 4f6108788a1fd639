"""What is not HL7 v2: XML of the national platform and our JSON. Checked at the door, understood by the drain."""

from hl7_engine import json_commands
from hl7_engine.v3 import tree

XML = "v3"
JSON = "json"


def require_well_formed(format_name: str, content: bytes) -> str:
    """Return the Python name of the characters. Raises `Unreadable`, so that the sender hears of it at once."""
    if format_name == JSON:
        return json_commands.load(content).charset
    tree.parse(content)
    return tree.read_text(content).charset
