"""What goes into a pack and what becomes of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class PackSource:
    """One received file: where it lies, its SOP Instance UID, the SM3 (hex) of its bytes, its instance number."""

    path: Path
    sop_uid: str
    file_sm3: str
    number: int | None


@dataclass
class Prepared:
    """One instance ready to be written.

    `entry`: the bytes of its .dcm; `pixel_span`: the part of `entry` that is pixels (None: all head);
    `frames`: (offset in entry, length) of each frame that can be served; `joined`: instead of `frames`, copies of those
    that lie in several pieces or beside names; `rebuild`: how the received bytes come back; `view`: the viewer's facts
    that all its frames share; `frame_views`: what each has of its own; `tables`: look-up tables that they point to;
    `levels`: per frame, codestream bytes up to each resolution; `prefixes`: up to 32² and 64²; `lossy`: per frame a
    smaller codestream or none; `document`: what is told of an instance that is no picture; `pieces`: (offset in entry,
    length) of a video.
    """

    entry: bytes
    pixel_span: tuple[int, int] | None = None
    frames: list[tuple[int, int]] = field(default_factory=list)
    joined: list[bytes] = field(default_factory=list)
    levels: list[list[int]] = field(default_factory=list)
    prefixes: list[tuple[int, int]] = field(default_factory=list)
    lossy: list[bytes | None] = field(default_factory=list)
    rebuild: dict[str, Any] = field(default_factory=lambda: {"kind": "verbatim"})
    original_head: bytes | None = None
    view: dict[str, Any] = field(default_factory=dict)
    frame_views: list[dict[str, Any]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)
    pieces: list[tuple[int, int]] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
