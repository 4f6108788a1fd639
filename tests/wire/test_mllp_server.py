"""The MLLP server on real sockets, with peers that err: each gets its answer, and the next message works."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import peewee
import pytest

from core.errors import Misconfigured, Unavailable
from core.models import InboundMessage
from hl7_engine import acknowledge, inbox, mllp_server
from hl7_engine.acknowledge import AckResult
from hl7_engine.framing import Deframer, Frame, wrap
from hl7_engine.incoming import Incoming, Receipt
from hl7_engine.mllp_server import MllpServer
from simulators.his_messages import ReportFacts, omg_o19, oru_r01
from tests.fixtures.waiting import wait_until
from tests.unit.hl7_engine.samples import EXAM, PATIENT, REPORT, envelope

pytestmark = pytest.mark.requirement("P6", "P2")

SECONDS = 20


def order(control_id: str, charset: str = "gb18030") -> bytes:
    return omg_o19(PATIENT, EXAM, envelope(control_id, charset))


@pytest.fixture
def server(database: peewee.Database) -> Iterator[MllpServer]:
    running = mllp_server.serve("127.0.0.1:0", "127.0.0.1")
    yield running
    running.stop()


class Peer:
    """A sender that does with its bytes what it likes."""

    def __init__(self, server: MllpServer) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._deframer = Deframer()
        self._waiting: list[Frame] = []

    def send(self, *packets: bytes) -> None:
        for packet in packets:
            self.socket.sendall(packet)

    def answer(self) -> AckResult:
        while not self._waiting:
            data = self.socket.recv(65536)
            assert data, "the server closed the connection"
            self._waiting += self._deframer.feed(data)
        return acknowledge.parse(self._waiting.pop(0).content)

    def is_closed(self) -> bool:
        try:
            return self.socket.recv(65536) == b""
        except ConnectionError:
            return True


@contextmanager
def connected(server: MllpServer) -> Iterator[Peer]:
    peer = Peer(server)
    try:
        yield peer
    finally:
        peer.socket.close()


def states() -> dict[str, str]:
    return {row.control_id: row.state for row in InboundMessage.select()}


@pytest.mark.parametrize("charset", ["gb18030", "utf-8"])
def test_one_byte_at_a_time(server: MllpServer, charset: str) -> None:
    raw = order("M1", charset)
    with connected(server) as peer:
        peer.send(*(bytes([byte]) for byte in wrap(raw)))
        assert peer.answer() == AckResult("CA", "M1")
    row = InboundMessage.get()
    assert (row.body, row.charset, row.state) == (raw, charset, "received")


def test_several_messages_in_one_packet_are_answered_in_order(server: MllpServer) -> None:
    with connected(server) as peer:
        peer.send(b"".join(wrap(order(f"M{number}")) for number in range(20)))
        assert [peer.answer().control_id for _ in range(20)] == [f"M{number}" for number in range(20)]
    assert InboundMessage.select().count() == 20


@pytest.mark.parametrize(
    "junk", [b"\r\n", b"\x00" * 50, b"noise\x1c\r", b"\xff" * 9], ids=["lines", "NUL", "noise", "bytes"]
)
def test_junk_between_messages(server: MllpServer, junk: bytes) -> None:
    with connected(server) as peer:
        for number in (1, 2):
            peer.send(junk, wrap(order(f"M{number}")), junk)
            assert peer.answer() == AckResult("CA", f"M{number}")


def test_missing_frame_bytes(server: MllpServer) -> None:
    with connected(server) as peer:
        peer.send(order("NOSTART") + b"\x1c\r")
        assert peer.answer().control_id == "NOSTART"
        peer.send(b"\x0b" + order("NOCR") + b"\x1c")
        assert peer.answer() == AckResult("CA", "NOCR")
        peer.send(b"\x0b" + order("NOEND") + wrap(order("M4")))
        assert (peer.answer().code, peer.answer()) == ("CR", AckResult("CA", "M4"))
    assert states() == {"NOSTART": "received", "NOCR": "received", "NOEND": "refused", "M4": "received"}


def test_what_is_refused_is_answered_and_the_next_message_works(server: MllpServer) -> None:
    with connected(server) as peer:
        peer.send(wrap(b"GET / HTTP/1.1"))
        assert peer.answer().code == "AR"
        peer.send(wrap(order("BAD").replace("珅東".encode("gb18030"), b"\xff\xff")))
        answer = peer.answer()
        assert (answer.code, answer.control_id) == ("CE", "BAD")
        assert "neither UTF-8 nor GB18030" in answer.text
        peer.send(wrap(order("GOOD")))
        assert peer.answer() == AckResult("CA", "GOOD")
    assert states() == {"": "refused", "BAD": "refused", "GOOD": "received"}


def test_oversized_message_is_refused_and_the_next_one_works(database: peewee.Database) -> None:
    small = mllp_server.serve("127.0.0.1:0", "", max_frame_bytes=4000)
    try:
        with connected(small) as peer:
            peer.send(wrap(order("BIG") + b"NTE|" + b"x" * 100_000), wrap(order("NEXT")))
            refusal = peer.answer()
            assert (refusal.code, refusal.control_id) == ("CR", "BIG")
            assert "longer than this interface accepts" in refusal.text
            assert peer.answer() == AckResult("CA", "NEXT")
    finally:
        small.stop()
    assert states() == {"BIG": "refused", "NEXT": "received"}


def test_large_report_is_taken(server: MllpServer) -> None:
    pdf = b"%PDF-1.4\n" + bytes(8_000_000)
    report = ReportFacts(REPORT.findings, REPORT.impression, "", "", pdf)
    with connected(server) as peer:
        peer.send(wrap(oru_r01(PATIENT, EXAM, report, envelope("PDF"))))
        assert peer.answer() == AckResult("CA", "PDF")


def test_repetition_on_another_connection_is_acknowledged_and_stored_once(server: MllpServer) -> None:
    for _ in range(3):
        with connected(server) as peer:
            peer.send(wrap(order("M1")))
            assert peer.answer() == AckResult("CA", "M1")
    assert InboundMessage.select().count() == 1


def test_many_senders_at_once(server: MllpServer) -> None:
    answers: list[AckResult] = []

    def send(sender: int) -> None:
        with connected(server) as peer:
            for number in range(10):
                peer.send(wrap(order(f"S{sender}-{number}")))
                answers.append(peer.answer())

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {answer.code for answer in answers} == {"CA"}
    assert states().keys() == {answer.control_id for answer in answers}
    assert len(answers) == 80


def test_peer_that_vanishes_in_the_middle_harms_nobody(server: MllpServer) -> None:
    with connected(server) as peer:
        peer.send(wrap(order("M1"))[:100])
    with connected(server) as peer:
        peer.send(wrap(order("M2")))
        assert peer.answer() == AckResult("CA", "M2")
    assert states() == {"M2": "received"}


def test_peer_that_is_not_expected_is_turned_away(database: peewee.Database) -> None:
    strict = mllp_server.serve("127.0.0.1:0", "10.1.0.0/16, 192.0.2.7")
    try:
        with connected(strict) as peer:
            assert peer.is_closed()
    finally:
        strict.stop()


def test_silent_and_endless_peers_are_closed(server: MllpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mllp_server.Limits, "idle", 0.1)
    monkeypatch.setattr(mllp_server.Limits, "frame", 0.1)
    with connected(server) as silent, connected(server) as endless:
        endless.send(b"\x0bMSH|")
        assert silent.is_closed()
        assert endless.is_closed()


def test_only_so_many_connections(server: MllpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mllp_server, "MAX_CONNECTIONS", 1)
    with connected(server) as first:
        first.send(wrap(order("M1")))
        assert first.answer().code == "CA"
        with connected(server) as second:
            assert second.is_closed()


def test_failing_store_is_answered_and_recovers(database: peewee.Database) -> None:
    failures = [peewee.OperationalError("the disk is full")] * 2

    def store(items: Sequence[Incoming]) -> list[Receipt]:
        if failures:
            raise failures.pop()
        return inbox.accept(items)

    flaky = mllp_server.serve("127.0.0.1:0", "", store)
    try:
        with connected(flaky) as peer:
            peer.send(wrap(order("M1")))
            refusal = peer.answer()
            assert (refusal.code, refusal.control_id) == ("CR", "M1")
            assert "send it again" in refusal.text
            peer.send(wrap(order("M1")))
            assert peer.answer() == AckResult("CA", "M1")
    finally:
        flaky.stop()


def test_every_acknowledged_message_is_in_the_database(server: MllpServer) -> None:
    with connected(server) as peer:
        for number in range(20):
            peer.send(wrap(order(f"M{number}")))
            assert peer.answer().code == "CA"
            assert states()[f"M{number}"] == "received"


def test_stopped_server_frees_port_and_connections(database: peewee.Database) -> None:
    server = mllp_server.serve("127.0.0.1:0", "")
    with connected(server) as peer:
        peer.send(wrap(order("M1")))
        assert peer.answer().code == "CA"
        with pytest.raises(Unavailable, match=f"cannot listen on 127.0.0.1:{server.port}"):
            mllp_server.serve(f"127.0.0.1:{server.port}", "")
        server.stop()
        assert peer.is_closed()
    again = mllp_server.serve(f"127.0.0.1:{server.port}", "")
    again.stop()
    wait_until(
        lambda: not [t for t in threading.enumerate() if t.name.startswith("hl7")], 5, "threads to end"
    )


def test_mistaken_peer_list() -> None:
    with pytest.raises(Misconfigured, match=r"CLOUDFILM_MLLP_PEERS: '10.0.0.300' is no address"):
        mllp_server.parse_peers("10.0.0.1, 10.0.0.300")
