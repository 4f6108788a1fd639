"""From received files to the finished ZIP, and the proof that every file can be rebuilt from it byte by byte."""

import base64
import gzip
import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crypto.sm3 import sm3
from imaging import codecs
from imaging.errors import NotIdentical
from imaging.pack.limited import LimitedProcesses
from imaging.pack.pictures import Pictures
from imaging.pack.source import PackSource, Prepared
from imaging.pack.zip_writer import AlignedZip

WORKERS = 2


@dataclass
class BuiltPack:
    """The ZIP at `path`, its manifest, its pixel chunks, and the pictures of its key image."""

    path: Path
    manifest: dict[str, Any]
    pixel_chunks: list[tuple[int, int]] = field(default_factory=list)
    pictures: Pictures | None = None


def build(sources: Sequence[PackSource], path: Path) -> BuiltPack:
    """Write the pack of `sources` to `path` (fsynced). The same sources give the same bytes."""
    with LimitedProcesses(min(WORKERS, len(sources))) as processes:
        prepared = processes.prepare_all([source.path for source in sources])
        pictures = _draw(processes, prepared)
    manifest: dict[str, Any] = {"version": 1, "instances": []}
    with AlignedZip(path) as archive:
        for index, (source, instance) in enumerate(zip(sources, prepared, strict=True), start=1):
            manifest["instances"].append(_add(archive, f"{index:04d}", source, instance))
        manifest["low"] = _add_low(archive, prepared)
        if pictures is not None:
            archive.add("preview.webp", pictures.preview, (0, len(pictures.preview)))
            archive.add("thumbnail.webp", pictures.thumbnail, (0, len(pictures.thumbnail)))
        archive.add("metadata.json.gz", _gzip([instance.metadata for instance in prepared]))
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
    return {
        "name": f"{number}.dcm",
        "sop_uid": source.sop_uid,
        "number": source.number,
        "file_sm3": source.file_sm3,
        "entry_offset": at,
        "entry_length": len(instance.entry),
        "entry_frames": instance.frames,
        "frames": [[at + offset, length] for offset, length in instance.frames],
        "view": instance.view,
        "rebuild": instance.rebuild,
        "flags": instance.flags,
    }


def _add_low(archive: AlignedZip, prepared: list[Prepared]) -> dict[str, Any] | None:
    """Coarse levels of the whole series in one place: all prefixes up to 32², then the rest of each up to 64²."""
    small, more, table = bytearray(), bytearray(), []
    for instance in prepared:
        for (offset, _), (low, mid) in zip(instance.frames, instance.prefixes, strict=False):
            table.append([len(small), low, len(more), mid - low])
            small += instance.entry[offset : offset + low]
            more += instance.entry[offset + low : offset + mid]
    if not table:
        return None
    at = archive.add("low.bin", bytes(small + more), (0, len(small) + len(more)))
    frames = [[first, low, len(small) + second, rest] for first, low, second, rest in table]
    return {"offset": at, "length": len(small) + len(more), "frames": frames}


def _draw(processes: LimitedProcesses, prepared: list[Prepared]) -> Pictures | None:
    drawable = [instance for instance in prepared if instance.frames]
    if not drawable:
        return None
    key = drawable[len(drawable) // 2]
    return processes.draw(key, len(key.frames) // 2)


def _gzip(value: Any) -> bytes:
    return gzip.compress(json.dumps(value, ensure_ascii=False).encode(), mtime=0)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
