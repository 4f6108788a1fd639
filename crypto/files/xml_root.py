"""The first element of an XML document (XML 1.0 §2.8), by a scan that cannot be made to expand or to run long."""

import codecs
import re

_NAME = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")
_TAG_LIMIT = 4096
_STEPS = 64


def text_of(head: bytes) -> str:
    """The bytes as text, one character a byte unless a mark says UTF-16; without the mark."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith(mark):
            return head[2:].decode(encoding, "replace")
    return head.removeprefix(codecs.BOM_UTF8).decode("latin-1")


def root_of(head: bytes) -> tuple[str, str] | None:
    """Local name and start tag (4,096 characters at most) of the root, or None when none begins in `head`."""
    text, place = text_of(head), 0
    for _ in range(_STEPS):
        while place < len(text) and text[place] in " \t\r\n":
            place += 1
        if text.startswith("<!--", place):
            place = _after(text, "-->", place + 4)
        elif text.startswith("<?", place):
            place = _after(text, "?>", place + 2)
        elif text.startswith("<!DOCTYPE", place):
            subset, end = text.find("[", place), text.find(">", place)
            place = _after(text, ">", _after(text, "]", subset) if -1 < subset < end else place)
        else:
            found = _NAME.match(text, place)
            return (found[1], text[place : _after(text, ">", place)][:_TAG_LIMIT]) if found else None
    return None


def _after(text: str, mark: str, place: int) -> int:
    found = text.find(mark, place)
    return len(text) if found < 0 else found + len(mark)
