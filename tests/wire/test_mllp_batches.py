"""A block that holds a batch: each message stored on its own, one answer with all acknowledgements."""

from collections.abc import Iterator

import peewee
import pytest

from core.models import InboundMessage
from hl7_engine import acknowledge, batch, mllp_server
from hl7_engine.acknowledge import AckResult
from hl7_engine.framing import wrap
from hl7_engine.mllp_server import MllpServer
from simulators.his_messages import omg_o19
from tests.fixtures.mllp_peer import MllpPeer, connected
from tests.unit.hl7_engine.samples import EXAM, PATIENT, envelope

pytestmark = pytest.mark.requirement("P6", "P2")

HEADERS = b"FHS|^~\\&|HIS|A\rBHS|^~\\&|HIS|A|CLOUDFILM|B|20261124||||B1\r"


def order(control_id: str) -> bytes:
    return omg_o19(PATIENT, EXAM, envelope(control_id))


@pytest.fixture
def server(database: peewee.Database) -> Iterator[MllpServer]:
    running = mllp_server.serve("127.0.0.1:0", "")
    yield running
    running.stop()


def acknowledgements(peer: MllpPeer) -> list[AckResult]:
    content = peer.content()
    assert content.startswith(b"BHS|^~\\&|CLOUDFILM|B|HIS|A|")
    assert content.rstrip(b"\r").split(b"\r")[-1].startswith(b"BTS|")
    return [acknowledge.parse(part) for part in batch.split(content)]


def states() -> dict[str, str]:
    return {row.control_id: row.state for row in InboundMessage.select()}


@pytest.mark.parametrize("trailers", [b"BTS|3\rFTS|1\r", b"BTS|3\r", b""])
def test_each_message_is_stored_and_acknowledged_in_one_answer(server: MllpServer, trailers: bytes) -> None:
    with connected(server) as peer:
        peer.send(wrap(HEADERS + order("M1") + order("M2") + order("M3") + trailers), wrap(order("M4")))
        assert acknowledgements(peer) == [AckResult("CA", name) for name in ("M1", "M2", "M3")]
        assert peer.answer() == AckResult("CA", "M4")
    assert states() == dict.fromkeys(("M1", "M2", "M3", "M4"), "received")
    assert InboundMessage.get(InboundMessage.control_id == "M2").body == order("M2")


def test_bad_message_in_the_middle_harms_no_other(server: MllpServer) -> None:
    bad = order("BAD").replace("珅東".encode("gb18030"), b"\xff\xff")
    with connected(server) as peer:
        peer.send(wrap(HEADERS + order("M1") + bad + order("M3") + b"BTS|3\r"))
        answers = acknowledgements(peer)
    assert [(answer.code, answer.control_id) for answer in answers] == [
        ("CA", "M1"),
        ("CE", "BAD"),
        ("CA", "M3"),
    ]
    assert states() == {"M1": "received", "BAD": "refused", "M3": "received"}


def test_batch_without_start_byte_is_taken(server: MllpServer) -> None:
    with connected(server) as peer:
        peer.send(b"\r\n" + HEADERS + order("M1") + b"\x1c\r")
        assert acknowledgements(peer) == [AckResult("CA", "M1")]


def test_batch_whose_messages_want_no_answers_gets_none(server: MllpServer) -> None:
    silent = order("M1").replace(b"|AL|NE|", b"|NE|NE|")
    with connected(server) as peer:
        peer.send(wrap(HEADERS + silent), wrap(order("M2")))
        assert peer.answer() == AckResult("CA", "M2")
    assert states() == {"M1": "received", "M2": "received"}


def test_batch_of_too_many_is_refused_as_a_whole(server: MllpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MAX_MESSAGES", 2)
    with connected(server) as peer:
        peer.send(wrap(HEADERS + order("M1") + order("M2") + order("M3")))
        refusal = peer.answer()
        assert (refusal.code, "send several" in refusal.text) == ("AR", True)
    assert [row.state for row in InboundMessage.select()] == ["refused"]
