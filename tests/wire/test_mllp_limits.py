"""What the MLLP server does with peers that are too many, too slow, too large or not expected."""

import select
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest
import structlog

from core.errors import Misconfigured
from hl7_engine import mllp_server
from hl7_engine.framing import HEAD_BYTES, Damage, wrap
from hl7_engine.group_commit import Store
from hl7_engine.incoming import Incoming, Receipt
from hl7_engine.mllp_server import Limits, MllpServer
from tests.fixtures.mllp_peer import SECONDS, MllpPeer, connected
from tests.fixtures.waiting import wait_until

pytestmark = [pytest.mark.requirement("P6", "S3"), pytest.mark.usefixtures("memory_database")]

# Long enough for the server's own steps, short enough for a test.
SOON = 0.2


class Inbox:
    """Keeps messages in memory and acknowledges with the message itself; `gate` closed lets nothing through."""

    def __init__(self, answer: Callable[[Incoming], bytes] = lambda item: item.content) -> None:
        self.items: list[Incoming] = []
        self.gate = threading.Event()
        self.gate.set()
        self._answer = answer

    def store(self, items: Sequence[Incoming]) -> list[Receipt]:
        assert self.gate.wait(SECONDS)
        self.items += items
        return [Receipt("stored", self._answer(item)) for item in items]


@contextmanager
def serving(
    store: Store, peers: str = "", bind: str = "127.0.0.1:0", largest: int = 2**20
) -> Iterator[MllpServer]:
    server = mllp_server.serve(bind, peers, store, largest)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def server(inbox: Inbox) -> Iterator[MllpServer]:
    with serving(inbox.store) as running:
        yield running


def is_served(server: MllpServer) -> bool:
    with connected(server) as peer:
        peer.send(wrap(b"MSH|hello"))
        return peer.content() == b"MSH|hello"


def test_peer_that_is_not_expected_is_turned_away_and_logged(inbox: Inbox) -> None:
    with (
        structlog.testing.capture_logs() as logs,
        serving(inbox.store, "10.1.0.0/16, 192.0.2.7") as strict,
        connected(strict) as peer,
    ):
        assert peer.is_closed()
    (line,) = [line for line in logs if line["event"] == "connection_refused"]
    assert (line["peer"], line["why"]) == ("127.0.0.1", "not among CLOUDFILM_MLLP_PEERS")
    assert inbox.items == []


def test_ipv4_peer_is_recognised_on_a_socket_for_both_kinds(inbox: Inbox) -> None:
    server = mllp_server.MllpServer(
        "127.0.0.1:0", mllp_server.parse_peers("127.0.0.0/8"), inbox.store, lambda _: Receipt(""), 100, None
    )
    assert server._objection("::ffff:127.0.0.1") == ""
    assert server._objection("127.9.9.9") == ""
    assert server._objection("::ffff:10.0.0.1") == server._objection("fe80::1%lo") != ""


def test_mistaken_peer_list() -> None:
    with pytest.raises(Misconfigured, match=r"CLOUDFILM_MLLP_PEERS: '10.0.0.300' is no address"):
        mllp_server.parse_peers("10.0.0.1, 10.0.0.300")


@pytest.mark.parametrize("limit", ["MAX_CONNECTIONS", "MAX_PER_ADDRESS"])
def test_only_so_many_connections(server: MllpServer, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(mllp_server, limit, 5)
    with ExitStack() as idle:
        for _ in range(5):
            peer = idle.enter_context(connected(server))
            peer.send(wrap(b"MSH|1"))
            assert peer.content() == b"MSH|1"
        with connected(server) as sixth:
            assert sixth.is_closed()
    wait_until(lambda: not server._connections, SECONDS, "the connections to be forgotten")
    assert is_served(server)


def test_silent_peer_is_closed(server: MllpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Limits, "idle", SOON)
    with connected(server) as silent:
        silent.send(wrap(b"MSH|1"))
        assert silent.content() == b"MSH|1"
        assert silent.is_closed()


def test_message_that_comes_byte_by_byte_for_ever_is_closed(
    server: MllpServer, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Limits, "frame", SOON)
    with connected(server) as slow:
        slow.send(b"\x0bMSH|")
        slow.socket.settimeout(0.02)
        is_open = True
        while is_open:
            try:
                is_open = slow.socket.recv(1) != b""
            except TimeoutError:
                slow.send(b"x")
            except ConnectionError:
                is_open = False
    assert inbox.items == []


def test_message_whose_last_byte_never_comes_is_taken(
    server: MllpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Limits, "lone_end", 0.05)
    with connected(server) as peer:
        for number in (b"1", b"2"):
            peer.send(b"\x0bMSH|" + number + b"\x1c")
            assert peer.content() == b"MSH|" + number


def test_message_without_end_is_refused_by_its_size_then_closed(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Limits, "frame", SOON)
    with serving(inbox.store, largest=10_000) as server, connected(server) as peer:
        peer.send(b"\x0bMSH|" + b"x" * 50_000)
        assert len(peer.content()) == HEAD_BYTES
        assert [item.damage for item in inbox.items] == [Damage.TOO_LONG]
        peer.send(b"y" * 50_000)
        assert peer.is_closed()


def test_message_of_200_mb_is_not_kept(inbox: Inbox) -> None:
    with serving(inbox.store, largest=100_000) as server, connected(server) as peer:
        peer.send(b"\x0bMSH|")
        for _ in range(200):
            peer.send(b"x" * 2**20)
        (connection,) = server._connections
        assert connection.unfinished_bytes <= 100_000
        peer.send(b"\x1c\r", wrap(b"MSH|next"))
        assert len(peer.content()) == HEAD_BYTES
        assert peer.content() == b"MSH|next"
    assert [len(item.content) for item in inbox.items] == [HEAD_BYTES, 8]


def test_peer_that_does_not_read_its_answers_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Limits, "answer", SOON)
    talkative = Inbox(lambda item: b"A" * 2**20)
    with serving(talkative.store) as server:
        deaf = MllpPeer(server.port, receive_bytes=4096)
        deaf.send(wrap(b"MSH|1") * 50)
        wait_until(lambda: not server._connections, SECONDS, "the deaf peer to be closed")
        heard = 0
        try:
            while data := deaf.socket.recv(2**20):
                heard += len(data)
        except ConnectionError:
            pass
        assert heard < 50 * 2**20
        deaf.socket.close()


