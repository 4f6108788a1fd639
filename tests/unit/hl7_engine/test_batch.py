"""Batches: many messages in one block, with and without envelope, and the one answer to them."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_engine import batch
from hl7_engine.framing import wrap

pytestmark = pytest.mark.requirement("P6", "P2")

FHS = "FHS|^~\\&|HIS|珅東|CLOUDFILM|A|20261124\r".encode("gb18030")
BHS = "BHS|^~\\&|HIS|珅東|CLOUDFILM|A|20261124||||B77\r".encode("gb18030")
ONE = "MSH|^~\\&|HIS|珅東||||1\rPID|1\rOBX|1|TX|||the MSH| inside\r".encode("gb18030")
TWO = "MSH|^~\\&|HIS|珅東||||2\rPID|2\r".encode("gb18030")
BAD = b"MSH|\xff\xff\r"


@pytest.mark.parametrize(
    "content",
    [
        FHS + BHS + ONE + TWO + b"BTS|2\rFTS|1\r",
        FHS + BHS + ONE + TWO,
        BHS + ONE + TWO + b"BTS|2\r",
        b"\r\n" + BHS + ONE + b"BTS|1\r" + BHS + TWO + b"BTS|1\rFTS\r",
        (BHS + ONE + TWO + b"BTS|2\r").replace(b"\r", b"\r\n"),
        ONE + TWO,
        wrap(ONE) + wrap(TWO),
    ],
    ids=["file", "no trailers", "batch", "two batches", "CRLF", "no envelope", "blocks"],
)
def test_messages_come_out_in_their_order(content: bytes) -> None:
    assert [part.replace(b"\r\n", b"\r") for part in batch.split(content)] == [ONE, TWO]


def test_bad_message_in_the_middle_leaves_its_neighbours_whole() -> None:
    assert batch.split(BHS + ONE + BAD + TWO + b"BTS|3\r") == [ONE, BAD, TWO]


@pytest.mark.parametrize("content", [ONE, BHS + b"BTS|0\r", b"hello", b""])
def test_content_without_several_messages_stays_one(content: bytes) -> None:
    assert batch.split(content) == [content]


def test_empty_batches_between_messages_leave_them_whole() -> None:
    empty = BHS + b"BTS|0\r\n\r"
    assert batch.split(FHS + empty * 3 + BHS + ONE + b"BTS|1\r" + empty * 3 + BHS + TWO) == [ONE, TWO]


def test_count_looks_no_further_than_the_first_message_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MAX_MESSAGES", 2)
    assert not batch.holds_too_many(BHS + ONE + TWO + b"BTS|2\r")
    assert batch.holds_too_many(BHS + ONE + TWO + ONE)

    class Counting:
        def __init__(self) -> None:
            self.found = 0

        def finditer(self, content: bytes) -> Iterator[re.Match[bytes]]:
            for match in re.finditer(rb"MSH", content):
                self.found += 1
                yield match

    counting = Counting()
    monkeypatch.setattr(batch, "_BEGIN", counting)
    assert batch.holds_too_many(BHS + b"MSH|\r" * 1000)
    assert counting.found == 3


def test_lines_of_one_message_are_not_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    matched: list[bytes] = []

    class Watched:
        def match(self, line: bytes) -> bool:
            matched.append(line)
            return line.startswith((b"BHS", b"BTS"))

    monkeypatch.setattr(batch, "_ENVELOPE", Watched())
    assert batch.split(BHS + b"MSH|1\r" + b"\r" * 10_000 + b"BTS\r" * 10_000)[0].startswith(b"MSH|1\r")
    assert batch.split(BHS + b"MSH|1\r" + b"NTE|1\r" * 10_000) == [b"MSH|1\r" + b"NTE|1\r" * 10_000]
    assert len(matched) < 100


@given(st.binary(max_size=200))
def test_nothing_is_too_strange_to_split(content: bytes) -> None:
    assert batch.split(content)
    assert batch.split(b"BHS|^~\\&|" + content)


def test_answer_goes_back_to_the_sender_of_the_batch() -> None:
    answer = batch.reply(BHS + ONE, [b"MSH|first\r", b"MSH|second\r"])
    assert batch.is_batch(answer)
    assert batch.split(answer) == [b"MSH|first\r", b"MSH|second\r"]
    header, *_, trailer = answer.decode("gb18030").rstrip("\r").split("\r")
    fields = header.split("|")
    assert (fields[:6], fields[11]) == (["BHS", "^~\\&", "CLOUDFILM", "A", "HIS", "珅東"], "B77")
    assert trailer == "BTS|2"


@pytest.mark.parametrize(
    "header", [b"BHS\r", b"BHS|", b"FHS|^~\\&\r", b"BHS|\xff\xff|x", b"\xef\xbb\xbfBHS|^~\\&|HIS"]
)
def test_crippled_header_is_answered_too(header: bytes) -> None:
    assert batch.split(batch.reply(header, [b"MSH|1\r"])) == [b"MSH|1\r"]
