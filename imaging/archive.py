"""From spooled files to one sealed, proven pack on the front disk: the whole of it in one call (S1, D3, H2)."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crypto.keyring import Keyring
from crypto.provider import Provider
from imaging.frame_table import pack_view
from imaging.pack.build import build, prove
from imaging.pack.source import PackSource
from imaging.sealing import SealedPack, seal_pack
from imaging.spool import fsync_directory


@dataclass(frozen=True)
class ArchivedPack:
    """A sealed pack at `path`; `view` is the gzip JSON of imaging.frame_table.pack_view; pictures are WebP."""

    sealed: SealedPack
    path: Path
    view: bytes
    preview: bytes | None
    thumbnail: bytes | None
    proven: int


def make_pack(
    sources: Sequence[PackSource],
    workdir: Path,
    packs_dir: Path,
    keyring: Keyring,
    provider: Provider,
    owner: str,
    with_lossy: bool = True,
) -> ArchivedPack:
    """Build, prove, seal. Raises `NotIdentical` before anything is sealed when one file could not be rebuilt."""
    built = build(sources, workdir / "pack.zip", with_lossy)
    proven = prove(built, sources)
    target = workdir / "pack.cfs"
    sealed = seal_pack(built, target, keyring, provider, owner)
    path = packs_dir / f"{sealed.object_id}.cfs"
    target.replace(path)
    fsync_directory(packs_dir)
    view = gzip.compress(json.dumps(pack_view(built.manifest)).encode(), mtime=0)
    pictures = built.pictures
    return ArchivedPack(
        sealed,
        path,
        view,
        pictures.preview if pictures else None,
        pictures.thumbnail if pictures else None,
        proven,
    )
