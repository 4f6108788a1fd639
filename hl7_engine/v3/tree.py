"""XML from outside, read under limits and by local names alone: senders omit, change and break namespaces.

A document with a DTD is refused before any parser sees it, so there are no entities to expand and nothing to fetch. What
a document may cost is bounded here, by its size, its marks (`<` and `=`, hence elements and attributes) and its depth.
lxml's own limits (`huge_tree=False`) would refuse a text of 10 MB, which is a report with its PDF: they are not used.
"""

import re
from collections.abc import Iterator
from typing import Self

from lxml import etree

from hl7_engine import charset
from hl7_engine.errors import Unreadable

MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 100
MAX_ELEMENTS = 200_000
# Opening and closing tags, with something left for CDATA and comments.
_MAX_BRACKETS = 3 * MAX_ELEMENTS
_MAX_EQUALS = 5 * MAX_ELEMENTS

_DECLARATION = re.compile(r"<\?xml\b[^>]*?\?>")
_DECLARED = re.compile(rb"""<\?xml\b[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_BLANKS = re.compile(r"\s*")
_ROOT_NAME = re.compile(r"<[^\s/>!?]+")
_UNDECLARED = re.compile(r"Namespace prefix ([\w.-]+) (?:of|for|on|is)")
# So many broken prefixes are mended; a sender that strips namespaces leaves one or two.
_MAX_MENDED = 8


class Node:
    """An element, or nothing at all: what is missing reads as empty, however deep."""

    __slots__ = ("_element",)

    def __init__(self, element: etree._Element | None) -> None:
        self._element = element

    def __bool__(self) -> bool:
        return self._element is not None

    @property
    def name(self) -> str:
        """The local name; empty for nothing."""
        return "" if self._element is None else _local(self._element.tag)

    @property
    def namespace(self) -> str:
        """Its namespace, for the few places where it matters; empty when it has none."""
        tag = "" if self._element is None else str(self._element.tag)
        return tag[1:].partition("}")[0] if tag.startswith("{") else ""

    def to_xml(self) -> str:
        """The element as XML of its own; empty for nothing."""
        if self._element is None:
            return ""
        return str(etree.tostring(self._element, encoding="unicode", with_tail=False))

    def get(self, attribute: str) -> str:
        """An attribute by its local name, without blanks around it."""
        if self._element is None:
            return ""
        value = self._element.get(attribute)
        if value is None:
            named = (told for key, told in self._element.items() if _local(key) == attribute)
            value = next(named, "")
        return str(value).strip()

    @property
    def text(self) -> str:
        """All text inside, without blanks around it."""
        return "" if self._element is None else "".join(self._element.itertext()).strip()

    @property
    def children(self) -> list[Self]:
        """Its elements, in order."""
        return [] if self._element is None else [type(self)(child) for child in self._element]

    def all(self, name: str) -> list[Self]:
        """Its elements of this local name."""
        return [child for child in self.children if child.name == name]

    def at(self, path: str) -> Self:
        """The element at `author/time`, at each step the first of its name."""
        node = self
        for name in path.split("/"):
            node = next(iter(node.all(name)), type(self)(None))
        return node

    def everything(self) -> Iterator[Self]:
        """Itself and every element inside, in the order of the document."""
        if self._element is not None:
            yield from map(type(self), self._element.iter())

    def inside(self, name: str) -> Iterator[Self]:
        """Those of this local name."""
        return (node for node in self.everything() if node.name == name)

    def first(self, name: str) -> Self:
        """The first element of this local name at any depth."""
        return next(self.inside(name), type(self)(None))


def parse(content: bytes, declared: str | None = None, most: int = MAX_BYTES) -> Node:
    """The root. `declared` is the character set that HTTP tells, `most` the limit in bytes.

    Raises `Unreadable` naming what is wrong, never a value.
    """
    if len(content) > most:
        raise Unreadable(f"the XML has more than {most // 2**20} MB")
    text = read_text(content, declared).text.lstrip("\ufeff \t\r\n")
    if text.count("<") > _MAX_BRACKETS or text.count("=") > _MAX_EQUALS:
        raise Unreadable(f"the XML has more than {MAX_ELEMENTS} elements or {_MAX_EQUALS} attributes")
    _require_no_dtd(text)
    root = _parsed(_DECLARATION.sub("", text, count=1) if text.startswith("<?xml") else text)
    _require_shallow(root)
    return Node(root)


def read_text(content: bytes, declared: str | None = None) -> charset.Decoded:
    """The characters of XML: told by its declaration, else by HTTP, and checked against the bytes."""
    found = _DECLARED.match(content[:200].lstrip())
    told = found[1].decode() if found else declared or ""
    return charset.decode(content, charset.named(told) or charset.UTF_8)


def _require_no_dtd(text: str) -> None:
    """Look through what may stand before the root."""
    place = 0
    while True:
        blanks = _BLANKS.match(text, place)
        place = blanks.end() if blanks else place
        if text.startswith("<?", place):
            end, mark = text.find("?>", place), "?>"
        elif text.startswith("<!--", place):
            end, mark = text.find("-->", place + 4), "-->"
        elif text.startswith("<!", place):
            raise Unreadable("XML with a DTD or entities is not taken")
        else:
            return
        if end < 0:
            raise Unreadable("no XML: something before the first element has no end")
        place = end + len(mark)


def _parsed(text: str) -> etree._Element:
    for _ in range(_MAX_MENDED):
        try:
            root = etree.fromstring(text.encode(), _parser())
        except etree.XMLSyntaxError as error:
            undeclared = _UNDECLARED.match(error.msg or "")
            if undeclared is None:
                raise Unreadable(f"no XML: broken in line {error.lineno}") from None
            # The sender stripped the declaration and left the prefix.
            declaration = f' xmlns:{undeclared[1]}="urn:undeclared"'
            text = _ROOT_NAME.sub(rf"\g<0>{declaration}", text, count=1)
        except ValueError:
            raise Unreadable("no XML: it holds characters that XML does not know") from None
        else:
            if root.getroottree().docinfo.internalDTD is not None:
                raise Unreadable("XML with a DTD or entities is not taken")
            return root
    raise Unreadable(f"no XML: more than {_MAX_MENDED} prefixes are not declared")


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )


def _require_shallow(root: etree._Element) -> None:
    depth = elements = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        elements += event == "start"
        if depth > MAX_DEPTH:
            raise Unreadable(f"the XML is nested more than {MAX_DEPTH} deep")
        if elements > MAX_ELEMENTS:
            raise Unreadable(f"the XML has more than {MAX_ELEMENTS} elements")


def _local(name: str) -> str:
    return name.rpartition("}")[2]
