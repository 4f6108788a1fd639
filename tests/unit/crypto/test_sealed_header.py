"""The header's 64 bytes and the arithmetic of chunks."""

import dataclasses
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.class_map import ClassMap
from crypto.errors import SealBroken
from crypto.sealed_header import HEADER_SIZE, SealedHeader

pytestmark = pytest.mark.requirement("H2")

HEADER = SealedHeader(bytes(range(16)), b"prefix7", 10_000, 12, has_class_map=True)

lengths = st.one_of(st.integers(0, 20_000), st.integers(0, 2**40))


def test_layout_is_the_documented_one() -> None:
    packed = HEADER.pack()
    assert packed == (
        b"CFS1"
        + bytes([1, 12])
        + bytes(range(16))
        + b"prefix7"
        + (10_000).to_bytes(8, "big")
        + bytes([1])
        + bytes(26)
    )
    assert len(packed) == HEADER_SIZE


@given(
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=7, max_size=7),
    lengths,
    st.integers(12, 20),
    st.booleans(),
)
def test_parse_undoes_pack(
    object_id: bytes, prefix: bytes, length: int, chunk_log2: int, has_map: bool
) -> None:
    header = SealedHeader(object_id, prefix, length, chunk_log2, has_map)
    assert SealedHeader.parse(header.pack()) == header


@pytest.mark.parametrize(
    ("at", "value"), [(0, 0), (3, 50), (4, 2), (5, 11), (5, 21), (37, 2), (37, 129), (38, 1), (63, 255)]
)
def test_parse_refuses_what_pack_would_not_write(at: int, value: int) -> None:
    data = bytearray(HEADER.pack())
    data[at] = value
    with pytest.raises(SealBroken):
        SealedHeader.parse(bytes(data))


@pytest.mark.parametrize("length", [0, 63, 65])
def test_parse_refuses_another_length(length: int) -> None:
    with pytest.raises(SealBroken, match="64 bytes"):
        SealedHeader.parse(HEADER.pack().ljust(65, b"\0")[:length])


def test_parse_refuses_a_length_beyond_the_nonce_counter() -> None:
    data = bytearray(HEADER.pack())
    data[29:37] = b"\xff" * 8
    with pytest.raises(SealBroken, match="do not fit"):
        SealedHeader.parse(bytes(data))


def test_new_headers_never_share_id_or_prefix() -> None:
    headers = [SealedHeader.new(1, 16, False) for _ in range(100)]
    assert (
        len({header.object_id for header in headers})
        == len({header.nonce_prefix for header in headers})
        == 100
    )


@pytest.mark.parametrize(("length", "count"), [(0, 1), (1, 1), (4095, 1), (4096, 1), (4097, 2), (8192, 2)])
def test_chunk_count(length: int, count: int) -> None:
    assert dataclasses.replace(HEADER, plain_length=length).chunk_count == count


def test_only_the_last_chunk_has_the_last_flag() -> None:
    nonces = [HEADER.nonce(index) for index in range(3)]
    assert nonces == [b"prefix7" + bytes([0, 0, 0, index, index == 2]) for index in range(3)]


@given(lengths, st.booleans(), st.data())
def test_cipher_span_is_the_smallest_run_of_whole_chunks(
    length: int, has_map: bool, data: st.DataObject
) -> None:
    header = SealedHeader(bytes(16), bytes(7), length, 12, has_map)
    start = data.draw(st.integers(0, length))
    end = data.draw(st.integers(start, length))
    first, stop = header.chunk_span(start, end)
    cipher_start, cipher_end = header.cipher_span(start, end)
    if start == end:
        assert first == stop
        assert cipher_start == cipher_end
        return
    assert first * 4096 <= start < (first + 1) * 4096
    assert (stop - 1) * 4096 < end <= stop * 4096
    assert cipher_start == 64 + first * 4112
    assert (
        cipher_end - cipher_start
        == sum(header.plain_size(i) + 16 for i in (first, stop - 1)[: stop - first])
        + max(0, stop - first - 2) * 4112
    )
    assert cipher_end <= header.class_map_span[0] <= header.sealed_length


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (5, 4), (0, 10_001), (10_001, 10_001)])
def test_ranges_outside_of_the_content_are_an_error_of_the_caller(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="not inside"):
        HEADER.cipher_span(start, end)


@given(st.lists(st.booleans(), min_size=1, max_size=70))
def test_class_map_keeps_every_class(classes: list[bool]) -> None:
    runs = [(index, index + 1) for index, is_pixel in enumerate(classes) if is_pixel]
    class_map = ClassMap.from_runs(runs, len(classes))
    assert [class_map.is_pixel(index) for index in range(len(classes))] == classes
    merged = class_map.pixel_runs()
    assert ClassMap.from_runs(merged, len(classes)).pack() == class_map.pack()
    assert all(stop < first for (_, stop), (first, _) in pairwise(merged))


@pytest.mark.parametrize(
    "runs", [[(1, 1)], [(2, 1)], [(0, 5)], [(1, 3), (2, 4)], [(2, 3), (0, 1)], [(-1, 1)]]
)
def test_class_map_refuses_runs_that_make_no_sense(runs: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="pixel chunks"):
        ClassMap.from_runs(runs, 4)


def test_class_map_refuses_bits_of_another_count() -> None:
    with pytest.raises(ValueError, match="class map"):
        ClassMap(bytes(1), 9)