@pytest.mark.parametrize("bound", ["of one connection", "of all"])
def test_peer_waits_while_too_much_waits_for_storage(
    server: MllpServer, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    if bound == "of all":
        monkeypatch.setattr(mllp_server, "MAX_HELD_BYTES", 200_000)
    else:
        monkeypatch.setattr(Limits, "waiting_bytes", 100_000)
    inbox.gate.clear()
    message = b"MSH|" + b"x" * 9_996
    total = 3_000
    with connected(server) as peer:
        stream = memoryview(wrap(message) * total)
        sent = send_until_stuck(peer.socket, stream)
        # 256 kB is what one reading brings.
        assert server._waiting_bytes < 100_000 + 300_000
        assert sent < len(stream)
        inbox.gate.set()
        rest = threading.Thread(target=peer.send, args=(stream[sent:],))
        rest.start()
        for _ in range(total):
            assert peer.content() == message
        rest.join(SECONDS)
    assert server._waiting_bytes == 0


@pytest.mark.parametrize("woken", ["by the answers", "by the timer"])
def test_all_that_waited_for_room_are_read_again(
    server: MllpServer, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, woken: str
) -> None:
    monkeypatch.setattr(mllp_server, "MAX_HELD_BYTES", 100_000)
    if woken == "by the answers":
        # The timer that is running comes once more; the next one after the test.
        monkeypatch.setattr(mllp_server, "Limits", SlowTimer)
    else:
        monkeypatch.setattr(server, "_reply", lambda replies: [reply(receipt) for reply, receipt in replies])
    inbox.gate.clear()
    large = b"MSH|" + b"x" * 30_000
    with ExitStack() as open_ones:
        filling = [open_ones.enter_context(connected(server)) for _ in range(3)]
        for peer in filling:
            peer.send(wrap(large))
        wait_until(server.is_full, SECONDS, "the messages to fill the memory")
        late = [open_ones.enter_context(connected(server)) for _ in range(3)]
        for peer in late:
            peer.send(b"\x0bMSH|la")
        wait_until(
            lambda: [connection._is_held_back for connection in server._connections].count(True) >= 4,
            SECONDS,
            "the late ones to be held back",
        )
        inbox.gate.set()
        for peer in filling:
            assert peer.content() == large
        for peer in late:
            peer.send(b"te\x1c\r")
            assert peer.content() == b"MSH|late"


class SlowTimer:
    """Limits whose timer comes once in a test."""

    lone_end = frame = answer = idle = 3600.0


def test_end_of_the_storing_thread_is_told() -> None:
    def ends(items: Sequence[Incoming]) -> list[Receipt]:
        # What no handler of mistakes catches.
        raise SystemExit

    with serving(ends) as server, connected(server) as peer:
        assert server.is_running
        peer.send(wrap(b"MSH|1"))
        wait_until(lambda: not server.is_running, SECONDS, "the end to be told")


def test_timer_goes_on_after_a_mistake(server: MllpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Limits, "lone_end", 0.05)
    failed = threading.Event()

    def fails() -> None:
        failed.set()
        raise ZeroDivisionError

    with connected(server) as peer:
        with monkeypatch.context() as broken:
            broken.setattr(server, "_relieve", fails)
            assert failed.wait(SECONDS)
        peer.send(b"\x0bMSH|1\x1c")
        assert peer.content() == b"MSH|1"


def send_until_stuck(connection: socket.socket, stream: memoryview) -> int:
    connection.setblocking(False)
    sent = 0
    while sent < len(stream) and select.select([], [connection], [], 0.5)[1]:
        sent += connection.send(stream[sent : sent + 65536])
    connection.settimeout(SECONDS)
    return sent


def test_unfinished_messages_do_not_fill_the_memory(
    server: MllpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mllp_server, "MAX_HELD_BYTES", 100_000)
    monkeypatch.setattr(Limits, "lone_end", 0.05)
    with connected(server) as small, connected(server) as large:
        small.send(b"\x0bMSH|" + b"x" * 20_000)
        large.send(b"\x0bMSH|" + b"x" * 60_000)
        assert large.is_closed()
        small.send(b"\x1c\r")
        assert len(small.content()) == 20_004
