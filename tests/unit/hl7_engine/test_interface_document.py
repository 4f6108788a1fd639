"""docs/hl7-interface.md is what a HIS vendor works from: its samples, types, fields and limits are those of the code."""

import dataclasses
import re
from pathlib import Path

import pytest

from core import commands
from core.commands import PlaceOrder
from hl7_engine import batch, er7, framing, json_commands, mllp_server, profile, site, v3
from hl7_engine.router import standard_router
from hl7_engine.v3 import services
from tests.unit.hl7_engine.samples import opened

pytestmark = pytest.mark.requirement("P2", "P6")

DOCUMENT = (Path(__file__).parents[3] / "docs" / "hl7-interface.md").read_text(encoding="utf-8")
SAMPLES = re.findall(r"```hl7 (\w+)\n(.*?)```", DOCUMENT, re.DOTALL)
JSON = re.findall(r"```json (\w+)\n(.*?)```", DOCUMENT, re.DOTALL)
XML = re.findall(r"```xml (\w+) (\w+)\n(.*?)```", DOCUMENT, re.DOTALL)
TOML = dict(re.findall(r"```toml (\w+)\n(.*?)```", DOCUMENT, re.DOTALL))
# Not for others to send by HL7: what the DICOM service hands in.
INTERNAL = {"ReceiveInstance"}


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
@pytest.mark.parametrize(("name", "text"), SAMPLES)
def test_sample_is_read_as_the_document_says(name: str, text: str, charset: str) -> None:
    source = opened(text.encode(charset))
    (command,) = standard_router().read(source)
    assert type(command).__name__ == name
    assert source.notes == []
    for field in ("accession_number", "placer_order_number"):
        told = getattr(command, field, "")
        assert told in ("", "CT202611240001", "SQ202611240001")
    assert "CT202611240001" in text or not hasattr(command, "accession_number")


def test_there_is_a_sample_for_everything_that_can_be_asked() -> None:
    asked = {
        name
        for name, kind in vars(commands).items()
        if dataclasses.is_dataclass(kind) and name not in INTERNAL | {"PatientFacts", "FeeLine"}
    }
    assert {name for name, _ in SAMPLES} == asked


def test_limits_are_those_of_the_code() -> None:
    assert f"{framing.MAX_FRAME_BYTES // 2**20} MB" in DOCUMENT
    assert f"| {er7.MAX_SEGMENTS:,} |" in DOCUMENT
    assert f"| {mllp_server.Limits.frame:.0f} s |" in DOCUMENT
    assert f"| {mllp_server.Limits.idle / 3600:.0f} h |" in DOCUMENT
    assert f"| {mllp_server.MAX_CONNECTIONS} |" in DOCUMENT
    assert f"| {mllp_server.MAX_PER_ADDRESS} |" in DOCUMENT
    assert f"| {batch.MAX_MESSAGES:,} |" in DOCUMENT


def test_every_message_type_that_is_read_is_documented() -> None:
    section = DOCUMENT.split("## 5.")[1].split("## 6.")[0]
    told: set[str] = set()
    for code, events in re.findall(
        r"(?<![A-Z])([A-Z]{3})(?:\^| 的[^（]*（)([A-Z]\d\d(?:[ –]?[A-Z]\d\d)*)", section
    ):
        told |= {f"{code}^{event}" for event in _expanded(events)}
    read = {name for name in standard_router().types if "^" in name}
    assert read <= told, sorted(read - told)


def _expanded(events: str) -> list[str]:
    found: list[str] = []
    for part in events.split():
        first, _, last = part.partition("–")
        letter = first[0]
        numbers = range(int(first[1:]), int((last or first)[1:]) + 1)
        found += [f"{letter}{number:02d}" for number in numbers]
    return found


def test_every_place_of_the_standard_profile_is_documented() -> None:
    section = DOCUMENT.split("## 6.")[1]
    for name, places in profile.load(profile.STANDARD).fields.items():
        first = places[0]
        field = first.field.field
        patterns = (
            rf"{first.segment}-{field}\b",
            rf"{first.segment}[^|\n]*[、 –]{field}\b",
            rf"[、 ]{field}\b",
        )
        assert any(re.search(pattern, section) for pattern in patterns), f"{name}: {first}"


def order_of_hl7() -> PlaceOrder:
    (text,) = [text for name, text in SAMPLES if name == "PlaceOrder"]
    (command,) = standard_router().read(opened(text.encode()))
    assert isinstance(command, PlaceOrder)
    return command


def test_the_same_order_in_xml_and_json_is_the_same_command() -> None:
    wanted = order_of_hl7()
    ((action, name, xml),) = XML
    (by_xml,) = v3.read(action, xml.encode())
    assert type(by_xml).__name__ == name
    (by_json,) = json_commands.read(dict(JSON)["PlaceOrder"].encode())
    for told in (by_xml, by_json):
        assert isinstance(told, PlaceOrder)
        for field in (
            "accession_number",
            "placer_order_number",
            "item_code",
            "item_name",
            "modality",
            "department",
        ):
            assert getattr(told, field) == getattr(wanted, field), field
        assert told.ordered_at == wanted.ordered_at
        assert told.patient.identifiers == wanted.patient.identifiers
        assert (told.patient.name, told.patient.birth_date) == ("张珅東", "1985-06-15")
        (line,), (wanted_line,) = told.fee_lines, wanted.fee_lines
        assert (line.fee_line_id, line.amount_fen) == (wanted_line.fee_line_id, wanted_line.amount_fen)


def test_payment_in_json_is_the_payment_of_hl7() -> None:
    (text,) = [text for name, text in SAMPLES if name == "SettleFee"]
    assert json_commands.read(dict(JSON)["SettleFee"].encode()) == standard_router().read(
        opened(text.encode())
    )


def test_services_of_the_web_service_are_documented() -> None:
    section = DOCUMENT.split("## 8.")[1]
    for action in services.READERS:
        base = re.sub(r"(Add|Update)$", "", action)
        assert re.search(rf"{action}|{base}(Add)?/Update", section), action


def test_profile_and_site_of_the_document_load(tmp_path: Path) -> None:
    (tmp_path / "our_his.toml").write_text(TOML["profile"], encoding="utf-8")
    (tmp_path / "site.toml").write_text(TOML["site"], encoding="utf-8")
    loaded = site.load(str(tmp_path / "site.toml"))
    assert loaded.peer_of("HIS|HOSPITAL").profile.meaning("order_control", "作废") == "CA"
    assert [peer.name for peer in loaded.receivers("film_link")] == ["HIS"]
