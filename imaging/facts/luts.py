"""Look-up tables: Modality LUT, VOI LUT, palettes, segmented palettes (PS3.3 §C.11.1, §C.11.2, §C.7.6.3.1.5, §C.7.9.2).

A table is {first, bits, data}: the first stored value mapped, bits of an output value, and the entries as base64 of
unsigned 16-bit little endian. A table that is not whole is none.
"""

import base64
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from imaging.facts.values import first_item

COLOURS = ("Red", "Green", "Blue")
MAX_ENTRIES = 65536
MIN_BITS, MAX_BITS = 8, 16
DISCRETE, LINEAR, INDIRECT = 0, 1, 2


def modality_lut(header: Dataset) -> dict[str, Any] | None:
    """The first item of Modality LUT Sequence."""
    return _sequence_lut(header, "ModalityLUTSequence", _is_signed(header))


def voi_lut(header: Dataset) -> dict[str, Any] | None:
    """The first item of VOI LUT Sequence; its input is what the Modality LUT or rescale gives."""
    try:
        is_below_zero = float(header.get("RescaleIntercept") or 0) < 0
    except Exception:
        is_below_zero = False
    return _sequence_lut(header, "VOILUTSequence", _is_signed(header) or is_below_zero)


def palette(header: Dataset) -> list[dict[str, Any]] | None:
    """Red, green and blue, or None when one of them cannot be read."""
    try:
        tables = [_colour(header, colour) for colour in COLOURS]
    except Exception:
        return None
    if any(table is None for table in tables):
        return None
    found = [table for table in tables if table is not None]
    # Some devices write 16 bits into the descriptor and values of 8 into the data: it would all be black.
    bits = 8 if max(int(entries.max()) for _, _, entries in found) < 256 else MAX_BITS
    return [_table(first, bits, entries) for first, _, entries in found]


def _colour(header: Dataset, colour: str) -> tuple[int, int, np.ndarray] | None:
    name = f"{colour}PaletteColorLookupTable"
    descriptor = _words(header.get(f"{name}Descriptor"), _order(header))
    count, first, bits = _described(descriptor, is_signed=False)
    plain = header.get(f"{name}Data")
    if plain is not None:
        entries = _entries(plain, count, _order(header))
    else:
        segments = header.get(f"Segmented{name}Data")
        if segments is None:
            return None
        width = 1 if bits == MIN_BITS and isinstance(segments, bytes) else 2
        source = (
            np.frombuffer(segments, "u1").astype("u2") if width == 1 else _words(segments, _order(header))
        )
        entries = _expanded(source, count, width)
    return None if entries is None else (first, bits, entries)


def _sequence_lut(header: Dataset, name: str, is_signed: bool) -> dict[str, Any] | None:
    try:
        item = first_item(header, name)
        if item is None:
            return None
        order = _order(header)
        count, first, bits = _described(_words(item.get("LUTDescriptor"), order), is_signed)
        entries = _entries(item.get("LUTData"), count, order)
        if entries is None:
            return None
        return _table(first, MAX_BITS if int(entries.max()) >> bits else bits, entries)
    except Exception:
        return None


def _described(descriptor: np.ndarray, is_signed: bool) -> tuple[int, int, int]:
    """(entries, first value, bits). Zero entries stand for 65536; raises ValueError for what cannot be."""
    count, first, bits = (int(value) for value in descriptor)
    if not MIN_BITS <= bits <= MAX_BITS:
        raise ValueError("a look-up table has 8 to 16 bits")
    return count or MAX_ENTRIES, first - 65536 if is_signed and first >= 32768 else first, bits


def _entries(value: Any, count: int, order: str) -> np.ndarray | None:
    """`count` entries from words, or from bytes packed two in a word (PS3.3 §C.11.1.1.1 note)."""
    data = _words(value, order)
    if len(data) >= count:
        return data[:count]
    packed = data.astype("<u2").view("u1") if not isinstance(value, bytes) else np.frombuffer(value, "u1")
    return packed[:count].astype("u2") if len(packed) >= count else None


def _words(value: Any, order: str) -> np.ndarray:
    """16-bit words of an element, whichever VR it was given: bytes in the order of the file, or numbers."""
    if isinstance(value, bytes):
        return np.frombuffer(value[: len(value) // 2 * 2], order + "u2").astype("u2")
    values = [value] if isinstance(value, int) else list(value)[:MAX_ENTRIES]
    return (np.array(values, "i8") & 0xFFFF).astype("u2")


def _expanded(words: np.ndarray, count: int, width: int) -> np.ndarray | None:
    """Segments written out (PS3.3 §C.7.9.2.1). `width`: bytes of one word, for the offsets of indirect segments."""
    out: list[int] = []
    _run(words.tolist(), 0, None, out, count, width)
    return np.array(out[:count], "u2") if len(out) >= count else None


def _run(words: list[int], at: int, segments: int | None, out: list[int], count: int, width: int) -> None:
    while at + 2 <= len(words) and len(out) < count and segments != 0:
        opcode, length = words[at], words[at + 1]
        at += 2
        if opcode == DISCRETE:
            out.extend(words[at : at + length])
            at += length
        elif opcode == LINEAR:
            start, end = out[-1], words[at]
            out.extend(round(start + (end - start) * step / length) for step in range(1, length + 1))
            at += 1
        elif opcode == INDIRECT and segments is None:
            parts = 4 // width
            offset = sum(words[at + index] << (8 * width * index) for index in range(parts))
            _run(words, offset // width, length, out, count, width)
            at += parts
        else:
            raise ValueError("a segmented palette has a segment of no known kind")
        segments = None if segments is None else segments - 1


def _table(first: int, bits: int, entries: np.ndarray) -> dict[str, Any]:
    return {"first": first, "bits": bits, "data": base64.b64encode(entries.astype("<u2").tobytes()).decode()}


def _is_signed(header: Dataset) -> bool:
    try:
        return bool(int(header.get("PixelRepresentation") or 0))
    except Exception:
        return False


def _order(header: Dataset) -> str:
    return ">" if header.original_encoding[1] is False else "<"
