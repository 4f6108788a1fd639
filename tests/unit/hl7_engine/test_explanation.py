"""A message laid open: every value with its path and name, what the profile reads, and nothing personal when masked."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.models import InboundMessage
from hl7_engine import charset
from hl7_engine.draft import Draft
from hl7_engine.er7 import Message
from hl7_engine.errors import Unreadable
from hl7_engine.explanation import LONGEST_TEXT, Explanation, FieldShown, Part, explain, masked
from hl7_engine.field_names import field_name, segment_title
from hl7_engine.profile import load
from hl7_engine.site import STANDARD_SITE, Peer, Site
from simulators.his_messages import omg_o19, oru_r01
from tests.shared_data import SHARED
from tests.unit.hl7_engine.samples import EXAM, PATIENT, REPORT, envelope

pytestmark = pytest.mark.requirement("P6", "S3")


def row(body: bytes, format_name: str = "er7", charset_name: str = "utf-8") -> InboundMessage:
    return InboundMessage(peer="HIS|A", format=format_name, charset=charset_name, body=body)


def shown(explanation: Explanation) -> dict[str, FieldShown]:
    return {field.path: field for segment in explanation.segments for field in segment.fields}


def parts(explanation: Explanation) -> Iterator[Part]:
    for field in shown(explanation).values():
        yield from field.parts


ORDER = omg_o19(PATIENT, EXAM, envelope())


def test_values_have_the_shortest_path_that_names_them() -> None:
    fields = shown(explain(row(ORDER, charset_name="gb18030"), STANDARD_SITE))
    assert fields["MSH-2"].parts == (Part("MSH-2", "^~\\&", is_whole=False),)
    assert fields["PID-8"].parts == (Part("PID-8", "M"),)
    numbers = {part.path: part.value for part in fields["PID-3"].parts}
    assert numbers["PID-3.1"] == "0001234567"
    assert numbers["PID-3[2].1"] == PATIENT.id_number
    assert "PID-3.2" not in numbers


def test_second_segment_of_a_name_and_subcomponents_are_counted() -> None:
    body = b"MSH|^~\\&|H||||||ORU^R01|1|P|2.5\rOBX|1|TX|A||x\rOBX|2|NM|B||1&2^\\T\\3\r"
    found = {part.path: part.value for part in parts(explain(row(body), STANDARD_SITE))}
    assert (found["OBX-5"], found["OBX[2]-5.1.1"], found["OBX[2]-5.1.2"]) == ("x", "1", "2")
    assert found["OBX[2]-5.2"] == "&3"


@pytest.mark.parametrize(
    "sample", [ORDER, oru_r01(PATIENT, EXAM, replace(REPORT, pdf=b"%PDF-1.4"), envelope())]
)
def test_every_value_shown_whole_can_be_put_back_where_it_stood(sample: bytes) -> None:
    explanation = explain(row(sample, charset_name="gb18030"), STANDARD_SITE)
    draft = Draft.open(sample)
    for part in parts(explanation):
        if part.is_whole and "\n" not in part.value:
            draft.set(part.path, part.value)
    before, after = (Message.parse(charset.decode(raw).text) for raw in (sample, draft.to_bytes()))
    for part in parts(explanation):
        assert before.get(part.path) == after.get(part.path), part.path


def test_fields_say_what_the_senders_profile_reads_there() -> None:
    body = b"MSH|^~\\&|H|C||||||X\rPID|1||7||a||||||||1||||||330683198506151230\r"
    county = Site(peers=(Peer(name="H", sender="HIS|A", profile=load("county_his")),))
    assert shown(explain(row(body), STANDARD_SITE))["PID-19"].facts == ()
    assert shown(explain(row(body), county))["PID-19"].facts == ("身份证号",)
    assert shown(explain(row(ORDER), STANDARD_SITE))["OBR-18"].facts == ("检查号",)


def test_names_are_ours_or_the_standards_or_none() -> None:
    assert (field_name("PID", 5), segment_title("ZFE"), field_name("ZFE", 4)) == (
        "姓名",
        "云胶片收费",
        "收费状态",
    )
    assert field_name("RXA", 9) == "Administration Notes"
    assert (field_name("ZZZ", 1), segment_title("ZZZ"), field_name("PID", 999)) == ("", "", "")


def test_long_values_are_cut_and_cannot_be_edited_as_they_stand() -> None:
    (value,) = [
        part
        for part in parts(explain(row(b"MSH|^~\\&|H\rOBX|1|TX|A||" + b"x" * 5000), STANDARD_SITE))
        if part.path == "OBX-5"
    ]
    assert (len(value.value) < 1100, "5,000" in value.value, value.is_whole) == (True, True, False)


def test_what_is_no_message_is_shown_as_text() -> None:
    explanation = explain(row(b"hello\rPID|\xff\xfe", charset_name=""), STANDARD_SITE)
    assert explanation.segments == ()
    assert explanation.text.startswith("hello\nPID|")
    assert explain(row(b"x" * (LONGEST_TEXT + 1)), STANDARD_SITE).is_cut


@pytest.mark.parametrize(
    ("format_name", "body", "lines"),
    [
        ("json", b'{"action":"X","data":{"name":"\\u5f20"}}', ["{", '  "action": "X",', '    "name": "张"']),
        ("v3", '<?xml version="1.0" encoding="GBK"?><a><b>张</b></a>'.encode("gbk"), ["<a>", "  <b>张</b>"]),
        ("v3", b"<a><b>", ["<a><b>"]),
        ("v3", b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', ['<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>']),
        ("json", b"{no", ["{no"]),
    ],
)
def test_documents_are_indented_where_they_are_well_formed(
    format_name: str, body: bytes, lines: list[str]
) -> None:
    charset_name = "gbk" if b"GBK" in body else "utf-8"
    text = explain(row(body, format_name, charset_name), STANDARD_SITE).text.splitlines()
    assert [line for line in lines if line not in text] == []


def test_masked_shows_no_name_address_phone_or_identity_number() -> None:
    body = ORDER.decode("gb18030").encode()
    text = str(masked(explain(row(body), STANDARD_SITE)))
    assert PATIENT.id_number not in text
    assert PATIENT.phone not in text
    assert "珅東" not in text
    assert "0001234567" in text, "the hospital's number is what people ask by"


@pytest.mark.parametrize(
    "path", sorted((SHARED / "data" / "hl7").rglob("*.hl7"))[::25], ids=lambda path: path.name
)
def test_real_messages_are_laid_open_completely(path: Path) -> None:
    content = path.read_bytes()
    try:
        message = Message.parse(charset.decode(content).text)
    except Unreadable:
        assert explain(row(content), STANDARD_SITE).text
        return
    fields = shown(explain(row(content), STANDARD_SITE))
    told = sum(
        1 for segment in message.all_segments for n in range(1, segment.last_field + 1) if segment.raw(n)
    )
    assert len(fields) == told
