"""Others' clients and servers speak with ours: python-hl7 and hl7apy, over real sockets."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import hl7
import peewee
import pytest
from hl7.client import MLLPClient
from hl7.mllp import HL7StreamReader, HL7StreamWriter, start_hl7_server
from hl7apy.mllp import AbstractHandler, MLLPServer
from hl7apy.parser import parse_message

from core.models import InboundMessage
from hl7_engine import mllp_server
from hl7_engine.acknowledge import AckResult
from hl7_engine.sender import MllpSender
from hl7_engine.writing import payment
from simulators.his_messages import omg_o19
from tests.unit.hl7_engine.samples import EXAM, PATIENT, PAYMENT, envelope

pytestmark = pytest.mark.requirement("P6", "P2")

SECONDS = 20


def owed(control_id: str) -> bytes:
    """A payment in UTF-8: neither of the two reads anything else."""
    return payment.build(PAYMENT, control_id).decode("gb18030").encode()


def test_client_of_python_hl7_sends_and_reads_our_acknowledgement(database: peewee.Database) -> None:
    server = mllp_server.serve("127.0.0.1:0", "")
    try:
        with MLLPClient("127.0.0.1", server.port) as client:
            for number in (1, 2):
                answer = client.send_message(omg_o19(PATIENT, EXAM, envelope(f"M{number}", "utf-8")))
                parsed = hl7.parse(answer.strip(b"\x0b\x1c\r").decode())
                assert (str(parsed.segment("MSA")[1]), str(parsed.segment("MSA")[2])) == ("CA", f"M{number}")
    finally:
        server.stop()
    assert {row.control_id for row in InboundMessage.select()} == {"M1", "M2"}


@contextmanager
def python_hl7_server() -> Iterator[int]:
    """python-hl7's server in a thread, acknowledging everything."""
    loop = asyncio.new_event_loop()

    async def converse(reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        try:
            while True:
                writer.writemessage((await reader.readmessage()).create_ack())
                await writer.drain()
        except asyncio.IncompleteReadError:
            writer.close()

    server = loop.run_until_complete(start_hl7_server(converse, "127.0.0.1", 0, encoding="utf-8"))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield server.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(SECONDS)
    loop.close()


def test_our_payment_reaches_the_server_of_python_hl7() -> None:
    with python_hl7_server() as port:
        sender = MllpSender(("127.0.0.1", port), SECONDS)
        for number in (1, 2):
            raw = owed(f"CF{number}")
            assert sender.send(raw) == AckResult("AA", f"CF{number}")
        sender.close()


class _Acknowledge(AbstractHandler):
    def reply(self) -> str:
        control_id = parse_message(self.incoming_message).msh.msh_10.value
        return f"\x0bMSH|^~\\&|HIS|A|B|C|20261124||ACK|1|P|2.5.1\rMSA|AA|{control_id}\r\x1c\r"


def test_our_payment_reaches_the_server_of_hl7apy_that_closes_after_each_message() -> None:
    server = MLLPServer("127.0.0.1", 0, {"DFT^P03^DFT_P03": (_Acknowledge,)})
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        sender = MllpSender(("127.0.0.1", server.server_address[1]), SECONDS)
        for number in (1, 2):
            raw = owed(f"CF{number}")
            assert sender.send(raw) == AckResult("AA", f"CF{number}")
        sender.close()
    finally:
        server.shutdown()
        thread.join(SECONDS)
        server.server_close()
