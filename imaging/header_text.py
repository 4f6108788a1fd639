"""Texts of a header as people wrote them, also where the character set is missing or wrong (PS3.5 §6.1, §J).

Chinese devices often send GBK with no Specific Character Set (0008,0005), or under ISO_IR 100, the default of the
vendor. pydicom reads declared sets right, except that it leaves the escapes of ISO 2022 IR 58 in the text.
"""

import re

from pydicom.charset import default_encoding
from pydicom.dataset import Dataset

ESCAPE_IR_58 = b"\x1b$)A"
IR_58, LATIN_1 = "ISO 2022 IR 58", frozenset({"ISO_IR 100", "ISO 2022 IR 100"})
_TERM_OF_CODEC = {default_encoding: "ISO_IR 6", "latin_1": "ISO_IR 100", "iso_ir_58": IR_58}
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")


def read_text(header: Dataset, keyword: str) -> str:
    """The element's text without padding and control characters; "" when absent. Raises pydicom's errors."""
    element = header.get_item(keyword)
    raw = getattr(element, "value", None)
    if not isinstance(raw, bytes):
        return _clean(str(header.get(keyword) or ""))
    terms = _terms(header)
    if raw.isascii() and ESCAPE_IR_58[:1] not in raw:
        text = raw.decode("ascii")
    elif IR_58 in terms:
        # In G1 of this set a hanzi is the same two bytes as in GB 2312, whose superset is GB18030.
        text = raw.replace(ESCAPE_IR_58, b"").decode("gb18030", "replace")
    elif not terms:
        text = undeclared(raw)
    elif LATIN_1.issuperset(terms):
        text = _said_to_be_latin(raw)
    else:
        text = str(header.get(keyword))
    return _clean(text)


def undeclared(raw: bytes) -> str:
    """Text of a sender that declares no character set: UTF-8 where it is valid, else GB18030, else Latin-1."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _said_to_be_latin(raw: bytes) -> str:
    """European names have accented letters one by one; hanzi come in pairs of bytes, or with bytes that Latin-1 lacks."""
    is_paired = all(len(run) % 2 == 0 for run in _HIGH_RUN.findall(raw))
    if is_paired or any(0x80 <= byte < 0xA0 for byte in raw):
        return undeclared(raw)
    return raw.decode("latin-1")


def _terms(header: Dataset) -> tuple[str, ...]:
    value = header.get("SpecificCharacterSet")
    if value is None:
        # An item of a sequence has the set of the data set around it, which pydicom keeps as names of Python's codecs.
        around = header._parent_encoding
        value = [_TERM_OF_CODEC.get(name, name) for name in ([around] if isinstance(around, str) else around)]
    terms = [value] if isinstance(value, str) or value is None else list(value)
    return tuple(str(term).strip() for term in terms if term and str(term).strip() != "ISO_IR 6")


def _clean(text: str) -> str:
    return _CONTROLS.sub("", text).strip()
