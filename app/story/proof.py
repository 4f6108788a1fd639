"""What only the source files can prove: the store gives back every data set, the browser sees the source's pixels."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom

from app.platform import build_platform
from app.story.person import Person
from core import db
from core.config import Settings
from core.models import Instance
from imaging import codecs
from imaging.frame_columns import expand
from imaging.pack.part10 import read_layout
from workflow.rebuild_file import rebuild_file


def rebuilt_identical(settings: Settings, files: list[Path]) -> dict[str, Any]:
    """Rebuild every instance from the object in the store alone (the front disk's copy is not looked at) and compare
    its data set with the source file's, byte by byte."""
    platform = build_platform(settings)
    identical, spooled = 0, 0
    sources = {_dataset_of(path) for path in files}
    with db.connection():
        for instance in Instance.select():
            spooled += instance.spool_name is not None
            pack = instance.pack
            pack.local_path = None
            identical += _dataset(rebuild_file(platform, instance)) in sources
    return {"rebuilt_identical": identical, "left_in_spool": spooled}


def first_frame_identical(person: Person, manifest: dict[str, Any], files: list[Path]) -> bool:
    """The frame that the viewer shows first: ciphertext range → pixel key → decoder, against the source's pixels."""
    first = manifest["first"]
    if first is None:
        return False
    series = manifest["series"][first["series"]]
    frame = expand(series)[first["frame"]]
    seen = codecs.decode(person.open_frame(manifest, frame, series), frame)
    source = next(path for path in files if _uid(path) == frame["instance"])
    return bool(np.array_equal(seen, _source_pixels(source, frame)))


def _source_pixels(path: Path, frame: dict[str, Any]) -> np.ndarray:
    content = path.read_bytes()
    layout = read_layout(content)
    at, number = layout.value, frame["frame"] - 1
    if layout.fragments:
        offset, length = layout.fragments[number]
        codec = codecs.CODEC_OF_TRANSFER_SYNTAX[layout.transfer_syntax]
        return codecs.decode(content[offset : offset + length], {**frame, "codec": codec})
    size = frame["rows"] * frame["columns"] * frame["samples"] * frame["bits_allocated"] // 8
    return codecs.decode(content[at + number * size : at + (number + 1) * size], {**frame, "codec": "raw"})


def _uid(path: Path) -> str:
    return str(
        pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SOPInstanceUID"]).SOPInstanceUID
    )


def _dataset_of(path: Path) -> bytes:
    return _dataset(path.read_bytes())


def _dataset(part10: bytes) -> bytes:
    """What follows the file meta information: the part that travels by C-STORE."""
    from imaging.pack.entry_writer import meta_end

    return part10[meta_end(part10) :]
