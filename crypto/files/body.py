"""The chunks of a sealed file, worked on by several threads at once. Same bytes as `crypto.sealed_object.seal`.

A chunk's place follows from its number, so threads take batches of 16 as they come, read and write by position, and
hold one batch each: memory does not grow with the file. Engines and the kernel's calls release the interpreter's lock.
"""

import itertools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from crypto.class_keys import head_key
from crypto.errors import FileRefused, SealBroken, SourceChanged
from crypto.provider import BATCH, TAG_SIZE, Provider
from crypto.sealed_header import HEADER_SIZE, SealedHeader

Advance = Callable[[int], None]
_Work = Callable[[range], int]


def seal_body(
    source: int,
    sink: int,
    header: SealedHeader,
    dek: bytes,
    provider: Provider,
    threads: int,
    advance: Advance,
) -> None:
    """Write header and chunks of the file `source` to the file `sink` (descriptors), one class, no class map.

    `advance` is told the plain bytes of every batch, from any thread; an error that it raises stops all.
    Raises `SourceChanged` when the source does not have `header.plain_length` bytes.
    """
    key, aad = head_key(dek, header.object_id), header.aad

    def work(indexes: range) -> int:
        plain = [_plain(source, header, index) for index in indexes]
        sealed = provider.seal_many(key, [header.nonce(index) for index in indexes], aad, plain)
        _write_all(sink, sealed, header.chunks_at(indexes.start, indexes.stop)[0])
        return sum(map(len, plain))

    _write_all(sink, [header.pack()], 0)
    _each_batch(header, work, threads, advance)
    if os.pread(source, 1, header.plain_length):
        raise SourceChanged(
            f"object {header.object_id.hex()}: the file grew while it was sealed; seal it again when it is complete"
        )


def open_body(
    sealed: int,
    header: SealedHeader,
    dek: bytes,
    provider: Provider,
    threads: int,
    advance: Advance,
    sink: int,
) -> None:
    """Write the content to the file `sink`; every byte was verified before. Raises `SealBroken`."""

    def take(first: int, plain: Sequence[bytes]) -> None:
        _write_all(sink, plain, first * header.chunk_size)

    _open_each(sealed, header, dek, provider, threads, advance, take)


def verify_body(
    sealed: int, header: SealedHeader, dek: bytes, provider: Provider, threads: int, advance: Advance
) -> None:
    """Open every chunk and keep nothing. Raises `SealBroken`."""
    _open_each(sealed, header, dek, provider, threads, advance, lambda first, plain: None)


def compare_body(
    sealed: int,
    header: SealedHeader,
    dek: bytes,
    provider: Provider,
    threads: int,
    advance: Advance,
    source: int,
) -> None:
    """Open every chunk and hold it against the file `source`. Raises `SealBroken`, `SourceChanged` where they differ."""

    def take(first: int, plain: Sequence[bytes]) -> None:
        for index, chunk in enumerate(plain, first):
            if _plain(source, header, index) != chunk:
                raise SourceChanged(
                    f"object {header.object_id.hex()}: the file differs from what was sealed, in chunk {index}; "
                    "it was changed since, and is kept"
                )

    _open_each(sealed, header, dek, provider, threads, advance, take)
    if os.pread(source, 1, header.plain_length):
        raise SourceChanged(
            f"object {header.object_id.hex()}: the file is longer than what was sealed; it was changed since, and is kept"
        )


def _open_each(
    sealed: int,
    header: SealedHeader,
    dek: bytes,
    provider: Provider,
    threads: int,
    advance: Advance,
    take: Callable[[int, Sequence[bytes]], None],
) -> None:
    key, aad = head_key(dek, header.object_id), header.aad

    def work(indexes: range) -> int:
        chunks = [_sealed_chunk(sealed, header, index) for index in indexes]
        try:
            plain = provider.open_many(key, [header.nonce(index) for index in indexes], aad, chunks)
        except SealBroken:
            raise SealBroken(
                f"sealed object {header.object_id.hex()}: a chunk between {indexes.start} and {indexes.stop - 1} "
                "was altered or moved; restore the sealed file from its copy"
            ) from None
        take(indexes.start, plain)
        return sum(map(len, plain))

    _each_batch(header, work, threads, advance)


def _each_batch(header: SealedHeader, work: _Work, threads: int, advance: Advance) -> None:
    """`work` for every run of 16 chunks; the first error ends all threads and is raised."""
    starts = itertools.count(0, BATCH)  # next() is one step of the interpreter: no two threads get the same
    stop = threading.Event()

    def run() -> None:
        try:
            while not stop.is_set() and (first := next(starts)) < header.chunk_count:
                advance(work(range(first, min(first + BATCH, header.chunk_count))))
        except BaseException:
            stop.set()
            raise

    threads = min(threads, -(-header.chunk_count // BATCH))
    if threads == 1:
        run()
        return
    with ThreadPoolExecutor(threads, "chunks") as pool:
        for done in [pool.submit(run) for _ in range(threads)]:
            done.result()


def _plain(source: int, header: SealedHeader, index: int) -> bytes:
    wanted = header.plain_size(index)
    try:
        chunk = _read_all(source, wanted, index * header.chunk_size)
    except OSError as error:
        raise FileRefused(
            f"the file cannot be read beyond byte {index * header.chunk_size}: {error.strerror}"
        ) from None
    if len(chunk) != wanted:
        raise SourceChanged(
            f"object {header.object_id.hex()}: the file became shorter than {header.plain_length} bytes; "
            "seal it again when it is complete"
        )
    return chunk


def _sealed_chunk(sealed: int, header: SealedHeader, index: int) -> bytes:
    place = HEADER_SIZE + index * (header.chunk_size + TAG_SIZE)
    return _read_all(sealed, header.plain_size(index) + TAG_SIZE, place)


def _read_all(descriptor: int, size: int, place: int) -> bytes:
    """Up to `size` bytes at `place`; less only at the end of the file."""
    data = os.pread(descriptor, size, place)
    while data and len(data) < size and (more := os.pread(descriptor, size - len(data), place + len(data))):
        data += more
    return data


def _write_all(descriptor: int, pieces: Sequence[bytes], place: int) -> None:
    """All pieces one behind the other from `place`; the kernel gathers them, nothing is copied together."""
    total = sum(map(len, pieces))
    written = os.pwritev(descriptor, pieces, place) if total else 0
    while written < total:  # a disk that fills up, or a signal: go on where it stopped
        rest = b"".join(pieces)[written:]
        written += os.pwrite(descriptor, rest, place + written)
