"""What a message would do, without doing it: how a hospital is connected in a day.

`./cloudfilm hl7 try-profile` runs this over a peer's real messages until every line says what it should.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import Any

from core.commands import PatientFacts
from core.errors import Refused
from core.masking import mask_id_number, mask_name, mask_phone
from hl7_engine import charset, json_commands, payload, v3
from hl7_engine.er7 import Message
from hl7_engine.errors import Unreadable
from hl7_engine.profile import Profile
from hl7_engine.reading.source import Source
from hl7_engine.router import standard_router
from hl7_engine.times import format_moment

# Segments that say how a message travels, and are read before any profile.
_ENVELOPE = frozenset({"MSH", "EVN"})
_MASKS = {"name": mask_name, "id_number": mask_id_number, "phone": mask_phone}


@dataclass(frozen=True)
class Trial:
    """`outcome`: handled | ignored | parked | refused, as the store would say; `reason` for the last two.

    `notes`: what was read with doubt. `unread`: fields with a value that nothing looked at, `PID-11`.
    """

    outcome: str
    message_type: str = ""
    control_id: str = ""
    charset: str = ""
    commands: tuple[object, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = field(default=())


def try_message(content: bytes, profile: Profile, film_item_code: str) -> Trial:
    """Read one message in the dialect of `profile`. Never raises for what is wrong with it."""
    form = payload.sniff(content)
    if form == "v3":
        return _try_document("XML", lambda: v3.read("", content, profile, film_item_code))
    if form == "json":
        return _try_document("JSON", lambda: json_commands.read(content))
    try:
        text, charset_name = charset.decode(content)
        message = Message.parse(text)
    except Unreadable as error:
        return Trial("refused", reason=str(error))
    source = Source(message, profile, film_item_code)
    commands: list[object] = []
    reason = ""
    try:
        commands = standard_router().read(source)
    except Refused as error:
        reason = str(error)
    return Trial(
        "parked" if reason else "handled" if commands else "ignored",
        message_type=message.type,
        control_id=message.get("MSH-10"),
        charset=charset_name,
        commands=tuple(commands),
        reason=reason,
        notes=tuple(source.notes),
        unread=tuple(_unread(source)),
    )


def _try_document(kind: str, read: Callable[[], list[object]]) -> Trial:
    """XML and JSON say themselves what they are, and are understood as a whole or not at all."""
    try:
        return Trial("handled", message_type=kind, commands=tuple(read()))
    except Refused as error:
        return Trial("parked", message_type=kind, reason=str(error))


def described(command: object, *, plain: bool = False) -> list[str]:
    """A command as lines `field: value`; what was not told is left out, personal data masked unless `plain`."""
    lines = [type(command).__name__]
    for name, value in _told(command):
        shown = value if plain or name not in _MASKS else _MASKS[name](value)
        lines.append(f"  {name}: {shown}")
    return lines


def _told(command: object) -> Iterable[tuple[str, Any]]:
    record: Any = command
    for entry in fields(record):
        value = getattr(command, entry.name)
        if isinstance(value, PatientFacts):
            yield from _told(value)
        elif isinstance(value, bytes):
            yield entry.name, f"{len(value):,} bytes"
        elif isinstance(value, datetime):
            yield entry.name, format_moment(value)
        elif isinstance(value, tuple) and value and is_dataclass(value[0]):
            yield from ((f"{entry.name}[{place}]", _in_one_line(line)) for place, line in enumerate(value, 1))
        elif value not in ("", None, ()):
            yield entry.name, value


def _in_one_line(record: object) -> str:
    return ", ".join(f"{name}={value}" for name, value in _told(record))


def _unread(source: Source) -> list[str]:
    """Fields that hold something and that no reader asked for, each once, in the order of the message."""
    found: dict[str, None] = {}
    read = {(place.segment, place.field.field) for place in source.touched}
    for segment in source.message.all_segments:
        if segment.name in _ENVELOPE:
            continue
        # SET ID: counts the segments of a kind, and says nothing.
        for number in range(2 if segment.get("1").isdecimal() else 1, segment.last_field + 1):
            if segment.get(str(number)) and (segment.name, number) not in read:
                found[f"{segment.name}-{number}"] = None
    return list(found)
