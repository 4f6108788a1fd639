"""A finished pack becomes ciphertext, and a sealed pack opens again (H2, C1; docs/sealed-pack.md §2)."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crypto.class_keys import pixel_key
from crypto.keyring import Keyring, WrappedKey
from crypto.provider import Provider
from crypto.sealed_object import (
    PACK_CHUNK_LOG2,
    SealedHeader,
    SealedReader,
    class_keys,
    key_commitment,
    seal,
    verify_commitment,
)
from crypto.sm3 import Sm3
from imaging.pack.build import BuiltPack
from imaging.spool import fsync_directory

KIND = "pack"


@dataclass(frozen=True)
class SealedPack:
    """What the database keeps of a sealed pack; `sealed_sm3` is over the whole object, hex."""

    object_id: str
    header: bytes
    wrapped_key: bytes
    kek_version: int
    key_commitment: bytes
    plain_length: int
    sealed_length: int
    sealed_sm3: str


def seal_pack(built: BuiltPack, target: Path, keyring: Keyring, provider: Provider, owner: str) -> SealedPack:
    """Seal `built` to `target`, durable."""
    plain_length = built.path.stat().st_size
    header = SealedHeader.new(plain_length, chunk_log2=PACK_CHUNK_LOG2, has_class_map=True)
    dek = keyring.new_dek()
    wrapped = keyring.wrap_dek(dek, object_id=header.object_id, kind=KIND, owner=owner)
    temporary = target.with_suffix(".part")
    with built.path.open("rb") as source, temporary.open("w+b") as sink:
        seal(source, sink, header, dek, provider, _merged(built.pixel_chunks))
        sink.flush()
        os.fsync(sink.fileno())
        sink.seek(0)
        digest = Sm3()
        while block := sink.read(1 << 20):
            digest.update(block)
    temporary.replace(target)
    fsync_directory(target.parent)
    return SealedPack(
        object_id=header.object_id.hex(),
        header=header.pack(),
        wrapped_key=wrapped.blob,
        kek_version=wrapped.kek_version,
        key_commitment=key_commitment(dek, header.pack()),
        plain_length=plain_length,
        sealed_length=target.stat().st_size,
        sealed_sm3=digest.hexdigest(),
    )


def open_pack(
    read_range: Callable[[int, int], bytes], pack: Any, keyring: Keyring, provider: Provider, owner: str
) -> SealedReader:
    """A reader of all of a pack. `pack` has the columns of core.models.Pack. Raises crypto.errors.CryptoError."""
    dek = _dek(pack, keyring, owner)
    return SealedReader(read_range, class_keys(dek, bytes.fromhex(pack.object_id)), provider)


def pixel_key_of(pack: Any, keyring: Keyring, owner: str) -> bytes:
    """The key of the pixel chunks alone: what a browser that may see the film is handed."""
    return pixel_key(_dek(pack, keyring, owner), bytes.fromhex(pack.object_id))


def _dek(pack: Any, keyring: Keyring, owner: str) -> bytes:
    object_id = bytes.fromhex(pack.object_id)
    wrapped = WrappedKey(pack.kek_version, bytes(pack.wrapped_key))
    dek = keyring.unwrap_dek(wrapped, object_id=object_id, kind=KIND, owner=owner)
    verify_commitment(dek, bytes(pack.header), bytes(pack.key_commitment))
    return dek


def _merged(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, stop in runs:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged
