"""One received instance → one entry of the pack. Runs in a limited process: it parses and decodes foreign bytes.

Native grey pixels of 8 or 16 bits become HTJ2K; everything else is kept byte for byte, with its frames located.
"""

import base64
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from imaging import codecs
from imaging.pack import entry_writer
from imaging.pack.part10 import Layout, has_foreign_tail, read_layout
from imaging.pack.source import Prepared
from imaging.pack.view_facts import metadata_of, view_facts

# 2³¹ samples is far beyond any real frame stack and would be 4 GB.
MAX_SAMPLES = 2**31


def prepare_file(path: Path) -> Prepared:
    """`prepare` for the file at `path`."""
    return prepare(path.read_bytes())


def prepare(content: bytes) -> Prepared:
    """The entry for a received Part-10 file. What cannot be read is kept verbatim and says why in `flags`."""
    try:
        layout = read_layout(content)
    except Exception as error:
        return Prepared(entry=content, flags=[f"unreadable:{type(error).__name__}"])
    try:
        metadata = metadata_of(layout.header)
    except Exception:
        metadata = {}
    if layout.element is None:
        return Prepared(
            entry=content, metadata=metadata, view=view_facts(layout.header, "none"), flags=["no-pixels"]
        )
    try:
        prepared = _encoded(content, layout) or _verbatim(content, layout)
    except Exception as error:
        prepared = Prepared(entry=content, flags=[f"pixels-unreadable:{type(error).__name__}"])
    prepared.metadata = metadata
    return prepared


def _encoded(content: bytes, layout: Layout) -> Prepared | None:
    """HTJ2K entry, or None when these pixels are not ours to encode."""
    header = layout.header
    bits, samples = int(header.BitsAllocated), int(header.SamplesPerPixel)
    if layout.transfer_syntax not in (codecs.EXPLICIT_LE, codecs.IMPLICIT_LE) or layout.fragments:
        return None
    if bits not in (8, 16) or samples != 1 or layout.end != len(content):
        return None
    frames = int(header.get("NumberOfFrames") or 1)
    rows, columns = int(header.Rows), int(header.Columns)
    size = rows * columns * bits // 8
    value = content[layout.value : layout.end]
    if not 0 < frames * rows * columns < MAX_SAMPLES or len(value) not in (frames * size, frames * size + 1):
        return None
    kind = np.dtype(f"<{'i' if int(header.PixelRepresentation) else 'u'}{bits // 8}")
    streams = []
    for index in range(frames):
        pixels = np.frombuffer(value, kind, rows * columns, index * size).reshape(rows, columns)
        stream = codecs.encode(pixels.astype(kind.newbyteorder("=")))
        facts = {**view_facts(header, "htj2k"), "codec": "htj2k"}
        if not np.array_equal(codecs.decode(stream, facts), pixels):
            return None
        streams.append(stream)
    return _htj2k_entry(content, layout, streams, value[frames * size :])


def _htj2k_entry(content: bytes, layout: Layout, streams: list[bytes], pad: bytes) -> Prepared:
    meta_end = entry_writer.meta_end(content)
    is_explicit = layout.transfer_syntax == codecs.EXPLICIT_LE
    assert layout.element is not None  # noqa: S101 — the caller has seen it
    head = content[meta_end : layout.element] if is_explicit else entry_writer.explicit_head(layout.header)
    meta = entry_writer.meta_with(layout.header, UID(codecs.HTJ2K_LOSSLESS_RPCL))
    encapsulated = encapsulate([stream + b"\0" * (len(stream) & 1) for stream in streams])
    value_at = len(meta) + len(head) + 12
    body = meta + head + entry_writer.PIXEL_DATA_HEADER + encapsulated + entry_writer.DELIMITER
    frames, at = [], value_at + 8 + 4 * len(streams)
    for stream in streams:
        at += 8
        frames.append((at, len(stream)))
        at += len(stream) + (len(stream) & 1)
    entry = entry_writer.with_trailing_padding(body, frames[0][0])
    rebuild: dict[str, Any] = {
        "kind": "htj2k",
        "meta": base64.b64encode(content[:meta_end]).decode(),
        "element": base64.b64encode(content[layout.element : layout.value]).decode(),
        "head": [len(meta), len(meta) + len(head)] if is_explicit else None,
        "pad": pad.hex(),
    }
    return Prepared(
        entry=entry,
        pixel_span=(frames[0][0], len(entry)),
        frames=frames,
        prefixes=[entry_writer.level_prefixes(stream, layout.header) for stream in streams],
        rebuild=rebuild,
        original_head=None if is_explicit else content[meta_end : layout.element],
        view=view_facts(layout.header, "htj2k"),
    )


def _verbatim(content: bytes, layout: Layout) -> Prepared:
    """The file as received; frames are served where one lies in one piece and nothing but pixels shares its chunks."""
    header = layout.header
    codec = codecs.CODEC_OF_TRANSFER_SYNTAX.get(layout.transfer_syntax, "unknown")
    prepared = Prepared(entry=content, view=view_facts(header, codec), flags=["verbatim"])
    if has_foreign_tail(content, layout):
        prepared.flags.append("mixed")
        return prepared
    prepared.pixel_span = (layout.fragments[0][0] if layout.fragments else layout.value, len(content))
    prepared.frames = _frames_in_place(header, layout)
    if not prepared.frames:
        prepared.flags.append("frames-in-pieces")
    return prepared


def _frames_in_place(header: Dataset, layout: Layout) -> list[tuple[int, int]]:
    frames = int(header.get("NumberOfFrames") or 1)
    if not int(header.Rows) * int(header.Columns):
        return []
    if layout.fragments:
        return layout.fragments if len(layout.fragments) == frames else []
    bits = int(header.BitsAllocated)
    size = int(header.Rows) * int(header.Columns) * int(header.SamplesPerPixel) * bits // 8
    is_plain = bits in (8, 16, 32) and (layout.transfer_syntax != codecs.EXPLICIT_BE or bits == 8)
    if (
        not is_plain
        or int(header.get("PlanarConfiguration") or 0)
        or frames * size > layout.end - layout.value
    ):
        return []
    return [(layout.value + index * size, size) for index in range(frames)]
