"""The kind of a message is told by its beginning, whatever invisible bytes come first."""

import pytest

from hl7_engine.payload import sniff, unframed

pytestmark = pytest.mark.requirement("P2")

MESSAGES = {
    b"MSH|^~\\&|HIS|SZ|||20261124||ADT^A08|1|P|2.4\r": "er7",
    b"FHS|^~\\&\rBHS|^~\\&\rMSH|^~\\&\r": "er7",
    b"BHS|^~\\&\r": "er7",
    b'{"action": "PlaceOrder"}': "json",
    b'[{"action": "PlaceOrder"}]': "json",
    b'<?xml version="1.0" encoding="GBK"?><a/>': "v3",
    b"<PRPA_IN201311UV02/>": "v3",
}


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\x0b", b"\r\n \t", b"\x0b\xef\xbb\xbf\r\n"])
@pytest.mark.parametrize("content", MESSAGES)
def test_format_by_the_first_letter(content: bytes, before: bytes) -> None:
    assert sniff(before + content) == MESSAGES[content]


@pytest.mark.parametrize("content", [b"", b"\x00\x00", b"hello", b"\xff\xfe{"])
def test_what_looks_like_nothing_goes_where_it_is_refused_as_no_hl7(content: bytes) -> None:
    assert sniff(content) == "er7"


@pytest.mark.parametrize("end", [b"\x1c\r", b"\x1c", b"\x1c\r\n"])
@pytest.mark.parametrize("content", MESSAGES)
def test_the_block_of_mllp_around_a_message_is_taken_off(content: bytes, end: bytes) -> None:
    assert unframed(content) == content
    assert unframed(b"\x0b" + content + end) == content
    assert unframed(b"\r\n\x0b" + content + end) == content


@pytest.mark.parametrize(
    "content",
    [b"\x0bMSH|cut", b"MSH|1\x1c\r", b"\x0bMSH|1\x1c\r\x0bMSH|2\x1c\r", b"\x0b", b"", b"MSH|a\x0bb\x1c\r"],
)
def test_what_is_not_exactly_one_block_stays_as_it_is(content: bytes) -> None:
    assert unframed(content) == content
