"""MLLP over TLS, in and out: who shows no right certificate gets no message in and none of ours."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from core.errors import Misconfigured, Unavailable
from hl7_engine import mllp_server, tls
from hl7_engine.acknowledge import AckResult
from hl7_engine.framing import wrap
from hl7_engine.incoming import Incoming, Receipt
from hl7_engine.mllp_server import Limits, MllpServer
from hl7_engine.sender import MllpSender, control_id_of
from tests.fixtures.authority import Authority
from tests.fixtures.mllp_peer import SECONDS, MllpPeer
from tests.fixtures.waiting import wait_until

pytestmark = [pytest.mark.requirement("P6", "S3"), pytest.mark.usefixtures("memory_database")]

MESSAGE = b"MSH|^~\\&|HIS|A|CLOUDFILM|B|20261124||ADT^A08|M1|P|2.5.1\r"


class Inbox:
    """Keeps what comes, and accepts it."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []

    def store(self, items: Sequence[Incoming]) -> list[Receipt]:
        self.contents += [item.content for item in items]
        return [
            Receipt("stored", f"MSH|^~\\&|A|B|C|D|||ACK|1\rMSA|AA|{control_id_of(item.content)}\r".encode())
            for item in items
        ]


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "hospital")


@pytest.fixture
def theirs(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "somebody")


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture(params=["any client", "clients with certificates"])
def server(request: pytest.FixtureRequest, ours: Authority, inbox: Inbox) -> Iterator[MllpServer]:
    client_ca = str(ours.certificate) if request.param == "clients with certificates" else ""
    context = tls.server_context(*ours.issue("server"), client_ca)
    running = mllp_server.serve("127.0.0.1:0", "", inbox.store, tls=context)
    yield running
    running.stop()


def test_message_comes_in_and_its_answer_goes_back(server: MllpServer, ours: Authority, inbox: Inbox) -> None:
    peer = MllpPeer(server.port, tls=tls.client_context(str(ours.certificate), *ours.issue("client")))
    large = MESSAGE + b"NTE|" + b"x" * 1_000_000
    peer.send(wrap(MESSAGE), wrap(large))
    assert [peer.answer(), peer.answer()] == [AckResult("AA", "M1")] * 2
    peer.socket.close()
    assert inbox.contents == [MESSAGE, large]


def test_sender_keeps_its_connection_with_tls(server: MllpServer, ours: Authority, inbox: Inbox) -> None:
    context = tls.client_context(str(ours.certificate), *ours.issue("client"))
    sender = MllpSender(("127.0.0.1", server.port), SECONDS, context)
    assert [sender.send(MESSAGE) for _ in range(3)] == [AckResult("AA", "M1")] * 3
    assert len(server._connections) == 1
    sender.close()
    assert len(inbox.contents) == 3


def test_server_with_a_wrong_certificate_gets_no_message(
    server: MllpServer, ours: Authority, theirs: Authority, inbox: Inbox
) -> None:
    sender = MllpSender(
        ("127.0.0.1", server.port),
        SECONDS,
        tls.client_context(str(theirs.certificate), *ours.issue("client")),
    )
    with pytest.raises(Unavailable, match=r"(?i)certificate.verify.failed"):
        sender.send(MESSAGE)
    assert inbox.contents == []


@pytest.mark.parametrize("shown", ["none", "of another authority"])
@pytest.mark.parametrize("server", ["clients with certificates"], indirect=True)
def test_client_without_the_right_certificate_gets_nothing_in(
    server: MllpServer, ours: Authority, theirs: Authority, inbox: Inbox, shown: str
) -> None:
    own = theirs.issue("stranger") if shown == "of another authority" else ()
    sender = MllpSender(("127.0.0.1", server.port), SECONDS, tls.client_context(str(ours.certificate), *own))
    with pytest.raises(Unavailable, match=r"HL7 peer 127\.0\.0\.1"):
        sender.send(MESSAGE)
    assert inbox.contents == []


def test_plain_message_is_not_taken(server: MllpServer, ours: Authority, inbox: Inbox) -> None:
    peer = MllpPeer(server.port)
    peer.send(wrap(MESSAGE))
    with pytest.raises((AssertionError, ConnectionError)):
        while True:
            peer.content()
    peer.socket.close()
    assert inbox.contents == []


def context_of(ours: Authority) -> ssl.SSLContext:
    return tls.client_context(str(ours.certificate), *ours.issue("client"))


def is_served(server: MllpServer, context: ssl.SSLContext) -> bool:
    peer = MllpPeer(server.port, tls=context)
    peer.send(wrap(MESSAGE))
    answer = peer.answer()
    peer.socket.close()
    return answer == AckResult("AA", "M1")


