"""Reading ER7 by path: separators as declared, escapes both ways, tolerance for what is met, limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_engine.er7 import MAX_SEGMENTS, Message, Separators, escape, parse_path, unescape
from hl7_engine.errors import NotHl7, Unreadable

pytestmark = pytest.mark.requirement("P6", "P2")

MSH = "MSH|^~\\&|HIS|SZ|CLOUDFILM|YYX|20261124||ADT^A04^ADT_A01|M1|P|2.5.1"
TEXT = f'{MSH}\rPID|1||1^^^HIS&1.2&ISO^PI~2^^^GA^NI||张^珅東|""|\rFT1|1|A\rFT1|2|B||||CG^x\rNTE|1||a\\T\\b\r'


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("MSH-1", "|"),
        ("MSH-3", "HIS"),
        ("MSH-9.2", "A04"),
        ("PID-3", "1^^^HIS&1.2&ISO^PI"),
        ("PID-3.1", "1"),
        ("PID-3[2].1", "2"),
        ("PID-3[3].1", ""),
        ("PID-3.4.2", "1.2"),
        ("PID-3.4", "HIS&1.2&ISO"),
        ("PID-5.2", "珅東"),
        ("PID-6", ""),
        ("PID-99.9.9", ""),
        ("FT1-2", "A"),
        ("FT1[2]-2", "B"),
        ("FT1[2]-6.1", "CG"),
        ("FT1[3]-2", ""),
        ("NTE-3", "a&b"),
        ("ZZZ-1", ""),
    ],
)
def test_values_by_path(path: str, value: str) -> None:
    assert Message.parse(TEXT).get(path) == value


def test_mistaken_path_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="no path"):
        Message.parse(TEXT).get("PID5")
    with pytest.raises(ValueError, match="no path"):
        parse_path("5.x")


def test_segments_in_order_and_by_name() -> None:
    message = Message.parse(TEXT)
    assert [segment.name for segment in message.all_segments] == ["MSH", "PID", "FT1", "FT1", "NTE"]
    assert [segment.get("2") for segment in message.segments("FT1")] == ["A", "B"]
    assert message.first("OBX").is_empty
    assert not message.first("PID").is_empty
    assert message.first("PID").count(3) == 2
    assert message.type == "ADT^A04"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r", "\n \n"])
def test_line_ends_as_they_come(end: str) -> None:
    message = Message.parse(TEXT.replace("\r", end))
    assert message.lines == Message.parse(TEXT).lines


def test_naked_line_break_inside_a_report_continues_its_segment() -> None:
    message = Message.parse(f"{MSH}\rOBX|1|TX|GDT||第一行\r第二行, CT\rOBX|2|TX|IMP||x\r")
    assert message.first("OBX").text(5) == "第一行\n第二行, CT"
    assert len(message.segments("OBX")) == 2


def test_running_text_keeps_its_tildes_between_digits() -> None:
    message = Message.parse(f"{MSH}\rOBX|1|TX|GDT||1.大小约3~5mm。~2.见\\R\\号\\.br\\完~\r")
    assert message.first("OBX").text(5) == "1.大小约3~5mm。\n2.见~号\n完"


def test_other_separators() -> None:
    message = Message.parse("MSH!@*%$!HIS!!!!!!ORM@O01!M1!P!2.3\rPID!1!!1@@@A$B*2\r")
    assert message.separators == Separators("!", "@", "*", "%", "$")
    assert (message.type, message.get("PID-3.4.2"), message.get("PID-3[2]")) == ("ORM^O01", "B", "2")


def test_encoding_characters_of_version_27_and_too_few() -> None:
    assert Message.parse("MSH|^~\\&#|HIS|||||||\r").separators == Separators()
    assert Message.parse("MSH|^~|HIS||||||\r").separators == Separators()


@pytest.mark.parametrize("text", ["", "PID|1", "MSH", "MSHABCDEFG", "MSH 1234567", "\r\n"])
def test_what_is_no_message(text: str) -> None:
    with pytest.raises(NotHl7):
        Message.parse(text)


def test_limits() -> None:
    Message.parse(MSH + "\rNTE|1" * (MAX_SEGMENTS - 1))
    with pytest.raises(Unreadable, match="more than"):
        Message.parse(MSH + "\rNTE|1" * MAX_SEGMENTS)
    with pytest.raises(Unreadable, match="NUL"):
        Message.parse(MSH + "\rNTE|\x00")


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        ("\\F\\\\S\\\\T\\\\R\\\\E\\", "|^&~\\"),
        ("a\\.br\\b\\.sp2\\c", "a\nb\nc"),
        ("\\H\\bold\\N\\", "bold"),
        ("\\X0D0A\\x\\X41\\", "\nxA"),
        ("\\XAB7C\\", "珅"),
        ("\\X00\\", "\\X00\\"),
        ("C:\\path\\T\\", "C:\\path&"),
        ("\\Zlocal\\", "\\Zlocal\\"),
        ("100\\", "100\\"),
    ],
)
def test_escape_sequences(escaped: str, text: str) -> None:
    assert unescape(escaped) == text


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=40))
def test_what_is_escaped_is_safe_and_comes_back(text: str) -> None:
    safe = escape(text)
    assert not set(safe) & set("|^&~")
    assert unescape(safe) == text


@given(
    value=st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=20)
)
def test_any_value_survives_a_field(value: str) -> None:
    message = Message.parse(f"{MSH}\rZFE|1|{escape(value)}|x\r")
    assert (message.get("ZFE-2"), message.get("ZFE-3")) == (value if value != '""' else "", "x")
