"""Where things lie in a Part-10 file: the pixel data element and, when encapsulated, its fragments (PS3.5 §A.4)."""

import io
import struct
from dataclasses import dataclass

import pydicom
from pydicom.dataset import Dataset

from imaging.codecs import EXPLICIT_BE, IMPLICIT_LE, NATIVE

PIXEL_DATA_LE, PIXEL_DATA_BE = b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10"
UNDEFINED = 0xFFFFFFFF
ITEM, SEQUENCE_DELIMITER = 0xE000FFFE, 0xE0DDFFFE
TRAILING_PADDING = (0xFFFC, 0xFFFC)


@dataclass(frozen=True)
class Layout:
    """`header` without pixels; `element`: offset of the pixel data element or None; `value`: offset of its value;
    `end`: offset behind the element; `fragments`: (offset, length) of each, empty when native; `table`: the same of the
    basic offset table; `pixel_vr`: OB or OW."""

    header: Dataset
    transfer_syntax: str
    element: int | None
    value: int
    end: int
    fragments: list[tuple[int, int]]
    table: tuple[int, int] = (0, 0)
    pixel_vr: str = "OW"


def read_layout(content: bytes) -> Layout:
    """Parse the header and find the pixels. Raises pydicom's errors and ValueError for lengths that lie."""
    file = io.BytesIO(content)
    header = pydicom.dcmread(file, stop_before_pixels=True)
    syntax = str(header.file_meta.TransferSyntaxUID)
    at = file.tell()
    tag = content[at : at + 4]
    if tag != (PIXEL_DATA_BE if syntax == EXPLICIT_BE else PIXEL_DATA_LE):
        return Layout(header, syntax, None, 0, 0, [])
    order = ">" if syntax == EXPLICIT_BE else "<"
    value = at + (8 if syntax == IMPLICIT_LE else 12)
    (length,) = struct.unpack_from(order + "I", content, value - 4)
    if length == UNDEFINED:
        (table, *fragments), end = _items(content, value)
        return Layout(header, syntax, at, value, end, fragments, table)
    if syntax not in NATIVE or value + length > len(content):
        raise ValueError("the length of the pixel data is beyond the end of the file")
    vr = "OW" if syntax == IMPLICIT_LE else content[at + 4 : at + 6].decode("ascii", "replace")
    return Layout(header, syntax, at, value, value + length, [], pixel_vr=vr)


def has_foreign_tail(content: bytes, layout: Layout) -> bool:
    """Whether anything but one trailing padding element (PS3.10 §7.2) follows the pixels: it could tell who it is."""
    tail = content[layout.end :]
    order = ">" if layout.transfer_syntax == EXPLICIT_BE else "<"
    head = 8 if layout.transfer_syntax == IMPLICIT_LE else 12
    is_padding = (
        len(tail) >= head
        and tail.startswith(struct.pack(order + "HH", *TRAILING_PADDING))
        and struct.unpack_from(order + "I", tail, head - 4)[0] == len(tail) - head
    )
    return bool(tail) and not is_padding


def _items(content: bytes, at: int) -> tuple[list[tuple[int, int]], int]:
    found: list[tuple[int, int]] = []
    while True:
        tag, length = struct.unpack_from("<II", content, at)
        at += 8
        if tag == SEQUENCE_DELIMITER:
            if not found:
                raise ValueError("the pixel data has no offset table")
            return found, at
        if tag != ITEM or at + length > len(content):
            raise ValueError("the fragments of the pixel data are broken")
        found.append((at, length))
        at += length
