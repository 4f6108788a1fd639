"""Which files a command means: those named, and all below the folders named. Links are not followed."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crypto.files.envelope import KEY_SUFFIX
from crypto.files.placing import is_ours
from crypto.files.sealed_file import SUFFIX


@dataclass(frozen=True)
class Found:
    """A file (or what lies in the place of one), its length, and its path from the folder that was named, "/" between."""

    path: Path
    byte_size: int
    name: str


def to_seal(paths: list[Path], out: Path | None) -> Iterator[Found]:
    """All but what is sealed already, half-made, or lies in `out`; in the order of names."""
    for path in paths:
        for found in _below(path, out.resolve() if out else None):
            if not found.name.endswith((SUFFIX, SUFFIX + KEY_SUFFIX)) and not is_ours(found.path.name):
                yield found


def sealed(paths: list[Path]) -> Iterator[Found]:
    """Sealed files: those named, and all `.cfs` below folders."""
    for path in paths:
        for found in _below(path, None):
            if found.path == path or found.name.endswith(SUFFIX):
                yield found


def watched(folder: Path, out: Path) -> Iterator[Found]:
    """All below `folder` but `out` and what begins with a dot; names begin below `folder`."""
    for found in _walk(folder, "", out.resolve()):
        if not any(part.startswith(".") for part in found.name.split("/")):
            yield found


def _below(path: Path, without: Path | None) -> Iterator[Found]:
    if path.is_dir() and not path.is_symlink():
        yield from _walk(path, path.resolve().name, without)
    else:
        yield Found(path, _size_of(path), path.name)


def _walk(folder: Path, name: str, without: Path | None) -> Iterator[Found]:
    """Depth by a list and not by calls: a tree of any depth is walked."""
    waiting = [(folder, name)]
    while waiting:
        place, called = waiting.pop()
        if place.resolve() == without:
            continue
        try:
            with os.scandir(place) as entries:
                ordered = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            yield Found(place, 0, called)  # whoever wants to read it is told why it cannot be read
            continue
        prefix = f"{called}/" if called else ""
        for entry in ordered:
            if not entry.is_dir(follow_symlinks=False):
                yield Found(Path(entry.path), _size_of(Path(entry.path)), prefix + entry.name)
        waiting += [
            (Path(entry.path), prefix + entry.name)
            for entry in reversed(ordered)
            if entry.is_dir(follow_symlinks=False)
        ]


def _size_of(path: Path) -> int:
    """0 for what has gone meanwhile: whoever wants to read it is told."""
    try:
        return path.stat(follow_symlinks=False).st_size
    except OSError:
        return 0
