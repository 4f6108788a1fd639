"""Clients and servers that others wrote understand us, and we them: python-hl7 (both its clients, its server), hl7apy."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import hl7
import peewee
import pytest
from hl7.client import MLLPClient
from hl7.mllp import open_hl7_connection, start_hl7_server
from hl7apy.mllp import AbstractHandler, MLLPServer
from hl7apy.parser import parse_message

from core.models import InboundMessage
from hl7_engine import mllp_server
from hl7_engine.mllp_server import MllpServer
from hl7_engine.sender import MllpSender
from hl7_engine.writing import payment
from simulators.his_messages import oru_r01
from tests.unit.hl7_engine.samples import EXAM, PATIENT, PAYMENT, REPORT, envelope

pytestmark = pytest.mark.requirement("P2", "P6")

SECONDS = 20
REPORT_MESSAGE = oru_r01(PATIENT, EXAM, REPORT, envelope("R1", "utf-8")).decode()


@pytest.fixture
def server(database: peewee.Database) -> Iterator[MllpServer]:
    running = mllp_server.serve("127.0.0.1:0", "127.0.0.1")
    yield running
    running.stop()


def states() -> list[tuple[str, str]]:
    return [(row.control_id, row.state) for row in InboundMessage.select().order_by(InboundMessage.id)]


def test_python_hl7_blocking_client(server: MllpServer) -> None:
    with MLLPClient("127.0.0.1", server.port) as client:
        for control_id in ("R1", "R2"):
            raw = client.send_message(REPORT_MESSAGE.replace("|R1|", f"|{control_id}|"))
            answer = hl7.parse(raw.decode().strip("\x0b\x1c\r"))
            assert (str(answer["MSA.F1"]), str(answer["MSA.F2"])) == ("CA", control_id)
    assert states() == [("R1", "received"), ("R2", "received")]


def test_python_hl7_asyncio_client(server: MllpServer) -> None:
    async def talk() -> list[str]:
        reader, writer = await open_hl7_connection("127.0.0.1", server.port, encoding="utf-8")
        codes = []
        for control_id in ("R1", "R2", "R3"):
            writer.writemessage(hl7.parse(REPORT_MESSAGE.replace("|R1|", f"|{control_id}|")))
            await writer.drain()
            codes.append(str((await reader.readmessage())["MSA.F1"]))
        writer.close()
        return codes

    # In a thread of its own: where browsers are tested too, the main thread has a loop already.
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(asyncio.run, talk()).result(SECONDS) == ["CA"] * 3
    assert [state for _, state in states()] == ["received"] * 3


def test_hl7apy_reads_our_acknowledgement(server: MllpServer) -> None:
    with MLLPClient("127.0.0.1", server.port) as client:
        raw = client.send_message(REPORT_MESSAGE.replace("|AL|NE|", "||||"))
        refused = client.send_message("MSH|^~\\&|A|B|C|D|20261124||ORU^R01||P|2.5.1\rPID|1")
    answer = parse_message(raw.decode("gb18030").strip("\x0b\x1c"))
    assert answer.msa.msa_1.value == "AA"
    assert answer.validate()
    error = parse_message(refused.decode().strip("\x0b\x1c"))
    assert (error.msa.msa_1.value, error.err.err_3.err_3_1.value) == ("AE", "101")


def test_python_hl7_server_takes_our_payment() -> None:
    taken: list[str] = []

    async def serve(reader: Any, writer: Any) -> None:
        while not writer.is_closing():
            try:
                message = await reader.readmessage()
            except asyncio.IncompleteReadError:
                return
            taken.append(str(message["FT1.F2"]))
            writer.writemessage(message.create_ack())
            await writer.drain()

    async def start() -> Any:
        return await start_hl7_server(serve, "127.0.0.1", 0, encoding="gb18030")

    with running(start) as port:
        sender = MllpSender(("127.0.0.1", port), SECONDS)
        for number in (1, 2):
            answer = sender.send(payment.build(PAYMENT, f"CF{number}"))
            assert (answer.code, answer.control_id) == ("AA", f"CF{number}")
        sender.close()
    assert taken == ["FY0002", "FY0002"]


class running:  # noqa: N801 — read as a word: `with running(start) as port`
    """An asyncio server in a thread of its own."""

    def __init__(self, start: Callable[[], Any]) -> None:
        self._start = start
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> int:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(SECONDS)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()


class Booking(AbstractHandler):
    """hl7apy's way to answer a DFT."""

    def reply(self) -> str:
        """Acknowledge."""
        message = parse_message(self.incoming_message, find_groups=False)
        control_id = message.msh.msh_10.value
        return f"\x0bMSH|^~\\&|HIS|B|CLOUDFILM|C|20261124||ACK^P03^ACK|1|P|2.5.1\rMSA|AA|{control_id}\r\x1c\r"


def test_hl7apy_server_takes_our_payment_though_it_closes_after_each() -> None:
    """It decodes UTF-8 only, and serves one message per connection (research/hl7.md §2.5)."""
    his = MLLPServer("127.0.0.1", 0, {"DFT^P03^DFT_P03": (Booking,)})
    thread = threading.Thread(target=his.serve_forever)
    thread.start()
    try:
        sender = MllpSender(("127.0.0.1", his.server_address[1]), SECONDS)
        for number in (1, 2):
            raw = payment.build(PAYMENT, f"CF{number}").decode("gb18030").encode()
            assert sender.send(raw).code == "AA"
        sender.close()
    finally:
        his.shutdown()
        his.server_close()
        thread.join(SECONDS)
