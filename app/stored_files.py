"""Sealed files in the object store: `files/ab/ab12…`, the envelope as metadata (docs/sealed-file.md §2)."""

import re
from pathlib import Path

from core.errors import CloudFilmError
from crypto.errors import NotHandedOver
from crypto.files import placing
from crypto.files.envelope import Envelope, key_path, pack_key_file
from crypto.files.sealed_file import SUFFIX, SealedFile
from crypto.files.watch import HandOver
from crypto.sm3 import Sm3
from imaging.store import Store
from imaging.upload import upload_and_verify

_NAME = re.compile(r"[0-9a-f]{32}")
_BLOCK = 4 * 2**20


def store_key(name: str) -> str:
    """Where the sealed file of this name (32 hex digits) lies. Raises `ValueError`."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a stored file: those have 32 hex digits")
    return f"files/{name[:2]}/{name}"


def store_hand_over(store: Store) -> HandOver:
    """Hands sealed files to the store, read back and compared."""

    def hand_over(name: str, file: SealedFile) -> None:
        digest = Sm3()
        with file.path.open("rb") as body:
            while block := body.read(_BLOCK):
                digest.update(block)
        metadata = {**file.envelope.fields(), "sealed-sm3": digest.hexdigest()}
        try:
            upload_and_verify(store, store_key(name), file.path, digest.hexdigest(), metadata)
        except CloudFilmError as error:
            raise NotHandedOver(str(error)) from error

    return hand_over


def fetch(store: Store, name: str, folder: Path) -> Path:
    """Bring a sealed file back from the store, key file and all, still sealed; the place of the body.

    Raises `ObjectMissing`, `StoreUnavailable`, `FileRefused` when it is there already.
    """
    key, target = store_key(name), folder / f"{name}{SUFFIX}"
    found = store.head(key)
    envelope = Envelope.from_fields(found.metadata, key)
    with placing.part_in(folder) as body, placing.part_in(folder) as wrapped:
        for start in range(0, found.length, _BLOCK):
            placing.fill(body, store.get_range(key, start, min(start + _BLOCK, found.length)))
        placing.fill(wrapped, pack_key_file(envelope))
        placing.place([(wrapped, key_path(target)), (body, target)])
    return target
