"""docs/hl7.md is what a HIS vendor works from: its samples and limits are those of the code."""

import re
from pathlib import Path

import pytest

from hl7_engine import er7, framing, mllp_server
from hl7_engine.router import standard_router
from tests.unit.hl7_engine.samples import FILM, opened

pytestmark = pytest.mark.requirement("P2", "P6")

DOCUMENT = (Path(__file__).parents[3] / "docs" / "hl7.md").read_text(encoding="utf-8")
SAMPLES = re.findall(r"```hl7 (\w+)\n(.*?)```", DOCUMENT, re.DOTALL)


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_every_sample_is_read_as_the_document_says(charset: str) -> None:
    router = standard_router(FILM)
    found = {name: router.read(opened(text.encode(charset))) for name, text in SAMPLES}
    assert {name: [type(command).__name__ for command in commands] for name, commands in found.items()} == {
        name: [name]
        for name in (
            "RegisterPatient",
            "PlaceOrder",
            "SettleFee",
            "CompleteExam",
            "DeliverReport",
            "CancelOrder",
        )
    }
    told = {getattr(commands[0], "accession_number", "CT202611240001") for commands in found.values()}
    assert told == {"CT202611240001"}


def test_limits_are_those_of_the_code() -> None:
    assert f"{framing.MAX_FRAME_BYTES // 2**20} MB" in DOCUMENT
    assert f"| {er7.MAX_SEGMENTS:,} |" in DOCUMENT
    assert f"| {mllp_server.Limits.frame:.0f} s |" in DOCUMENT
    assert f"| {mllp_server.Limits.idle / 3600:.0f} h |" in DOCUMENT
    assert f"| {mllp_server.MAX_CONNECTIONS} |" in DOCUMENT


def test_every_message_type_that_is_read_is_documented() -> None:
    for message_type in standard_router(FILM)._readers:
        code, event = message_type.split("^")
        assert re.search(rf"### .*{code}.*{event}", DOCUMENT), message_type
