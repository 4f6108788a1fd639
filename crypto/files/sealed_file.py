"""One file: seal it, open it, prove it, give its key a new wrap, read any range of it.

NAME.cfs       the body: `crypto.sealed_object`, chunks of 2^16 bytes, one class
NAME.cfs.key   the envelope (`crypto.files.envelope`)
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crypto.class_keys import class_keys
from crypto.errors import FileRefused, SealBroken
from crypto.files import placing
from crypto.files.body import Advance, compare_body, open_body, seal_body, verify_body
from crypto.files.envelope import About, Envelope, key_path, pack_key_file, read_key_file, require_safe_name
from crypto.files.path_content import path_content
from crypto.files.recognise import recognise
from crypto.keyring import Keyring
from crypto.provider import Provider
from crypto.sealed_header import FILE_CHUNK_LOG2, HEADER_SIZE, SealedHeader
from crypto.sealed_reader import ReadRange, SealedReader
from crypto.sm3 import sm3

SUFFIX = ".cfs"


@dataclass(frozen=True)
class SealedFile:
    """A sealed file as it lies there: where, its length before sealing, its envelope, what was said about it."""

    path: Path
    plain_length: int
    envelope: Envelope
    about: About


@dataclass(frozen=True)
class _Opened:
    descriptor: int
    header: SealedHeader
    dek: bytes
    file: SealedFile


class SealedFiles:
    """Seals and opens with the keys of one installation; `threads` work on one file."""

    def __init__(self, keyring: Keyring, provider: Provider, threads: int) -> None:
        self._keyring = keyring
        self._provider = provider
        self._threads = threads

    def seal(self, source: Path, target: Path, name: str, advance: Advance) -> SealedFile:
        """Seal `source` into `target` and its key file, both whole or not at all; the source stays.

        `name` is what the file is called when it is opened: a relative path with "/".
        Raises `FileRefused` (no regular file, the target exists), `SourceChanged`, `KeyRefused`, `VaultSealed`, `OSError`.
        """
        with placing.open_regular(source) as descriptor:
            before = placing.stamp_of(descriptor)
            header = _new_header(source, before.size)
            dek = self._keyring.new_dek()
            label = recognise(path_content(source, descriptor))
            about = About(name, before.modified_ns, label, _place_of(source))
            envelope = Envelope.seal(header, dek, about, self._keyring, self._provider)
            with placing.part_in(target.parent) as body, placing.part_in(target.parent) as key:
                seal_body(descriptor, body.descriptor, header, dek, self._provider, self._threads, advance)
                placing.require_unchanged(source, descriptor, before)
                placing.fill(key, pack_key_file(envelope))
                placing.place([(key, key_path(target)), (body, target)])
        return SealedFile(target, before.size, envelope, about)

    def open(self, sealed: Path, target: Path, advance: Advance) -> SealedFile:
        """Write the content to `target`, whole or not at all, with the time of change that the file had.

        Raises `FileRefused` (the target exists), `SealBroken`, `KeyRefused`, `VaultSealed`, `OSError`.
        """
        with self._opened(sealed) as opened, placing.part_in(target.parent) as part:
            open_body(
                opened.descriptor,
                opened.header,
                opened.dek,
                self._provider,
                self._threads,
                advance,
                part.descriptor,
            )
            changed = opened.file.about.modified_ns
            os.utime(part.descriptor, ns=(changed, changed))
            placing.place([(part, target)])
            return opened.file

    def verify(self, sealed: Path, advance: Advance) -> SealedFile:
        """Open every chunk as it is on the disk, and keep nothing. Raises `SealBroken`, `KeyRefused`, `OSError`."""
        with self._opened(sealed) as opened:
            placing.drop_from_cache(opened.descriptor)
            verify_body(opened.descriptor, opened.header, opened.dek, self._provider, self._threads, advance)
            return opened.file

    def prove(self, sealed: Path, source: Path, advance: Advance) -> SealedFile:
        """Open every chunk as it is on the disk and hold it against `source`.

        Raises what `verify` raises, and `SourceChanged` when the source has other content by now.
        """
        with self._opened(sealed) as opened, placing.open_regular(source) as descriptor:
            before = placing.stamp_of(descriptor)
            placing.drop_from_cache(opened.descriptor)
            compare_body(
                opened.descriptor,
                opened.header,
                opened.dek,
                self._provider,
                self._threads,
                advance,
                descriptor,
            )
            placing.require_unchanged(source, descriptor, before)
            return opened.file

    def describe(self, sealed: Path) -> SealedFile:
        """Name, kind and length; the key is unwrapped, no chunk is opened. Raises `SealBroken`, `KeyRefused`, `OSError`."""
        with self._opened(sealed) as opened:
            return opened.file

    def is_of(self, sealed: Path, source: Path) -> bool:
        """Whether the sealed file was made of `source` as it is now: its place, length and time of change are the same.

        Length and time alone would not do: images have one length, and some disks tell times in steps of two seconds.
        """
        found, file = source.stat(follow_symlinks=False), self.describe(sealed)
        now = (found.st_size, found.st_mtime_ns, _place_of(source))
        return now == (file.plain_length, file.about.modified_ns, file.about.source)

    def rewrap(self, sealed: Path) -> bool:
        """Put the data key under the newest key-encryption key, body untouched; False when it is there already."""
        path = key_path(sealed)
        envelope = read_key_file(path)
        if envelope.wrapped.kek_version == self._keyring.active_version:
            return False
        with placing.part_in(path.parent) as part:
            placing.fill(part, pack_key_file(envelope.rewrapped(self._keyring)))
            placing.replace(part, path)
        return True

    def reader(self, read_range: ReadRange, envelope: Envelope) -> SealedReader:
        """A reader of any range of a body, wherever it lies: a file, an object of a store."""
        header = SealedHeader.parse(read_range(0, HEADER_SIZE))
        dek = envelope.unwrap(header, self._keyring)
        return SealedReader(read_range, class_keys(dek, header.object_id), self._provider)

    @contextmanager
    def _opened(self, sealed: Path) -> Iterator[_Opened]:
        with placing.open_regular(sealed) as descriptor:
            header = SealedHeader.parse(os.pread(descriptor, HEADER_SIZE, 0))
            if header.has_class_map:
                raise FileRefused(f"{sealed}: a pack of images; `./cloudfilm unseal` opens those")
            envelope = read_key_file(key_path(sealed))
            try:
                dek = envelope.unwrap(header, self._keyring)
                about = envelope.open_about(dek, self._provider)
            except SealBroken as error:
                raise SealBroken(f"{sealed}: {error}") from None
            require_safe_name(about.name)
            _require_whole(sealed, descriptor, header)
            yield _Opened(descriptor, header, dek, SealedFile(sealed, header.plain_length, envelope, about))


def _new_header(source: Path, size: int) -> SealedHeader:
    try:
        return SealedHeader.new(size, FILE_CHUNK_LOG2, has_class_map=False)
    except ValueError as error:  # a sparse file says any length
        raise FileRefused(f"{source}: cannot be sealed: {error}") from None


def _place_of(path: Path) -> str:
    return sm3(os.fsencode(path.parent.resolve() / path.name)).hex()


def _require_whole(sealed: Path, descriptor: int, header: SealedHeader) -> None:
    length = os.fstat(descriptor).st_size
    if length != header.sealed_length:
        raise SealBroken(
            f"{sealed}: has {length} bytes and should have {header.sealed_length}: it was cut or something was added; "
            "restore it from its copy"
        )


class PlainFile(io.RawIOBase):
    """A sealed body as a file that can be read and sought: what a library that wants a file object is given."""

    def __init__(self, reader: SealedReader) -> None:
        super().__init__()
        self._reader = reader
        self._place = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; beyond the end nothing is read. Raises `ValueError` before the start."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._reader.header.plain_length}[
            whence
        ]
        if base + offset < 0:
            raise ValueError(f"cannot go to {base + offset}, before the start of the file")
        self._place = base + offset
        return self._place

    def tell(self) -> int:
        """The place."""
        return self._place

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Fill `buffer` from the place on. Raises `SealBroken`."""
        length = self._reader.header.plain_length
        start = min(self._place, length)
        end = min(start + len(buffer), length)
        buffer[: end - start] = self._reader.read(start, end)
        self._place += end - start
        return end - start
