"""A message that a person corrects before it is sent again: only what is edited changes, every other byte stays.

Neither line ends nor empty trailing fields nor the sender's escapes are normalised: what was stored can be compared with
what was sent, byte by byte.
"""

import re
from typing import Self

from hl7_engine import charset
from hl7_engine.er7 import Message, Separators, escape, parse_message_path
from hl7_engine.errors import Unreadable

_BOM = "\ufeff"
_WITH_ENDS = re.compile(r"([^\r\n]*)(\r\n|\r|\n|$)")


class Draft:
    """A message being edited."""

    def __init__(
        self, parts: list[tuple[str, str]], separators: Separators, charset_name: str, bom: str
    ) -> None:
        self._parts = parts
        self._separators = separators
        self._charset = charset_name
        self._bom = bom

    @classmethod
    def open(cls, raw: bytes) -> Self:
        """Take `raw` apart. Raises `Unreadable` when it is no message."""
        text, charset_name = charset.decode(raw)
        bom = _BOM if charset_name == charset.UTF_8 and raw.startswith(_BOM.encode()) else ""
        message = Message.parse(text)
        parts = [(match[1], match[2]) for match in _WITH_ENDS.finditer(text) if match[0]]
        return cls(parts, message.separators, charset_name, bom)

    def set(self, path: str, value: str) -> None:
        """Put `value` at `PID-5.1` or `FT1[2]-11`, escaped; missing fields before it are added empty.

        Raises `Unreadable` when the message has no such segment, or its character set cannot hold the value.
        """
        name, occurrence, place = parse_message_path(path)
        found = [at for at, (line, _) in enumerate(self._parts) if self._is_named(line, name)]
        if len(found) < occurrence:
            raise Unreadable(f"the message has no {name}[{occurrence}]")
        try:
            value.encode(self._charset)
        except UnicodeEncodeError:
            raise Unreadable(f"{path}: {self._charset} cannot hold this value") from None
        at = found[occurrence - 1]
        line, end = self._parts[at]
        # MSH-1 is the separator itself: after splitting, MSH-2 is in place 1.
        number = place.field - 1 if name == "MSH" else place.field
        separators = self._separators
        fields = _extended(line.split(separators.field), number)
        repetitions = _extended(fields[number].split(separators.repetition), place.repetition - 1)
        repetitions[place.repetition - 1] = self._placed(
            repetitions[place.repetition - 1],
            (place.component, place.subcomponent),
            escape(value, separators),
        )
        fields[number] = separators.repetition.join(repetitions)
        self._parts[at] = (separators.field.join(fields), end)

    def to_bytes(self) -> bytes:
        """The whole message, as it came but for the edits."""
        return (self._bom + "".join(line + end for line, end in self._parts)).encode(self._charset)

    def _is_named(self, line: str, name: str) -> bool:
        stripped = line.lstrip(_BOM + "\t ") if name == "MSH" else line
        return stripped == name or stripped.startswith(name + self._separators.field)

    def _placed(self, text: str, place: tuple[int, int], value: str) -> str:
        component, subcomponent = place
        if not component:
            return value
        components = _extended(text.split(self._separators.component), component - 1)
        if subcomponent:
            parts = _extended(
                components[component - 1].split(self._separators.subcomponent), subcomponent - 1
            )
            parts[subcomponent - 1] = value
            value = self._separators.subcomponent.join(parts)
        components[component - 1] = value
        return self._separators.component.join(components)


def _extended(parts: list[str], last: int) -> list[str]:
    return parts + [""] * (last + 1 - len(parts))
