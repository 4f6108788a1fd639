"""What an attacker, a broken disk or a wrong row can do to a sealed object: all of it is refused."""

import dataclasses
import io
import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import SealBroken
from crypto.sealed_object import ClassKeys, SealedHeader, SealedReader, class_keys, unseal
from tests.unit.crypto.sealed_samples import CHUNK, PROVIDER, chunk_bytes, content, make

pytestmark = pytest.mark.requirement("H2", "C1")

PIXEL_RUNS = [(1, 3), (4, 6)]
PACK = make(content(6 * CHUNK + 9), PIXEL_RUNS)


def open_all(sealed: bytes) -> bytes:
    sink = io.BytesIO()
    unseal(lambda start, end: sealed[start:end], sink, PACK.dek, PROVIDER)
    return sink.getvalue()


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 8 * PACK.header.sealed_length - 1))
def test_any_flipped_bit_is_refused(bit: int) -> None:
    flipped = bytearray(PACK.sealed)
    flipped[bit >> 3] ^= 1 << (bit & 7)
    with pytest.raises(SealBroken):
        open_all(bytes(flipped))


def test_every_bit_of_the_header_counts() -> None:
    keys = class_keys(PACK.dek, PACK.header.object_id)
    for bit in range(64 * 8):
        flipped = bytearray(PACK.sealed)
        flipped[bit >> 3] ^= 1 << (bit & 7)
        with pytest.raises(SealBroken):
            PACK.reader(keys, bytes(flipped)).read(0, 1)


@settings(deadline=None, max_examples=100)
@given(st.integers(0, PACK.header.sealed_length - 1))
def test_any_cut_is_refused(length: int) -> None:
    with pytest.raises(SealBroken):
        open_all(PACK.sealed[:length])


@pytest.mark.parametrize(("one", "two"), itertools.combinations(range(6), 2))
def test_swapped_chunks_are_refused_whatever_their_class(one: int, two: int) -> None:
    swapped = bytearray(PACK.sealed)
    swapped[chunk_bytes(PACK, one)] = PACK.sealed[chunk_bytes(PACK, two)]
    swapped[chunk_bytes(PACK, two)] = PACK.sealed[chunk_bytes(PACK, one)]
    for index in (one, two):
        with pytest.raises(SealBroken):
            PACK.reader(sealed=bytes(swapped)).read(index * CHUNK, index * CHUNK + 1)


@settings(deadline=None, max_examples=50)
@given(st.permutations(range(6)).filter(lambda order: order != list(range(6))))
def test_reordered_chunks_are_refused(order: list[int]) -> None:
    body = b"".join(PACK.sealed[chunk_bytes(PACK, index)] for index in order)
    with pytest.raises(SealBroken):
        open_all(PACK.sealed[:64] + body + PACK.sealed[64 + len(body) :])


def test_a_chunk_of_another_object_under_the_same_key_is_refused() -> None:
    header = dataclasses.replace(PACK.header, object_id=bytes(16))
    other = make(PACK.plain, PIXEL_RUNS, dek=PACK.dek, header=header)
    mixed = bytearray(PACK.sealed)
    mixed[chunk_bytes(PACK, 1)] = other.sealed[chunk_bytes(other, 1)]
    with pytest.raises(SealBroken, match="pixel key"):
        PACK.reader(sealed=bytes(mixed)).read(CHUNK, 2 * CHUNK)


@pytest.mark.parametrize(
    "change",
    [
        {"object_id": bytes(16)},
        {"nonce_prefix": bytes(7)},
        {"plain_length": 6 * CHUNK},
        {"plain_length": 6 * CHUNK + 8},
        {"plain_length": 0},
        {"chunk_log2": 13},
        {"has_class_map": False},
    ],
    ids=str,
)
@pytest.mark.parametrize("keys_of_old_header", [True, False])
def test_a_re_headed_object_is_refused(change: dict[str, Any], keys_of_old_header: bool) -> None:
    """Also with the keys of the true object: the header is additional data of every chunk."""
    header: SealedHeader = dataclasses.replace(PACK.header, **change)
    sealed = header.pack() + PACK.sealed[64:]
    keys = class_keys(PACK.dek, PACK.header.object_id if keys_of_old_header else header.object_id)
    reader = SealedReader(lambda start, end: sealed[start:end], keys, PROVIDER)
    with pytest.raises(SealBroken):
        list(reader.stream_all())


def test_a_file_shortened_by_whole_chunks_with_a_matching_header_is_refused() -> None:
    whole = make(content(3 * CHUNK))
    header = dataclasses.replace(whole.header, plain_length=2 * CHUNK)
    sealed = header.pack() + whole.sealed[64 : 64 + 2 * (CHUNK + 16)]
    with pytest.raises(SealBroken):
        whole.reader(sealed=sealed).read(0, CHUNK)


def test_an_emptied_object_is_refused() -> None:
    header = dataclasses.replace(PACK.header, plain_length=0, has_class_map=False)
    with pytest.raises(SealBroken):
        open_all(header.pack() + bytes(16))


@pytest.mark.parametrize("index", [0, 3, 6])
def test_the_pixel_key_does_not_open_head_chunks(index: int) -> None:
    keys = ClassKeys(head=None, pixel=class_keys(PACK.dek, PACK.header.object_id).pixel)
    with pytest.raises(SealBroken, match="other class"):
        PACK.reader(keys).read(index * CHUNK, index * CHUNK + 1)


@pytest.mark.parametrize(("first", "stop"), [(0, 2), (2, 4), (3, 5), (1, 6), (5, 7)])
def test_a_range_that_touches_a_head_chunk_releases_nothing_to_the_pixel_key(first: int, stop: int) -> None:
    keys = ClassKeys(head=None, pixel=class_keys(PACK.dek, PACK.header.object_id).pixel)
    with pytest.raises(SealBroken):
        next(PACK.reader(keys).stream(first * CHUNK, (stop - 1) * CHUNK + 1))


def test_the_keys_of_another_object_open_nothing() -> None:
    for keys in (class_keys(bytes(16), PACK.header.object_id), class_keys(PACK.dek, bytes(16))):
        with pytest.raises(SealBroken):
            PACK.reader(keys).read(0, 1)


def test_a_class_map_of_another_object_is_refused() -> None:
    other = make(PACK.plain, [(0, 6)], dek=PACK.dek)
    start, end = PACK.header.class_map_span
    mixed = PACK.sealed[:start] + other.sealed[start:end]
    with pytest.raises(SealBroken, match="class map"):
        PACK.reader(sealed=mixed).pixel_runs()


def test_a_broken_chunk_is_reported_with_the_object_and_later_pieces_are_not_released() -> None:
    long = make(content(40 * CHUNK))
    broken = bytearray(long.sealed)
    broken[chunk_bytes(long, 20).start] ^= 1
    pieces = long.reader(sealed=bytes(broken)).stream(0, 40 * CHUNK)
    assert next(pieces) == long.plain[: 16 * CHUNK]
    with pytest.raises(SealBroken, match=f"{long.header.object_id.hex()}.*between 16 and 31"):
        next(pieces)
