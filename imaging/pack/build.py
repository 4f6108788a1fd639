"""From received files to the finished ZIP, and the proof that every file can be rebuilt from it byte by byte."""

import base64
import gzip
import json
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

from core.logs import get_logger
from crypto.sm3 import sm3
from imaging import codecs
from imaging.errors import NotIdentical
from imaging.film_series import series_of
from imaging.frame_columns import expand
from imaging.frame_table import pack_view
from imaging.pack.levels import Levels
from imaging.pack.limited import Failed, LimitedProcesses, Work
from imaging.pack.lossy_copies import LossyCopies
from imaging.pack.pictures import Pictures, draw
from imaging.pack.prepare import prepare_file
from imaging.pack.source import PackSource, Prepared
from imaging.pack.zip_writer import AlignedZip

WORKERS = 2
_log = get_logger("imaging")


@dataclass
class BuiltPack:
    """The ZIP at `path`, its manifest, its pixel chunks, and the pictures of its key image."""

    path: Path
    manifest: dict[str, Any]
    pixel_chunks: list[tuple[int, int]] = field(default_factory=list)
    pictures: Pictures | None = None


def build(sources: Sequence[PackSource], path: Path, with_lossy: bool = True) -> BuiltPack:
    """Write the pack of `sources` to `path` (fsynced). The same sources give the same bytes.

    `with_lossy`: a smaller copy of deep grey frames is laid beside them, for slow networks.
    """
    rows: list[dict[str, Any]] = []
    levels, metadata = Levels(), []
    with (
        LimitedProcesses(min(WORKERS, len(sources))) as processes,
        AlignedZip(path) as archive,
        LossyCopies(path) as copies,
    ):
        prepared = _prepared(processes, sources, with_lossy)
        for index, (source, instance) in enumerate(zip(sources, prepared, strict=True), start=1):
            rows.append(_add(archive, f"{index:04d}", source, instance))
            levels.add(instance)
            copies.add(rows[-1], instance)
            metadata.append(json.dumps(instance.metadata, ensure_ascii=False))
        copies.write(archive)
        manifest = {"version": 1, "instances": rows, "low": levels.write(archive)}
        pictures = _draw(processes, archive, manifest)
        if pictures is not None:
            archive.add("preview.webp", pictures.preview, (0, len(pictures.preview)))
            archive.add("thumbnail.webp", pictures.thumbnail, (0, len(pictures.thumbnail)))
        archive.add("metadata.json.gz", gzip.compress(f"[{','.join(metadata)}]".encode(), mtime=0))
        archive.add("MANIFEST.json", json.dumps(manifest, ensure_ascii=False, indent=1).encode())
        pixel_chunks = list(archive.pixel_chunks)
    _sync(path)
    return BuiltPack(path, manifest, pixel_chunks, pictures)


def prove(built: BuiltPack, sources: Sequence[PackSource]) -> int:
    """Rebuild every received file from the ZIP alone; return how many. Raises `NotIdentical` at the first difference."""
    with zipfile.ZipFile(built.path) as archive:
        manifest = json.loads(archive.read("MANIFEST.json"))
        if len(manifest["instances"]) != len(sources):
            raise NotIdentical(
                f"{built.path.name} has {len(manifest['instances'])} of {len(sources)} instances"
            )
        for row, source in zip(manifest["instances"], sources, strict=True):
            if sm3(rebuild(archive, row)).hex() != source.file_sm3:
                raise NotIdentical(
                    f"instance {source.sop_uid}: the rebuilt file differs; the received one stays"
                )
    return len(sources)


def rebuild(archive: zipfile.ZipFile, row: dict[str, Any]) -> bytes:
    """The file as it was received, from one manifest row and its entry."""
    entry = archive.read(row["name"])
    how = row["rebuild"]
    if how["kind"] == "verbatim":
        return entry
    head = (
        entry[how["head"][0] : how["head"][1]]
        if how["head"]
        else archive.read(f"original/{row['name'][:4]}.head")
    )
    pixels = b"".join(
        codecs.decode(entry[offset : offset + length], row["view"]).tobytes()
        for offset, length in row["entry_frames"]
    )
    return b"".join(
        (
            base64.b64decode(how["meta"]),
            head,
            base64.b64decode(how["element"]),
            pixels,
            bytes.fromhex(how["pad"]),
        )
    )


def _add(archive: AlignedZip, number: str, source: PackSource, instance: Prepared) -> dict[str, Any]:
    at = archive.add(f"{number}.dcm", instance.entry, instance.pixel_span)
    if instance.original_head is not None:
        archive.add(f"original/{number}.head", instance.original_head)
    frames = [[at + offset, length] for offset, length in instance.frames]
    if instance.joined:
        frames = _add_joined(archive, number, instance.joined)
    return {
        "name": f"{number}.dcm",
        "sop_uid": source.sop_uid,
        "number": source.number,
        "file_sm3": source.file_sm3,
        "entry_offset": at,
        "entry_length": len(instance.entry),
        "entry_frames": instance.frames,
        "frames": frames,
        "view": instance.view,
        **_when_there(
            frame_views=instance.frame_views,
            tables=instance.tables,
            levels=instance.levels,
            document=instance.document,
            pieces=[[at + offset, length] for offset, length in instance.pieces],
        ),
        "rebuild": instance.rebuild,
        "flags": instance.flags,
    }


def _add_joined(archive: AlignedZip, number: str, streams: list[bytes]) -> list[list[int]]:
    """Frames that came in pieces or beside names once more, each in one: a viewer reads one range of pixels a frame."""
    content = b"".join(streams)
    at = archive.add(f"joined/{number}.bin", content, (0, len(content)))
    ends = list(accumulate(len(stream) for stream in streams))
    return [[at + end - len(stream), len(stream)] for end, stream in zip(ends, streams, strict=True)]


def _when_there(**facts: Any) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value}


def _prepared(
    processes: LimitedProcesses, sources: Sequence[PackSource], with_lossy: bool
) -> Iterator[Prepared]:
    """Every source, in order; one that its process did not survive is kept as it is."""
    works = (Work(prepare_file, (source.path, with_lossy), source.path.stat().st_size) for source in sources)
    for source, made in zip(sources, processes.run(works), strict=True):
        if isinstance(made, Failed):
            _log.warning("kept_as_received", sop_uid=source.sop_uid, why=made.why)
            yield Prepared(entry=source.path.read_bytes(), flags=[f"unreadable:{made.why}"])
        else:
            yield made


def _draw(processes: LimitedProcesses, archive: AlignedZip, manifest: dict[str, Any]) -> Pictures | None:
    """Preview and thumbnail of the frame that a viewer shows first; None when it cannot be drawn."""
    view = pack_view(manifest)
    if not view["count"]:
        return None
    frame = expand(view)[series_of([view])["key"]]
    size = frame["rows"] * frame["columns"] * frame["samples"]
    data = archive.read(frame["offset"], frame["length"])
    work = Work(draw, (data, frame, view["tables"]), max(len(data), 2 * size))
    (made,) = processes.run([work])
    return None if isinstance(made, Failed) else made


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
