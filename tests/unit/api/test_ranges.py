"""Byte ranges: whatever is asked for, what is given lies inside the object, or nothing is given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.ranges import RangeNotSatisfiable, parse_range

pytestmark = pytest.mark.requirement("K2")

LENGTHS = st.integers(1, 10**12)


@given(LENGTHS, st.data())
def test_first_and_last_are_inclusive(length: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, length - 1))
    last = data.draw(st.integers(first, length * 2))
    found = parse_range(f"bytes={first}-{last}", length)
    assert found is not None
    assert (found.start, found.stop) == (first, min(last + 1, length))
    assert found.size == found.stop - found.start > 0
    assert found.content_range == f"bytes {first}-{found.stop - 1}/{length}"


@given(LENGTHS, st.data())
def test_open_end_and_suffix_reach_the_last_byte(length: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, length - 1))
    for header in (f"bytes={first}-", f"bytes=-{length - first}"):
        found = parse_range(header, length)
        assert found is not None
        assert (found.start, found.stop) == (first, length)


@given(LENGTHS, st.integers(1, 10**13))
def test_suffix_longer_than_the_object_is_the_object(length: int, suffix: int) -> None:
    found = parse_range(f"bytes=-{length + suffix}", length)
    assert found is not None
    assert (found.start, found.stop) == (0, length)


@given(st.text(alphabet="bytes=-, 0123456789kB٣\n", max_size=30), st.integers(0, 100))
def test_any_header_gives_a_range_inside_or_none(header: str, length: int) -> None:
    try:
        found = parse_range(header, length)
    except RangeNotSatisfiable:
        return
    assert found is None or 0 <= found.start < found.stop <= length


@pytest.mark.parametrize(
    "header",
    ["bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,4-5", "bytes=x-", "bytes=10-", "bytes=-0", "bytes=+1-2"],
)
def test_what_is_not_one_range_inside_is_refused(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable, match="bytes"):
        parse_range(header, 10)


@pytest.mark.parametrize("header", [None, "", "items=0-1"])
def test_without_a_range_the_whole_object_is_meant(header: str | None) -> None:
    assert parse_range(header, 10) is None