def test_connections_in_the_handshake_count(
    server: MllpServer, ours: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mllp_server, "MAX_PER_ADDRESS", 3)
    context = context_of(ours)
    silent = [socket.create_connection(("127.0.0.1", server.port), SECONDS) for _ in range(3)]
    wait_until(lambda: len(server._connections) == 3, SECONDS, "the silent ones to be counted")
    fourth = MllpPeer(server.port)
    assert fourth.is_closed()
    for connection in (*silent, fourth.socket):
        connection.close()
    wait_until(lambda: not server._connections, SECONDS, "the silent ones to be forgotten")
    assert not server._per_address
    assert is_served(server, context)


def test_handshake_takes_only_so_long(
    server: MllpServer, ours: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Limits, "handshake", 0.2)
    silent = MllpPeer(server.port)
    assert silent.is_closed()
    wait_until(lambda: not server._connections, SECONDS, "it to be forgotten")


def test_failed_handshakes_are_forgotten(
    server: MllpServer, ours: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mllp_server, "MAX_PER_ADDRESS", 2)
    for _ in range(4):
        plain = MllpPeer(server.port)
        plain.send(wrap(MESSAGE))
        while not plain.is_closed():
            # Its complaint about what it heard.
            continue
        wait_until(lambda: not server._connections, SECONDS, "it to be forgotten")
    assert is_served(server, context_of(ours))


def test_server_stops_during_a_handshake(ours: Authority, inbox: Inbox) -> None:
    running = mllp_server.serve(
        "127.0.0.1:0", "", inbox.store, tls=tls.server_context(*ours.issue("server"), "")
    )
    with socket.create_connection(("127.0.0.1", running.port), SECONDS) as silent:
        wait_until(lambda: bool(running._connections), SECONDS, "the connection to be counted")
        running.stop()
        assert not running.is_running
        assert not running._connections
        assert silent.recv(1) == b""


def test_peer_that_is_not_expected_is_turned_away_before_the_handshake(ours: Authority, inbox: Inbox) -> None:
    context = tls.server_context(*ours.issue("server"), "")
    running = mllp_server.serve("127.0.0.1:0", "10.1.0.0/16", inbox.store, tls=context)
    # It says nothing: the handshake has not begun.
    stranger = MllpPeer(running.port)
    assert stranger.is_closed()
    running.stop()


@pytest.mark.parametrize("loops", [asyncio, mllp_server.loops], ids=["asyncio", "as installed"])
def test_handshake_that_was_begun_before_we_looked_is_heard(
    ours: Authority, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, loops: ModuleType
) -> None:
    monkeypatch.setattr(mllp_server, "loops", loops)
    running = mllp_server.serve(
        "127.0.0.1:0", "", inbox.store, tls=tls.server_context(*ours.issue("server"), "")
    )
    context = context_of(ours)
    busy, on = threading.Event(), threading.Event()
    running._loop.call_soon_threadsafe(lambda: (busy.set(), on.wait(SECONDS)))
    assert busy.wait(SECONDS)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with socket.create_connection(("127.0.0.1", running.port), SECONDS) as connection:
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        connection.sendall(outgoing.read())
        on.set()
        while True:
            incoming.write(connection.recv(65536))
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                continue
        # The end of the handshake and a message in one packet.
        client.write(wrap(MESSAGE))
        connection.sendall(outgoing.read())
        wait_until(lambda: inbox.contents == [MESSAGE], SECONDS, "the message")
    running.stop()


def test_old_versions_are_not_spoken(server: MllpServer, ours: Authority) -> None:
    context = tls.client_context(str(ours.certificate), *ours.issue("client"))
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", server.port), SECONDS) as connection,
        pytest.raises(OSError),
    ):
        context.wrap_socket(connection, server_hostname="127.0.0.1")


@pytest.mark.parametrize(
    ("certificate", "key", "client_ca", "named"),
    [
        ("", "key", "", "CLOUDFILM_MLLP_TLS_CERT is empty"),
        ("missing.pem", "", "", "CLOUDFILM_MLLP_TLS_CERT: cannot read"),
        ("{certificate}", "missing.key", "", "CLOUDFILM_MLLP_TLS_KEY: cannot read"),
        ("{certificate}", "{certificate}", "", "no certificate with its key"),
        ("{certificate}", "{key}", "{key}", "CLOUDFILM_MLLP_TLS_CLIENT_CA: .* holds no certificates"),
    ],
)
def test_mistaken_settings_are_named(
    ours: Authority, certificate: str, key: str, client_ca: str, named: str
) -> None:
    own = dict(zip(("certificate", "key"), ours.issue("server"), strict=True))
    paths = [path.format(**own) for path in (certificate, key, client_ca)]
    with pytest.raises(Misconfigured, match=named):
        tls.server_context(*paths)


def test_without_settings_there_is_no_tls() -> None:
    assert tls.server_context("", "", "") is None
