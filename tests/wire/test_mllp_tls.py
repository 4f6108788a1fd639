"""MLLP over TLS, in and out: who shows no right certificate gets no message in and none of ours."""

import socket
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from core.errors import Misconfigured, Unavailable
from hl7_engine import mllp_server, tls
from hl7_engine.acknowledge import AckResult
from hl7_engine.framing import wrap
from hl7_engine.incoming import Incoming, Receipt
from hl7_engine.mllp_server import MllpServer
from hl7_engine.sender import MllpSender, control_id_of
from tests.fixtures.authority import Authority
from tests.fixtures.mllp_peer import SECONDS, MllpPeer

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
