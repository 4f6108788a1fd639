"""Both directions on real sockets: the HIS sends until it is heard; payments reach it once."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import peewee
import pytest

from core.errors import Unavailable
from core.models import InboundMessage, OutboundMessage
from hl7_engine import mllp_server, outgoing, profile
from hl7_engine.er7 import Message
from hl7_engine.errors import Rejected
from hl7_engine.sender import MllpSender
from hl7_engine.site import Peer, Site
from hl7_engine.writing import application_ack, film_link, payment
from hl7_engine.writing.envelope import Envelope
from simulators.his import Ack, HisSimulator, NotAcknowledged
from simulators.his_messages import adt_a04, dft_cg, omg_o19, orm_complete, oru_r01
from tests.unit.hl7_engine.samples import EXAM, LINK, PATIENT, PAYMENT, REPORT, envelope

pytestmark = pytest.mark.requirement("P6", "S3")

NOWHERE = ("127.0.0.1", 9)


@pytest.mark.parametrize("charset", ["gb18030", "utf-8"])
def test_every_message_of_the_story_is_taken(database: peewee.Database, tmp_path: Path, charset: str) -> None:
    server = mllp_server.serve("127.0.0.1:0", "")
    try:
        with HisSimulator(tmp_path, ("127.0.0.1", server.port)) as his:
            messages = [
                adt_a04(PATIENT, envelope("M1", charset)),
                omg_o19(PATIENT, EXAM, envelope("M2", charset)),
                orm_complete(PATIENT, EXAM, ("1.2.3",), envelope("M3", charset)),
                oru_r01(PATIENT, EXAM, REPORT, envelope("M4", charset)),
                dft_cg(PATIENT, EXAM, "JS1", envelope("M5", charset)),
            ]
            expected = [Ack("CA", f"M{number}") for number in (1, 2, 3, 4, 5)]
            assert [his.send(raw) for raw in messages * 2] == expected * 2
            refused = his.send(b"PID|without a header")
            assert (refused.code, "MSH" in refused.text) == ("AR", True)
    finally:
        server.stop()
    assert InboundMessage.select().where(InboundMessage.state == "received").count() == 5


def test_his_resends_until_the_platform_is_back(database: peewee.Database, tmp_path: Path) -> None:
    server = mllp_server.serve("127.0.0.1:0", "")
    his = HisSimulator(tmp_path, ("127.0.0.1", server.port))
    assert his.send(adt_a04(PATIENT, envelope("M1"))).code == "CA"
    server.stop()
    with pytest.raises(NotAcknowledged):
        his.send(adt_a04(PATIENT, envelope("M2")), patience=0)
    answers: list[Ack] = []
    sending = threading.Thread(target=lambda: answers.append(his.send(adt_a04(PATIENT, envelope("M2")))))
    sending.start()
    server = mllp_server.serve(f"127.0.0.1:{server.port}", "")
    sending.join(60)
    server.stop()
    his.stop()
    assert answers == [Ack("CA", "M2")]


def owed(key: str) -> int:
    outgoing.queue("HIS", key, "DFT^P03", lambda control_id: payment.build(PAYMENT, control_id))
    return OutboundMessage.get(OutboundMessage.key == f"{key}@HIS").id


def test_payment_reaches_the_his_once_even_when_its_answer_was_lost(
    database: peewee.Database, tmp_path: Path
) -> None:
    message_id = owed("payment:FY0002")
    with HisSimulator(tmp_path, NOWHERE) as his:
        sender = MllpSender((his.host, his.port), 10)
        outgoing.deliver(message_id, sender, 12)
        # The process died before it noted the answer, and the HIS was restarted.
        OutboundMessage.update(state="queued").execute()
    with HisSimulator(tmp_path, NOWHERE) as his:
        outgoing.deliver(message_id, MllpSender((his.host, his.port), 10), 12)
        assert OutboundMessage.get_by_id(message_id).state == "sent"
        (booked,) = his.received()
        assert (booked["fee_line_id"], booked["amount"], booked["channel"]) == ("FY0002", "20.05", "ZZJ")
        assert (booked["patient_name"], booked["paid_at"]) == ("张珅東", "20261124120000+0800")
        with pytest.raises(Rejected, match=r"AE .*: fee line FY0002 is already paid"):
            outgoing.deliver(owed("payment:again"), MllpSender((his.host, his.port), 10), 12)
        assert len(his.received()) == 1


@contextmanager
def peer_that(answers: Callable[[socket.socket], None]) -> Iterator[MllpSender]:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def converse() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                answers(connection)

        thread = threading.Thread(target=converse)
        thread.start()
        yield MllpSender(("127.0.0.1", listening.getsockname()[1]), 0.5)
        thread.join(10)


ACK = b"\x0bMSH|^~\\&|HIS|A|CLOUDFILM|B|20261124||ACK|1|P|2.5.1\rMSA|AA|%s\r\x1c\r"


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        (lambda connection: None, "closed before the acknowledgement"),
        (lambda connection: connection.recv(1), "did not acknowledge within 0.5 s"),
        (lambda connection: connection.sendall(ACK % b"OTHER"), "acknowledged another message"),
        (lambda connection: connection.sendall(b"\x0bhello\x1c\r"), "answered no acknowledgement"),
    ],
    ids=["closes", "silent", "another message", "nonsense"],
)
def test_peer_without_a_proper_answer_is_unavailable(
    answers: Callable[[socket.socket], None], text: str
) -> None:
    with peer_that(answers) as sender, pytest.raises(Unavailable, match=text):
        sender.send(payment.build(PAYMENT, "CF1"))


def test_answer_in_fragments_is_put_together() -> None:
    def slowly(connection: socket.socket) -> None:
        for byte in ACK % b"CF1":
            connection.sendall(bytes([byte]))

    with peer_that(slowly) as sender:
        answer = sender.send(payment.build(PAYMENT, "CF1"))
    assert (answer.code, answer.control_id) == ("AA", "CF1")


def test_peer_that_is_not_there_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = ("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(Unavailable, match="HL7 peer"):
        MllpSender(address, 1).send(payment.build(PAYMENT, "CF1"))


def test_simulator_listens_on_loopback_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="loopback only"):
        HisSimulator(tmp_path, NOWHERE, host="192.0.2.1")


@pytest.mark.parametrize("name", profile.shipped())
def test_his_notes_whatever_it_is_told_once(database: peewee.Database, tmp_path: Path, name: str) -> None:
    peer = Peer(name="HIS", profile=profile.load(name))
    dialect = Envelope.of(Site(application="YJP"), peer)
    asked = Message.parse(omg_o19(PATIENT, EXAM, envelope("M1")).decode("gb18030"))
    told = {
        "ORU^R01": partial(film_link.build, LINK, envelope=dialect),
        "ORG^O20": partial(application_ack.build_order_answer, asked, "", envelope=dialect),
        "ACK": partial(application_ack.build, asked, "not possible", envelope=dialect),
        "DFT^P03": partial(payment.build, replace(PAYMENT, kind="refund"), envelope=dialect),
    }
    for message_type, build in told.items():
        outgoing.queue("HIS", message_type, message_type, build, stream_key="SQ1")
    with HisSimulator(tmp_path, NOWHERE) as his:
        sender = MllpSender((his.host, his.port), 10)
        for _ in range(2):
            for row in OutboundMessage.select().order_by(OutboundMessage.id):
                outgoing.deliver(row.id, sender, 12)
            OutboundMessage.update(state="queued").execute()
        sender.close()
        assert [notice["kind"] for notice in his.notices()] == ["film_link", "answer", "answer", "refund"]
        link, accepted, refused, refund = his.notices()
        assert (link["address"], link["accession_number"]) == (LINK.address.replace("&", "\\T\\"), "CT1")
        assert (accepted["orders"], refused["text"]) == ([["OK", "SQ1"]], "not possible")
        assert (refund["amount"], his.received()) == ("-20.05", [])
