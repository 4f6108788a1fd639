"""How the national platform writes numbers, names, codes and times: the same few forms in every message.

| what | forms |
|---|---|
| number | `<id root extension/>`, or several as `<id><item root extension/></id>` |
| name | `<name>张三</name>`, or `<name><item><part value="张三"/></item></name>` |
| code | `<code code displayName/>`, or with `<displayName value/>` inside |
| time | `@value`, or in `<low value/>` or `<any value/>` inside |
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from core.clock import now
from hl7_engine.errors import Unreadable, Unsupported
from hl7_engine.profile import Profile
from hl7_engine.reading.source import KEY_LENGTH
from hl7_engine.times import parse_date, parse_moment
from hl7_engine.v3.tree import Node

# What forms put where they have nothing: two patients with the number 000000 would become one.
_NOTHING = re.compile(r"(?i)0+|[-/.*?_]+|n/?a|null|none|nil|无|未知|不详")
# Names of services, and codes of documents such as C0006.
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
# Beside YYYYMMDDHHMMSS; senders of v3 write what their database prints.
_TIME_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d",
    "%Y%m%dT%H%M%S",
    "%Y%m%dT%H%M",
)


class Number(NamedTuple):
    """A number and the OID (or word) of who issued it."""

    root: str
    value: str


class Coded(NamedTuple):
    """A code and its name."""

    code: str
    display: str


@dataclass(frozen=True)
class Letter:
    """One message: its root, and what this site knows about its sender. `said_at`: when the sender wrote it."""

    root: Node
    profile: Profile
    film_item_code: str

    @property
    def subject(self) -> Node:
        """What the message is about: the act inside its envelope."""
        return next(iter(self.root.at("controlActProcess/subject").children), Node(None))

    @property
    def said_at(self) -> datetime:
        """When it was written; now, when it does not say."""
        return self.moment(self.root.at("creationTime"), "creationTime") or now()

    def moment(self, node: Node, place: str) -> datetime | None:
        """The time of an element; None when none is told. Raises `Unreadable` naming `place`."""
        text = time_text(node)
        return parse_moment(text, place, (*self.profile.time_formats, *_TIME_FORMATS)) if text else None

    def day(self, node: Node) -> str:
        """A day as YYYY-MM-DD; empty when it is none."""
        return parse_date(time_text(node), (*self.profile.time_formats, *_TIME_FORMATS))

    def meaning(self, table: str, coded: Coded) -> str:
        """A code in our words by the profile's table, looked up by its name and then by itself; empty if it has no meaning.

        The name comes first: hospitals number the same states differently and call them alike.
        """
        known = self.profile.codes[table]
        return known.get(coded.display) or known.get(coded.code) or ""

    def require_meaning(self, table: str, coded: Coded, place: str) -> str:
        """The same, for codes that decide what happens. Raises `Unsupported` naming the table to add it to."""
        meaning = self.meaning(table, coded)
        if not meaning:
            length = length_of(coded.code or coded.display)
            raise Unsupported(f"{place} is {length}, which has no meaning here: add it to [codes.{table}]")
        return meaning


def numbers(node: Node) -> list[Number]:
    """Every number of an element that is one, in order."""
    found = []
    for entry in node.all("id"):
        for item in entry.all("item") or [entry]:
            value = item.get("extension") or item.get("value")
            if value and not _NOTHING.fullmatch(value):
                found.append(Number(item.get("root"), value))
    return found


def number(nodes: Iterable[Node], roots: Iterable[str], place: str) -> str:
    """The first number of the elements issued by one of `roots`, the first root before the others.

    Raises `Unreadable` naming `place` when it is too long: a cut one would find others.
    """
    told = [entry for node in nodes for entry in numbers(node)]
    for root in roots:
        for entry in told:
            if entry.root.lower() == root.lower():
                return key(entry.value, place)
    return ""


def key(text: str, place: str) -> str:
    """`text` if it is short enough for a number that rows are found by. Raises `Unreadable`."""
    if len(text) > KEY_LENGTH:
        raise Unreadable(f"{place} has more than {KEY_LENGTH} characters")
    return text


def named(node: Node, longest: int = KEY_LENGTH) -> str:
    """The `name` of a person or organisation inside an element, cut."""
    name = node.at("name")
    parts = [part.get("value") for item in name.all("item") for part in item.all("part")]
    text = "".join(parts) or name.text or name.get("value")
    return "" if _NOTHING.fullmatch(text) else text[:longest]


def length_of(text: str) -> str:
    """A value as an error may speak of it: by its length alone, for in the wrong place it may be a person's."""
    return f"a text of {len(text)} characters" if text else "empty"


def shown(word: str) -> str:
    """A word of the standard or of a vendor, for an error: quoted if it can be one, else by its length alone."""
    return repr(word) if _WORD.fullmatch(word) else length_of(word)


def coded(node: Node) -> Coded:
    """The code of an element and its name."""
    inner = node.at("displayName")
    return Coded(node.get("code"), node.get("displayName") or inner.get("value") or inner.text)


def time_text(node: Node) -> str:
    """The time of an element as it stands."""
    forms = (node, node.at("low"), node.at("any"))
    return next(filter(None, (form.get("value") for form in forms)), "") or node.text
