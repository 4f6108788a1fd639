"""Characters: whatever the header declares, the text that was meant comes out, or a clear refusal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_engine import charset
from hl7_engine.er7 import Message
from hl7_engine.errors import Undecodable

pytestmark = pytest.mark.requirement("P6", "P2")

# Their second byte in GB18030 is one of | ^ \ ~ (research/hl7.md §0).
TRAPS = "珅東瑋璡"
HANZI = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=2, max_size=12)


def message(name: str, declared: str) -> str:
    return (
        f"MSH|^~\\&|HIS|A|B|C|20261124||ADT^A04|M1|P|2.5.1||||||{declared}\rPID|1||1||{name}^二||19850615|M\r"
    )


@given(name=HANZI, declared=st.sampled_from(["", "UNICODE UTF-8", "GB 18030-2000", "GB2312", "nonsense"]))
def test_chinese_is_told_apart_whatever_is_declared(name: str, declared: str) -> None:
    text = message(name, declared)
    assert charset.decode(text.encode("utf-8")) == (text, "utf-8")
    assert charset.decode(text.encode("gb18030")) == (text, "gb18030")


@pytest.mark.parametrize("name", [*TRAPS, TRAPS])
def test_trap_characters_do_not_split_fields(name: str) -> None:
    raw = message(name, "GB 18030-2000").encode("gb18030")
    assert any(trap in name.encode("gb18030") for trap in (b"|", b"^", b"\\", b"~"))
    read = Message.parse(charset.decode(raw).text)
    assert (read.get("PID-5.1"), read.get("PID-5.2"), read.get("PID-8")) == (name, "二", "M")


def test_declaration_decides_when_valid_utf8_is_chance() -> None:
    """陆 is C2 BD in GB18030, which is ½ in UTF-8."""
    raw = "MSH|^~\\&|HIS|A|B|C|20261124||ADT^A04|M1|P|2.5.1||||||GBK\rPID|1||1||陆\r".encode("gb18030")
    assert "½" in raw.decode("utf-8")
    assert charset.decode(raw).text.endswith("||陆\r")
    undeclared = raw.replace(b"GBK", b"")
    assert charset.decode(undeclared).charset == "utf-8"


def test_declared_foreign_charset_is_believed_when_utf8_is_impossible() -> None:
    raw = message("André", "8859/1").replace("二", "").encode("latin-1")
    assert charset.decode(raw) == (raw.decode("latin-1"), "latin-1")


def test_byte_order_mark_is_dropped() -> None:
    assert charset.decode(b"\xef\xbb\xbf" + message("珅", "").encode()).text.startswith("MSH")


def test_undecodable_bytes_are_refused_with_their_place() -> None:
    raw = b"MSH|^~\\&|HIS|A|B|C|20261124||ADT^A04|M1|P|2.5.1\rPID|1||1||\xff\xff\r"
    with pytest.raises(Undecodable, match=rf"byte {len(raw) - 3} "):
        charset.decode(raw)


def test_declaration_repeats_the_words_of_the_peer_when_they_are_true() -> None:
    assert charset.declaration("gb18030", "GB2312") == "GB2312"
    assert charset.declaration("gb18030", "UNICODE UTF-8") == "GB 18030-2000"
    assert charset.declaration("utf-8", "") == "UNICODE UTF-8"


def test_characters_that_are_missing_in_a_charset_do_not_stop_an_answer() -> None:
    assert charset.encode("A珅", "latin-1") == b"A?"


@pytest.mark.parametrize(
    ("name", "coded", "found"),
    [("José Muñoz", "latin-1", "latin-1"), ("张三丰", "gb18030", "gb18030"), ("张東", "gb18030", "gb18030")],
)
def test_latin_that_is_declared_of_chinese_is_not_believed(name: str, coded: str, found: str) -> None:
    raw = f"MSH|^~\\&|A|B||||||||||||||8859/1\rPID|1||7||{name}".encode(coded)
    text, used = charset.decode(raw)
    assert used == found
    assert text.endswith(name)
