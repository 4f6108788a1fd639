"""One received instance → one entry of the pack. Runs in a limited process: it parses and decodes foreign bytes.

Native grey pixels of 8 or 16 bits become HTJ2K; everything else is kept byte for byte, with its frames located.
"""

import base64
from pathlib import Path

import numpy as np
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from imaging import codecs
from imaging.facts.document import document_facts
from imaging.pack import entry_writer, fragments, lossy
from imaging.pack.native import native_frames
from imaging.pack.part10 import Layout, has_foreign_tail, read_layout
from imaging.pack.pictures import stored_values
from imaging.pack.source import Prepared
from imaging.pack.view_facts import facts_of, metadata_of, view_facts

# 2³¹ samples is far beyond any real frame stack and would be 4 GB.
MAX_SAMPLES = 2**31
# A frame has a row in tables that a browser reads; it takes no more than this of one series.
MAX_FRAMES = 50_000


def prepare_file(path: Path, with_lossy: bool = True) -> Prepared:
    """`prepare` for the file at `path`."""
    return prepare(path.read_bytes(), with_lossy)


def prepare(content: bytes, with_lossy: bool = True) -> Prepared:
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
        prepared = Prepared(entry=content, view=view_facts(layout.header, "none"), flags=["no-pixels"])
    else:
        try:
            prepared = _encoded(content, layout, with_lossy) or _verbatim(content, layout)
        except Exception as error:
            prepared = Prepared(entry=content, flags=[f"pixels-unreadable:{type(error).__name__}"])
    prepared.metadata = metadata
    prepared.document, doubts = document_facts(layout.header)
    prepared.flags += doubts
    return prepared


def _encoded(content: bytes, layout: Layout, with_lossy: bool) -> Prepared | None:
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
    if frames > MAX_FRAMES or _is_shifted(layout):
        return None
    kind = np.dtype(f"<{'i' if int(header.PixelRepresentation) else 'u'}{bits // 8}")
    prepared = Prepared(entry=b"")
    _describe(prepared, layout, "htj2k", frames)
    is_smaller_wanted = with_lossy and lossy.is_worth_it(prepared.view)
    is_plain = True
    streams = []
    for index in range(frames):
        raw = np.frombuffer(value, kind, rows * columns, index * size).reshape(rows, columns)
        pixels = raw.astype(kind.newbyteorder("="))
        stream = codecs.encode(pixels)
        if not np.array_equal(codecs.decode(stream, prepared.view), pixels):
            return None
        streams.append(stream)
        is_plain = is_plain and np.array_equal(stored_values(pixels, prepared.view), pixels)
        is_smaller = is_smaller_wanted and is_plain
        prepared.lossy.append(lossy.encode(pixels, len(stream)) if is_smaller else None)
    _write_entry(prepared, content, layout, streams, value[frames * size :])
    if not is_plain:
        # Overlays above Bits Stored, or numbers without their sign: a mean of two such words is no value between them.
        prepared.lossy, prepared.levels, prepared.prefixes = [], [], []
    return prepared


def _is_shifted(layout: Layout) -> bool:
    """Whether native pixels say that they do not end at bit 0. Writers mean it or err (PS3.5 §8.1.1): we cannot know."""
    high, stored = layout.header.get("HighBit"), layout.header.get("BitsStored")
    return not layout.fragments and None not in (high, stored) and int(high) != int(stored) - 1


def _write_entry(
    prepared: Prepared, content: bytes, layout: Layout, streams: list[bytes], pad: bytes
) -> None:
    meta_end = entry_writer.meta_end(content)
    is_explicit = layout.transfer_syntax == codecs.EXPLICIT_LE
    assert layout.element is not None  # noqa: S101 — the caller has seen it
    head = content[meta_end : layout.element] if is_explicit else entry_writer.explicit_head(layout.header)
    meta = entry_writer.meta_with(layout.header, UID(codecs.HTJ2K_LOSSLESS_RPCL))
    encapsulated = encapsulate([stream + b"\0" * (len(stream) & 1) for stream in streams])
    value_at = len(meta) + len(head) + 12
    body = meta + head + entry_writer.PIXEL_DATA_HEADER + encapsulated + entry_writer.DELIMITER
    at = value_at + 8 + 4 * len(streams)
    for stream in streams:
        at += 8
        prepared.frames.append((at, len(stream)))
        at += len(stream) + (len(stream) & 1)
        ends = entry_writer.level_ends(stream)
        prepared.levels.append(ends)
        prepared.prefixes.append(entry_writer.level_prefixes(ends, layout.header))
    prepared.entry = entry_writer.with_trailing_padding(body, prepared.frames[0][0])
    prepared.pixel_span = (prepared.frames[0][0], len(prepared.entry))
    prepared.rebuild = {
        "kind": "htj2k",
        "meta": base64.b64encode(content[:meta_end]).decode(),
        "element": base64.b64encode(content[layout.element : layout.value]).decode(),
        "head": [len(meta), len(meta) + len(head)] if is_explicit else None,
        "pad": pad.hex(),
    }
    prepared.original_head = None if is_explicit else content[meta_end : layout.element]


def _verbatim(content: bytes, layout: Layout) -> Prepared:
    """The file as received; frames are served where nothing but pixels shares their chunks."""
    header = layout.header
    codec = codecs.CODEC_OF_TRANSFER_SYNTAX.get(layout.transfer_syntax, "unknown")
    prepared = Prepared(entry=content, flags=["verbatim"])
    if _is_shifted(layout):
        codec = "unknown"
        prepared.flags.append("not-understood:HighBit")
    count = int(header.get("NumberOfFrames") or 1)
    _describe(prepared, layout, codec, count if 0 < count <= MAX_FRAMES else 1)
    is_mixed = has_foreign_tail(content, layout)
    if is_mixed:
        prepared.flags.append("mixed")
    else:
        prepared.pixel_span = (layout.fragments[0][0] if layout.fragments else layout.value, len(content))
    if layout.transfer_syntax in codecs.VIDEO:
        prepared.pieces = [] if is_mixed else layout.fragments
        prepared.flags.append("video")
        return prepared
    if 0 < count <= MAX_FRAMES and prepared.view["rows"] * prepared.view["columns"] > 0:
        _locate(prepared, content, layout, count)
    if is_mixed:
        # What lies beside a name opens with no pixel key: the frames are served from a copy.
        prepared.joined = prepared.joined or [content[at : at + size] for at, size in prepared.frames]
        prepared.frames = []
    if not prepared.frames and not prepared.joined:
        prepared.flags.append("frames-in-pieces")
    return prepared


def _locate(prepared: Prepared, content: bytes, layout: Layout, count: int) -> None:
    """Where the frames lie; those in several fragments are joined, for a viewer reads one range a frame."""
    if not layout.fragments:
        prepared.frames = native_frames(layout, prepared.view, count)
        return
    extended = entry_writer.extended_offsets(layout.header, count)
    frames = fragments.frames_of(content, layout.table, layout.fragments, count, extended)
    if all(len(pieces) == 1 for pieces in frames):
        prepared.frames = [pieces[0] for pieces in frames]
    else:
        prepared.joined = [fragments.joined(content, pieces) for pieces in frames]


def _describe(prepared: Prepared, layout: Layout, codec: str, count: int) -> None:
    facts = facts_of(layout.header, codec, count)
    prepared.view, prepared.frame_views, prepared.tables = facts.shared, facts.frames, facts.tables
