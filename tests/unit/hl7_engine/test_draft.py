"""Editing changes what is edited and no other byte, whatever the sender's line ends, escapes and characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refused
from hl7_engine import charset
from hl7_engine.draft import Draft
from hl7_engine.er7 import Message
from hl7_engine.errors import Unreadable
from simulators.his_messages import omg_o19
from tests.shared_data import shared_dir
from tests.unit.hl7_engine.samples import EXAM, PATIENT, envelope

pytestmark = pytest.mark.requirement("P2")

RAW = omg_o19(PATIENT, EXAM, envelope())


def edited(raw: bytes, path: str, value: str) -> bytes:
    draft = Draft.open(raw)
    draft.set(path, value)
    return draft.to_bytes()


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize("coded", ["gb18030", "utf-8"])
def test_one_field_changes(end: bytes, coded: str) -> None:
    raw = omg_o19(PATIENT, EXAM, envelope(charset=coded)).replace(b"\r", end)
    changed = edited(raw, "OBR-18", "CT2")
    assert changed == raw.replace(b"|CT1|", b"|CT2|")


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("PID-3[2].1", "X", "PID|1||7^^^HIS~X|"),
        ("PID-3.4.2", "1.2", "PID|1||7^^^HIS&1.2|"),
        ("PID-5", "a|b", "PID|1||7^^^HIS||a\\F\\b"),
        ("PID-8", "M", "PID|1||7^^^HIS|||||M"),
    ],
)
def test_places_that_were_not_there(path: str, value: str, line: str) -> None:
    raw = b"MSH|^~\\&|A|B\rPID|1||7^^^HIS|\rPV1|1"
    assert edited(raw, path, value).split(b"\r")[1].decode() == line
    assert Message.parse(edited(raw, path, value).decode()).get(path) == value


def test_header_fields_count_from_the_separator() -> None:
    assert edited(b"MSH|^~\\&|HIS|A", "MSH-3", "RIS") == b"MSH|^~\\&|RIS|A"


def test_byte_order_mark_stays() -> None:
    raw = b"\xef\xbb\xbfMSH|^~\\&|HIS|A\rPID|1||7"
    assert edited(raw, "PID-3", "8") == raw[:-1] + b"8"


def test_what_cannot_be_done_says_so() -> None:
    with pytest.raises(Unreadable, match=r"no FT1\[9\]"):
        edited(RAW, "FT1[9]-2", "x")
    with pytest.raises(Unreadable, match="latin-1 cannot hold"):
        edited(b"MSH|^~\\&|A|B||||||||||||||8859/1\rPID|1||\xe9", "PID-5", "张")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30))
def test_whatever_is_set_is_read_back(value: str) -> None:
    changed = edited(RAW, "PID-11.1", value)
    assert Message.parse(charset.decode(changed).text).get("PID-11.1") == value.strip()


def test_public_corpus_is_written_back_byte_for_byte() -> None:
    read = 0
    for path in sorted(shared_dir("data", "hl7", "corpus").rglob("*.hl7")):
        raw = path.read_bytes()
        try:
            draft = Draft.open(raw)
        except Refused:
            continue
        assert draft.to_bytes() == raw, path.name
        read += 1
    assert read > 1390
