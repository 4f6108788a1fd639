"""Dictionaries: MFN (v2.5.1 chapter 8). One entry of a code table per MFE; its name in the segment behind it."""

from core.commands import UpdateDictionary
from hl7_engine.er7 import Message, Segment
from hl7_engine.errors import REQUIRED_FIELD_MISSING, Unreadable
from hl7_engine.reading.source import KEY_LENGTH, Source

# Trigger event → kind of entry; and where its name stands.
KINDS = {
    "M02": "staff",
    "M04": "price",
    "M05": "location",
    "M08": "item",
    "M10": "item",
    "M12": "item",
    "M13": "other",
}
_NAMES = {"CDM": ("3.1", "2"), "LOC": ("2",), "OM1": ("8", "2.2"), "OM7": ("4.2", "3")}
# MFE-1, table 0180: deleted, deactivated.
_GONE = frozenset({"MDL", "MDC"})
_NAME_LENGTH = 128


def read(source: Source) -> list[object]:
    """An `UpdateDictionary` for each entry. Raises `Unreadable` when there is none."""
    kind = KINDS.get(source.message.get("MSH-9.2"), "other")
    commands: list[object] = []
    for entry, details in _entries(source.message):
        code = entry.get("4.1") or next((detail.get("1.1") for detail in details), "")
        if not code or len(code) > KEY_LENGTH:
            text = f"MFE-4, the code of the entry, has {len(code)} characters: 1 to {KEY_LENGTH} are taken"
            raise Unreadable(text, REQUIRED_FIELD_MISSING)
        commands.append(
            UpdateDictionary(
                kind=kind,
                code=code,
                name=_name(entry, details),
                is_active=entry.get("1").upper() not in _GONE,
                said_at=source.said_at,
            )
        )
    if not commands:
        raise Unreadable("the message has no MFE segment", REQUIRED_FIELD_MISSING)
    return commands


def _entries(message: Message) -> list[tuple[Segment, list[Segment]]]:
    found: list[tuple[Segment, list[Segment]]] = []
    for segment in message.all_segments:
        if segment.name == "MFE":
            found.append((segment, []))
        elif found:
            found[-1][1].append(segment)
    return found


def _name(entry: Segment, details: list[Segment]) -> str:
    for detail in details:
        if detail.name == "STF":
            family, given = detail.get("3.1"), detail.get("3.2")
            name = family + given if not (family + given).isascii() else f"{family} {given}".strip()
        else:
            name = next(filter(None, map(detail.get, _NAMES.get(detail.name, ("2",)))), "")
        if name:
            return name[:_NAME_LENGTH]
    return entry.get("4.2")[:_NAME_LENGTH]
