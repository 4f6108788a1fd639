"""The file that a backup is: one sealed object, a manifest, a signature.

    magic "CFKEYS1\\n" (8)
    sealed object (`crypto.sealed_object`, chunks of 64 KiB, SM4-GCM under the backup key): system key (16) ‖ database
    manifest (`crypto.vault.manifest`), in clear
    SM2 signature over the manifest (64), which holds SM3 of the sealed object
    length of the manifest, u32 big-endian ‖ magic "CFKEYS1\\n"

So whoever stores an archive can check it without any secret, and nobody who lacks the backup key can read it. Everything
here works on streams: memory stays constant whatever the number of keys.
"""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from crypto.errors import SealBroken, ShareRefused, SignatureRefused
from crypto.provider import Provider, Sm2Engine
from crypto.sealed_object import (
    FILE_CHUNK_LOG2,
    HEADER_SIZE,
    SealedHeader,
    SealedReader,
    class_keys,
    key_commitment,
    seal,
    verify_commitment,
)
from crypto.sm3 import Sm3
from crypto.vault.manifest import Manifest

MAGIC = b"CFKEYS1\n"
_SIGNATURE_SIZE = 64
_TAIL_SIZE = 4 + len(MAGIC)
_MANIFEST_LIMIT = 64 * 1024
_PIECE = 1024 * 1024

Progress = Callable[[int, int], None]


class Body(NamedTuple):
    """The sealed object as it was written: what the manifest says about it."""

    archive_id: bytes
    size: int
    digest: bytes
    commitment: bytes


class Opened(NamedTuple):
    """An archive whose signature and digest were checked."""

    path: Path
    manifest: Manifest


def write_body(sink: BinaryIO, content: BinaryIO, length: int, key: bytes, provider: Provider) -> Body:
    """Seal `length` bytes of `content` behind the magic. Raises `SourceChanged`.

    One backup key serves all archives of its set: what seals is derived from it and the object's random id, so that no
    nonce is used twice under one key.
    """
    header = SealedHeader.new(length, FILE_CHUNK_LOG2, has_class_map=False)
    sink.write(MAGIC)
    tap = _Digesting(sink)
    seal(content, cast(BinaryIO, tap), header, key, provider)
    commitment = key_commitment(key, header.pack())
    return Body(header.object_id, header.sealed_length, tap.digest.digest(), commitment)


def write_end(sink: BinaryIO, manifest: Manifest, sign: Callable[[bytes], bytes]) -> None:
    """Put the manifest and its signature after the body."""
    packed = manifest.pack()
    sink.write(packed + sign(packed) + len(packed).to_bytes(4, "big") + MAGIC)


def verify(path: Path, sm2: Sm2Engine, progress: Progress) -> Opened:
    """Check the archive without any secret. Raises `SealBroken` (no archive, cut, altered), `SignatureRefused`."""
    with path.open("rb") as file:
        manifest, packed, signature = _read_end(file, path)
        if not sm2.verify_many([bytes.fromhex(manifest.signer)], [packed], [signature])[0]:
            raise SignatureRefused(f"archive {path}: its manifest was not signed by the key that it names")
        _verify_body(file, path, manifest, progress)
    return Opened(path, manifest)


def verify_key(archive: Opened, key: bytes) -> None:
    """Raises `ShareRefused` unless `key` is the backup key of this archive."""
    with archive.path.open("rb") as file:
        header = _read_range(file)(0, HEADER_SIZE)
    try:
        verify_commitment(key, header, bytes.fromhex(archive.manifest.key_commitment))
    except SealBroken:
        raise ShareRefused(
            f"the shares do not give the key of archive {archive.path} (it needs set {archive.manifest.share_set}): "
            "one of them was altered, or they are of another archive"
        ) from None


def read_body(archive: Opened, key: bytes, provider: Provider) -> Iterator[bytes]:
    """The content in verified pieces of up to 1 MiB. Raises `SealBroken`, `ShareRefused`."""
    verify_key(archive, key)
    with archive.path.open("rb") as file:
        read_range = _read_range(file)
        header = SealedHeader.parse(read_range(0, HEADER_SIZE))
        yield from SealedReader(read_range, class_keys(key, header.object_id), provider).stream_all()


def _read_end(file: BinaryIO, path: Path) -> tuple[Manifest, bytes, bytes]:
    size = file.seek(0, os.SEEK_END)
    if size < len(MAGIC) + HEADER_SIZE + _SIGNATURE_SIZE + _TAIL_SIZE or _at(file, 0, len(MAGIC)) != MAGIC:
        raise SealBroken(f"{path} is no archive of keys")
    tail = _at(file, size - _TAIL_SIZE, _TAIL_SIZE)
    length = int.from_bytes(tail[:4], "big")
    start = size - _TAIL_SIZE - _SIGNATURE_SIZE - length
    if tail[4:] != MAGIC or length > _MANIFEST_LIMIT or start < len(MAGIC) + HEADER_SIZE:
        raise SealBroken(f"archive {path} was cut or altered at its end; take another copy")
    packed = _at(file, start, length)
    manifest = Manifest.parse(packed)
    if manifest.body_size != start - len(MAGIC) or manifest.pack() != packed:
        raise SealBroken(f"archive {path}: its length is not what the manifest says; take another copy")
    return manifest, packed, _at(file, start + length, _SIGNATURE_SIZE)


def _verify_body(file: BinaryIO, path: Path, manifest: Manifest, progress: Progress) -> None:
    digest = Sm3()
    file.seek(len(MAGIC))
    for start in range(0, manifest.body_size, _PIECE):
        digest.update(file.read(min(_PIECE, manifest.body_size - start)))
        progress(min(start + _PIECE, manifest.body_size), manifest.body_size)
    if digest.hexdigest() != manifest.body_sm3:
        raise SealBroken(
            f"archive {path} was altered: SM3 of its content is not what was signed; take another copy"
        )


def _read_range(file: BinaryIO) -> Callable[[int, int], bytes]:
    return lambda start, end: _at(file, len(MAGIC) + start, end - start)


def _at(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    return file.read(length)


class _Digesting(io.RawIOBase):
    """Passes on what is written, and SM3 of it."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self.digest = Sm3()

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.digest.update(data)
        return self._sink.write(data)
