"""MLLP framing: any split of the stream gives the same blocks, and a broken one harms no other."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hl7_engine import framing
from hl7_engine.framing import HEAD_BYTES, Damage, Deframer, Frame, wrap

pytestmark = pytest.mark.requirement("P6", "P2")

LIMIT = 40
# Small alphabets make the special bytes meet each other often.
CONTENT = st.binary(min_size=1, max_size=LIMIT).map(
    lambda raw: raw.replace(b"\x0b", b"a").replace(b"\x1c", b"b")
)
STREAM = st.lists(
    st.sampled_from(
        [b"\x0b", b"\x1c", b"\r", b"\n", b"\x00", b"M", b"S", b"H", b"F", b"BH", b"MSH|", b"x" * 17]
    ),
    max_size=60,
).map(b"".join)


def frames_of(*packets: bytes, limit: int = LIMIT) -> list[Frame]:
    deframer = Deframer(limit)
    return [frame for packet in packets for frame in deframer.feed(packet)]


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    inner = sorted(place % (len(stream) + 1) for place in places)
    return [stream[start:end] for start, end in zip([0, *inner], [*inner, len(stream)], strict=True)]


@given(stream=STREAM, places=st.lists(st.integers(0, 10_000), max_size=8))
@settings(max_examples=400)
def test_any_split_equals_the_whole(stream: bytes, places: list[int]) -> None:
    assert frames_of(*cut(stream, places)) == frames_of(stream)


@given(stream=STREAM)
def test_byte_by_byte_equals_the_whole(stream: bytes) -> None:
    assert frames_of(*(bytes([byte]) for byte in stream)) == frames_of(stream)


@given(contents=st.lists(CONTENT, max_size=5), junk=st.sampled_from([b"", b"\r\n", b"\x00\x00", b"noise"]))
def test_what_is_wrapped_comes_out_whatever_lies_between(contents: list[bytes], junk: bytes) -> None:
    stream = junk.join([b"", *map(wrap, contents), b""])
    assert frames_of(stream) == [Frame(content) for content in contents]


@given(broken=STREAM, content=CONTENT)
def test_good_block_after_anything_is_found(broken: bytes, content: bytes) -> None:
    assert frames_of(broken + wrap(content))[-1] == Frame(content)


@pytest.mark.parametrize(
    ("stream", "frames"),
    [
        (b"MSH|1\x1c\r\x0bMSH|2\x1c\r", [Frame(b"MSH|1"), Frame(b"MSH|2")]),
        (b"??MSH|1\x1c\r", [Frame(b"MSH|1")]),
        (b"\x0bMSH|1\x0bMSH|2\x1c\r", [Frame(b"MSH|1", Damage.NO_END), Frame(b"MSH|2")]),
        (b"\x0b\x0bMSH|2\x1c\r", [Frame(b"MSH|2")]),
        (b"\x0bMSH|1\x1c\x0bMSH|2\x1c\r", [Frame(b"MSH|1"), Frame(b"MSH|2")]),
        (b"\x0bMSH|1\x1c\n", [Frame(b"MSH|1")]),
        (b"\x0bMSH|a\x1cb\x1c\r", [Frame(b"MSH|a\x1cb")]),
        (b"\x0b\x1c\r", [Frame(b"")]),
        (b"\x0bMSH|1", []),
        (b"\x0bFHS|1\rBHS|2\rMSH|3\x1c\r", [Frame(b"FHS|1\rBHS|2\rMSH|3")]),
        (b"\r\nFHS|1\rMSH|3\x1c\r", [Frame(b"FHS|1\rMSH|3")]),
        (b"noise BHS|1\rMSH|3\x1c\r", [Frame(b"BHS|1\rMSH|3")]),
    ],
    ids=[
        "start missing",
        "start missing after noise",
        "end missing",
        "start twice",
        "CR missing",
        "LF for CR",
        "0x1C inside",
        "empty",
        "unfinished",
        "batch of a file",
        "start of a file missing",
        "start of a batch missing",
    ],
)
def test_recovery(stream: bytes, frames: list[Frame]) -> None:
    assert frames_of(stream) == frames


def test_lone_end_is_an_end_when_nothing_follows() -> None:
    deframer = Deframer()
    assert deframer.feed(b"\x0bMSH|1\x1c") == []
    assert deframer.has_lone_end
    assert deframer.flush() == [Frame(b"MSH|1")]
    assert not deframer.has_lone_end
    assert deframer.flush() == []


def test_longest_block_fits_and_one_byte_more_is_given_up_at_once() -> None:
    assert frames_of(wrap(b"x" * LIMIT)) == [Frame(b"x" * LIMIT)]
    deframer = Deframer(LIMIT)
    assert deframer.feed(b"\x0b" + b"x" * (LIMIT + 1)) == [Frame(b"x" * LIMIT, Damage.TOO_LONG)]
    assert deframer.feed(b"y" * 1000 + b"MSH|" + b"\x1c\r" + wrap(b"next")) == [Frame(b"next")]


def test_endless_block_is_not_kept() -> None:
    deframer = Deframer(10_000)
    found = [
        frame for _ in range(100) for frame in deframer.feed(b"\x0b"[: not deframer.is_inside] + b"z" * 4096)
    ]
    assert found == [Frame(b"z" * HEAD_BYTES, Damage.TOO_LONG)]
    assert len(deframer._buffer) <= 1


@given(
    text=st.text(alphabet="张珅東瑋璡玘MSH|^~\\&\r", min_size=1),
    places=st.lists(st.integers(0, 10_000), max_size=4),
)
@pytest.mark.parametrize("charset", ["gb18030", "utf-8"])
def test_chinese_content_is_never_cut(charset: str, text: str, places: list[int]) -> None:
    stream = wrap(text.encode(charset)) * 2
    expected = [Frame(text.encode(charset))] * 2
    assert frames_of(*cut(stream, places), limit=len(stream)) == expected


def test_what_is_kept_of_an_unfinished_block_is_told() -> None:
    deframer = Deframer()
    deframer.feed(b"\x0bMSH|1")
    assert deframer.unfinished_bytes == 5
    deframer.feed(b"\x1c\r")
    assert deframer.unfinished_bytes <= 1


class CountingMark:
    """The pattern of the marks, and how many bytes its searches went through."""

    def __init__(self) -> None:
        self._mark = framing._MARK
        self.bytes_seen = 0

    def search(self, buffer: bytearray, begin: int) -> re.Match[bytes] | None:
        found = self._mark.search(buffer, begin)
        self.bytes_seen += (found.end() if found else len(buffer)) - begin
        return found


@pytest.mark.parametrize("noise", [b"\x0b", b"\x0bA", b"\x1cA", b"\x0b\x1cA"])
def test_every_byte_is_looked_at_once_however_many_marks_there_are(
    monkeypatch: pytest.MonkeyPatch, noise: bytes
) -> None:
    mark = CountingMark()
    monkeypatch.setattr(framing, "_MARK", mark)
    stream = noise * (2**20 // len(noise))
    frames_of(stream, wrap(b"MSH|1"), limit=len(stream))
    assert mark.bytes_seen <= 1.1 * len(stream)
