"""The MLLP server on real sockets, with peers that err: each gets its answer, and the next message works."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import peewee
import pytest

from core.errors import Unavailable
from core.models import InboundMessage
from hl7_engine import inbox, mllp_server
from hl7_engine.acknowledge import AckResult
from hl7_engine.framing import wrap
from hl7_engine.incoming import Incoming, Receipt
from hl7_engine.mllp_server import MllpServer
from simulators.his_messages import ReportFacts, omg_o19, oru_r01
from tests.fixtures.mllp_peer import SECONDS, connected
from tests.fixtures.waiting import wait_until
from tests.unit.hl7_engine.samples import EXAM, PATIENT, REPORT, envelope

pytestmark = pytest.mark.requirement("P6", "P2")


def order(control_id: str, charset: str = "gb18030") -> bytes:
    return omg_o19(PATIENT, EXAM, envelope(control_id, charset))


@pytest.fixture
def server(database: peewee.Database) -> Iterator[MllpServer]:
    running = mllp_server.serve("127.0.0.1:0", "127.0.0.1")
    yield running
    running.stop()


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
        lambda: not [t for t in threading.enumerate() if t.name in ("hl7-mllp", "hl7-store")],
        5,
        "threads to end",
    )


def test_sender_that_wants_no_answer_gets_none(server: MllpServer) -> None:
    silent = order("M1").replace(b"|AL|NE|", b"|NE|NE|")
    assert silent != order("M1")
    with connected(server) as peer:
        peer.send(wrap(silent), wrap(order("M2")))
        assert peer.answer() == AckResult("CA", "M2")
    assert states() == {"M1": "received", "M2": "received"}


@pytest.mark.parametrize(
    "stream",
    [
        lambda raw: b"\x0b" + wrap(raw),
        lambda raw: wrap(raw.replace(b"\r", b"\r\r")),
        lambda raw: wrap(raw.replace(b"\r", b"\n")),
        lambda raw: wrap(raw.replace(b"\r", b"\r\n")),
        lambda raw: wrap(b"\xef\xbb\xbf" + raw),
        lambda raw: wrap(raw + b"NTE|1||a\x1cb\r"),
        lambda raw: b"\x0b" + raw + b"\x1c\n",
        lambda raw: wrap(raw + b"ZZ9|what|nobody|knows\r"),
    ],
    ids=["start twice", "blank lines", "LF", "CRLF", "BOM", "0x1C inside", "LF at the end", "Z segment"],
)
def test_what_senders_do_to_frames_and_lines_is_taken(
    server: MllpServer, stream: Callable[[bytes], bytes]
) -> None:
    with connected(server) as peer:
        for number in (1, 2):
            peer.send(stream(order(f"M{number}", "utf-8")))
            assert peer.answer() == AckResult("CA", f"M{number}")
    assert states() == {"M1": "received", "M2": "received"}


def test_empty_message_is_refused(server: MllpServer) -> None:
    with connected(server) as peer:
        peer.send(wrap(b""), wrap(order("M1")))
        assert (peer.answer().code, peer.answer()) == ("AR", AckResult("CA", "M1"))


def test_peer_that_only_listens_any_more_still_gets_its_answers(server: MllpServer) -> None:
    with connected(server) as peer:
        peer.send(b"".join(wrap(order(f"M{number}")) for number in range(10)))
        peer.socket.shutdown(socket.SHUT_WR)
        assert [peer.answer().control_id for _ in range(10)] == [f"M{number}" for number in range(10)]
        assert peer.is_closed()


def test_peer_that_resets_before_its_answer_harms_nobody(database: peewee.Database) -> None:
    gate, began = threading.Event(), threading.Event()

    def store(items: Sequence[Incoming]) -> list[Receipt]:
        began.set()
        assert gate.wait(SECONDS)
        return inbox.accept(items)

    server = mllp_server.serve("127.0.0.1:0", "", store)
    try:
        with connected(server) as peer:
            peer.send(wrap(order("M1")))
            assert began.wait(SECONDS)
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gate.set()
        with connected(server) as peer:
            peer.send(wrap(order("M2")))
            assert peer.answer() == AckResult("CA", "M2")
    finally:
        server.stop()
    assert states() == {"M1": "received", "M2": "received"}


def test_half_open_connections_do_not_stand_in_the_way(server: MllpServer) -> None:
    with ExitStack() as open_ones:
        for _ in range(50):
            open_ones.enter_context(connected(server)).send(b"\x0bMSH|^~")
        with connected(server) as peer:
            peer.send(wrap(order("M1")))
            assert peer.answer() == AckResult("CA", "M1")


def test_messages_that_came_before_the_end_are_answered(database: peewee.Database) -> None:
    gate = threading.Event()
    began = threading.Event()

    def store(items: Sequence[Incoming]) -> list[Receipt]:
        began.set()
        assert gate.wait(SECONDS)
        return inbox.accept(items)

    server = mllp_server.serve("127.0.0.1:0", "", store)
    with connected(server) as peer:
        peer.send(wrap(order("M1")))
        assert began.wait(SECONDS)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        gate.set()
        assert peer.answer() == AckResult("CA", "M1")
        assert peer.is_closed()
        stopping.join(SECONDS)
