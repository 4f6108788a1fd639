"""Profiles: where a peer puts each fact, what its codes mean, how it writes times, how it wants to be answered.

A profile is a TOML file; `standard_251` has every key, others extend one and say what differs. A hospital is connected by
writing one and trying it on its messages (`./cloudfilm hl7 try-profile`), not by code.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from core.errors import Misconfigured
from hl7_engine import acknowledge, charset
from hl7_engine.er7 import Path as FieldPath
from hl7_engine.er7 import parse_path

DIRECTORY = Path(__file__).parent / "profiles"
STANDARD = "standard_251"
_MAX_DEPTH = 8
_KEYS = frozenset({"description", "extends", "version", "ack", "writes", "time_formats", "fields", "codes"})
_PLACE = re.compile(r"([A-Z][A-Z0-9]{2})-(\d+(?:\[\d+\])?)(?:\(([A-Z]+)\))?((?:\.\d+){0,2})")


class Place(NamedTuple):
    """`PID-3(NI).1`: a path in a segment; with a type, in the repetition whose component 5 (HL7 table 0203) is that."""

    segment: str
    path: str
    # The path taken apart.
    field: FieldPath
    type: str = ""

    def __str__(self) -> str:
        return f"{self.segment}-{self.path}"


@dataclass(frozen=True)
class Profile:
    """One dialect. `fields` and `codes` are complete; `writes` is a Python character set."""

    name: str
    description: str
    version: str
    ack: str
    writes: str
    time_formats: tuple[str, ...]
    fields: MappingProxyType[str, tuple[Place, ...]]
    codes: MappingProxyType[str, MappingProxyType[str, str]]

    def meaning(self, table: str, code: str) -> str:
        """What the peer's code is in ours; itself when the table does not list it."""
        return self.codes[table].get(code, code)


@cache
def load(name: str) -> Profile:
    """A shipped profile by its name, or one of the site's by the path of its TOML file. Raises `Misconfigured`."""
    table = _table(name, 0)
    subject = f"profile {name}"
    if table["ack"] not in acknowledge.MODES:
        raise Misconfigured(f"{subject}: ack is {table['ack']!r}: use {', '.join(sorted(acknowledge.MODES))}")
    writes = charset.named(table["writes"])
    if writes not in (charset.GB18030, charset.UTF_8):
        raise Misconfigured(
            f"{subject}: writes is {table['writes']!r}: use 'GB 18030-2000' or 'UNICODE UTF-8'"
        )
    return Profile(
        name=Path(name).stem,
        description=str(table.get("description", "")),
        version=str(table["version"]),
        ack=table["ack"],
        writes=writes,
        time_formats=tuple(table["time_formats"]),
        fields=MappingProxyType({key: _places(subject, key, told) for key, told in table["fields"].items()}),
        codes=MappingProxyType({key: MappingProxyType(told) for key, told in table["codes"].items()}),
    )


def shipped() -> list[str]:
    """The names of the profiles that come with the program."""
    return sorted(path.stem for path in DIRECTORY.glob("*.toml"))


def _table(name: str, depth: int) -> dict[str, Any]:
    if depth > _MAX_DEPTH:
        raise Misconfigured(f"profile {name}: profiles extend each other in a circle")
    table = _read(name)
    if "extends" not in table:
        if name != STANDARD:
            raise Misconfigured(f"profile {name}: say what it extends, at least {STANDARD!r}")
        return table
    base = _table(str(table["extends"]), depth + 1)
    for section in ("fields", "codes"):
        unknown = set(table.get(section, {})) - set(base[section])
        if unknown:
            raise Misconfigured(f"profile {name}: [{section}] has no {', '.join(sorted(unknown))}")
    codes = {key: base["codes"][key] | table.get("codes", {}).get(key, {}) for key in base["codes"]}
    return base | table | {"fields": base["fields"] | table.get("fields", {}), "codes": codes}


def _read(name: str) -> dict[str, Any]:
    path = DIRECTORY / f"{name}.toml" if re.fullmatch(r"\w+", name) else Path(name)
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except OSError:
        known = ", ".join(shipped())
        raise Misconfigured(f"profile {name}: no such file; shipped with the program are {known}") from None
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"profile {name}: {error}") from None
    unknown = set(table) - _KEYS
    if unknown:
        raise Misconfigured(f"profile {name}: unknown keys {', '.join(sorted(unknown))}")
    return table


def _places(subject: str, key: str, told: Any) -> tuple[Place, ...]:
    if not isinstance(told, list):
        raise Misconfigured(f"{subject}: {key} is a list of places such as ['PID-19']")
    return tuple(_place(subject, key, text) for text in told)


def _place(subject: str, key: str, text: Any) -> Place:
    match = _PLACE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise Misconfigured(f"{subject}: {key}: {text!r} is no place such as PID-19 or PID-3(NI).1")
    segment, field, kind, rest = match.groups()
    return Place(segment, field + rest, parse_path(field + rest), kind or "")
