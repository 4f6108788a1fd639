"""What a person typed goes into the message, and nothing else of it changes."""

import pytest

from core.errors import Refused
from core.models import InboundMessage
from hl7_engine import correction
from hl7_engine.correction import editable_parts, editable_text, with_fields, with_text
from hl7_engine.errors import Unreadable
from hl7_engine.explanation import Explanation, explain
from hl7_engine.site import STANDARD_SITE
from simulators.his_messages import oru_r01
from tests.unit.hl7_engine.samples import EXAM, PATIENT, REPORT, envelope

pytestmark = pytest.mark.requirement("S3", "P6")

RAW = oru_r01(PATIENT, EXAM, REPORT, envelope()).replace(b"\r", b"\r\n")


def row(body: bytes, charset_name: str = "gb18030", format_name: str = "er7") -> InboundMessage:
    return InboundMessage(peer="HIS|A", format=format_name, charset=charset_name, body=body)


def explained(body: bytes = RAW) -> Explanation:
    return explain(row(body), STANDARD_SITE)


def as_a_form_sends(value: str) -> str:
    return value.replace("\n", "\r\n")


def test_form_that_comes_back_unchanged_gives_the_very_same_bytes() -> None:
    typed = {part.path: as_a_form_sends(part.value) for part in editable_parts(explained())}
    assert len(typed) > 30
    assert with_fields(RAW, explained(), typed) == RAW


def test_only_the_field_that_was_changed_changes() -> None:
    typed = {part.path: as_a_form_sends(part.value) for part in editable_parts(explained())}
    content = with_fields(RAW, explained(), typed | {"PID-5.2": "四方 & 子", "OBX-5": "一行\r\n两行"})
    before, after = RAW.split(b"\r\n"), content.split(b"\r\n")
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 2
    assert "四方 \\T\\ 子".encode("gb18030") in changed[0]
    assert "一行\\.br\\两行".encode("gb18030") in changed[1]


def test_missing_field_is_added_and_an_emptied_one_is_empty() -> None:
    content = with_fields(RAW, explained(), {"PID-30": "N", "PID-8": ""})
    parts = {part.path: part.value for part in editable_parts(explained(content))}
    assert (parts["PID-30"], "PID-8" in parts) == ("N", False)


@pytest.mark.parametrize(("path", "error"), [("姓名", Refused), ("PID", Refused), ("ZZZ-1", Unreadable)])
def test_what_is_no_place_in_the_message_is_refused(path: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        with_fields(RAW, explained(), {path: "x"})


def test_cut_values_are_not_offered_and_too_many_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any("…（共" in part.value for part in editable_parts(explained()))
    monkeypatch.setattr(correction, "MAX_PARTS", 5)
    assert editable_parts(explained()) == []
    assert with_fields(RAW, explained(), {"PID-8": "F"}) != RAW


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("charset_name", ["utf-8", "gb18030"])
def test_text_keeps_characters_and_line_ends(end: str, charset_name: str) -> None:
    body = end.join(["HELLO|张珅東", "PID|1", ""]).encode(charset_name)
    text = editable_text(row(body, charset_name))
    assert text == "HELLO|张珅東\nPID|1\n"
    assert with_text(row(body, charset_name), as_a_form_sends(text)) == body
    changed = with_text(row(body, charset_name), as_a_form_sends(text.replace("HELLO", "MSH")))
    assert changed == body.replace(b"HELLO", b"MSH")


def test_text_that_is_too_long_or_cannot_be_put_back_is_not_offered() -> None:
    assert editable_text(row(b"x" * (correction.MAX_TEXT + 1))) is None
    assert editable_text(row(b"a\xff\xffb", "")) is None
    with pytest.raises(Unreadable, match="latin-1"):
        with_text(row(b"a", "latin-1"), "张")
