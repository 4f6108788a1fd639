"""The header read alone says what reading the whole message says, and refuses what that refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_engine import charset
from hl7_engine.er7 import MAX_SEGMENTS, Message
from hl7_engine.errors import Unreadable
from hl7_engine.header import MAX_HEADER, read_header
from simulators.his_messages import omg_o19
from tests.unit.hl7_engine.samples import EXAM, PATIENT, envelope

pytestmark = pytest.mark.requirement("P6", "P2")

ORDER = omg_o19(PATIENT, EXAM, envelope("M1"))


def said(content: bytes, charset_name: str) -> tuple[str, str] | str:
    """The header's line and MSH-10 as they are, or the refusal, of the whole message."""
    try:
        message = Message.parse(content.decode(charset_name))
    except Unreadable as error:
        return f"{type(error).__name__}: {error}"
    return message.lines[0], message.first("MSH").raw(10)


def said_alone(content: bytes, charset_name: str) -> tuple[str, str] | str:
    try:
        header = read_header(content, charset_name)
    except Unreadable as error:
        return f"{type(error).__name__}: {error}"
    return header.line, header.control_id


@pytest.mark.parametrize(
    "content",
    [
        ORDER,
        ORDER.replace(b"\r", b"\n"),
        ORDER.replace(b"\r", b"\r\n"),
        ORDER.replace(b"\r", b"\r\r"),
        b"\r\n \t" + ORDER,
        ORDER.replace(b"|P|2.5.1", b"|P|2.5.1\rof this header|"),
        ORDER.replace(b"\rPID", b"\rpid"),
        ORDER + b"NTE|\x00",
        ORDER + b"NTE|1\r" * MAX_SEGMENTS,
        ORDER.split(b"\r")[0],
        b"MSH|^~\\&|A",
        b"MSH|",
        b"MSHA^~\\&A",
        b"MSH!@*%$!HIS!A!B!C!20261124!!ORM@O01!M7!P!2.3\rPID!1\r",
        b"",
        b"HELLO",
        "MSH|^~\\&|珅東|瑋|||2026||ADT^A01|M7\r".encode("gb18030"),
    ],
)
def test_alone_as_in_the_whole(content: bytes) -> None:
    assert said_alone(content, "gb18030") == said(content, "gb18030")


@given(st.text(alphabet="MSHPID|^~\\&\r\n 珅7\ufeff", max_size=60))
def test_whatever_it_is(text: str) -> None:
    for begin in ("", "MSH|^~\\&|A|B|C|D|2026||ADT^A01|"):
        content = (begin + text).encode()
        assert said_alone(content, "utf-8") == said(content, "utf-8")


def test_headers_that_differ_only_in_moment_and_control_id_are_of_one_form() -> None:
    forms = [
        read_header(raw, "gb18030").form
        for raw in (
            ORDER,
            ORDER.replace(b"|M1|", b"|M2|").replace(b"20261124120000", b"20270101000000"),
            ORDER.replace(b"|HIS|", b"|RIS|"),
        )
    ]
    assert forms[0] is forms[1] is not forms[2]
    assert (forms[0].sender, forms[2].sender, forms[0].type) == ("HIS|HOSPITAL", "RIS|HOSPITAL", "OMG^O19")


def test_long_header_is_read_and_not_remembered() -> None:
    long = ORDER.replace(b"|P|2.5.1", b"|P|2.5.1|" + b"x" * 1000)
    forms = [read_header(long, "gb18030").form for _ in range(2)]
    assert forms[0] is not forms[1]
    assert forms[0].sender == forms[1].sender == "HIS|HOSPITAL"


@pytest.mark.parametrize("end", [b"\r", b"\rof this header|\r"], ids=["one line", "goes on"])
def test_header_without_end_is_refused(end: bytes) -> None:
    longest = b"MSH|^~\\&|HIS|A|||2026||ADT^A01|M1|"
    longest += b"x" * (MAX_HEADER - len(longest))
    assert read_header(longest + b"\rPID|1\r", "utf-8").control_id == "M1"
    with pytest.raises(Unreadable, match="the message header is longer than 65536 characters"):
        read_header(longest + b"x" + end + b"PID|1\r", "utf-8")


def test_characters_of_a_large_message_are_told_as_by_reading_it_whole() -> None:
    pdf = b"OBX|1|ED|||^^^Base64^" + b"QUJD" * 50_000
    large = ORDER + pdf + b"\r"
    assert charset.detect(large) == charset.decode(large).charset == "gb18030"
    for trap in ("珅東".encode("gb18030")[:-1], "珅".encode()[:-1], b"\x81", b"\x810"):
        broken = ORDER + b"NTE|" + trap + pdf
        try:
            expected = charset.decode(broken).charset
        except Unreadable as error:
            with pytest.raises(Unreadable, match=f"at byte {str(error).split('byte ')[1].split()[0]} "):
                charset.detect(broken)
        else:
            assert charset.detect(broken) == expected
