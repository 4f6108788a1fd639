"""What the client repeats, what it does not, and what it says when nobody answers."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crypto.errors import InputRefused, KeyRefused, ServiceUnavailable, SignatureRefused, VaultSealed
from crypto.service import keyring_contract as contract
from crypto.service.client import IDLE_SECONDS, CryptoClient
from crypto.service.endpoint import Endpoint, Message, Nothing
from crypto.service.limits import TooManyRequests
from crypto.service.remote_keyring import RemoteKeyring
from tests.unit.crypto.service.scripted_server import BREAK, ScriptedServer, ok, problem

pytestmark = pytest.mark.requirement("H2.1")


class Number(Message):
    number: int


REPEATABLE = Endpoint("POST", "/number", "number", "A number", Number, Number)
ONCE = Endpoint("POST", "/once", "once", "A number, once", Number, Number, is_repeatable=False)
Serve = Callable[..., ScriptedServer]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    servers: list[ScriptedServer] = []

    def start(*steps: bytes) -> ScriptedServer:
        servers.append(ScriptedServer(tmp_path / "crypto.sock", list(steps)))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


class World:
    """A client whose clock and patience belong to the test."""

    def __init__(self, path: Path, token: str = "") -> None:
        self.now = 0.0
        self.waited: list[float] = []
        self.client = CryptoClient(
            f"unix:{path / 'crypto.sock'}",
            token=token,
            pauses=(0.1, 0.2, 0.4),
            wait=self._wait,
            seconds=lambda: self.now,
        )

    def _wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds

    def ask(self, endpoint: Endpoint = REPEATABLE) -> int:
        return self.client.ask(endpoint, Number, number=1).number


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.client.close()


def test_requests_share_a_connection_while_it_is_fresh(world: World, serve: Serve) -> None:
    server = serve(ok(number=1), ok(number=2), ok(number=3))
    assert [world.ask(), world.ask()] == [1, 2]
    assert server.connections == 1
    world.now += IDLE_SECONDS + 1
    assert world.ask() == 3
    assert server.connections == 2


@pytest.mark.parametrize(
    "broken",
    [
        BREAK,
        b"HTTP/1.1 200 X\r\ncontent-length: 9\r\n",
        b"no http\r\n\r\n",
        problem(503, "ServiceUnavailable"),
    ],
)
def test_what_may_be_repeated_is_repeated(world: World, serve: Serve, broken: bytes) -> None:
    steps = [broken, broken, ok(number=7)]
    if broken.startswith(b"HTTP/1.1 200"):  # cut in the middle of its header: the server hangs up after it
        steps = [BREAK, BREAK, ok(number=7)]
    server = serve(*steps)
    assert world.ask() == 7
    assert len(server.requests) == 3
    assert world.waited == [0.1, 0.2]


def test_in_the_end_it_says_that_nobody_answers(world: World, serve: Serve) -> None:
    server = serve(*[BREAK] * 4)
    with pytest.raises(ServiceUnavailable, match="broke off"):
        world.ask()
    assert len(server.requests) == 4


def test_what_may_not_be_repeated_is_sent_once(world: World, serve: Serve) -> None:
    server = serve(BREAK, problem(503, "ServiceUnavailable"), ok(number=1))
    for _ in range(2):
        with pytest.raises(ServiceUnavailable):
            world.ask(ONCE)
    assert len(server.requests) == 2
    assert world.waited == []


def test_what_was_never_sent_is_tried_again_as_soon_as_somebody_listens(world: World, serve: Serve) -> None:
    started: list[ScriptedServer] = []

    def start_meanwhile(seconds: float) -> None:
        world.waited.append(seconds)
        if len(world.waited) == 2:
            started.append(serve(ok(number=5)))

    world.client._wait = start_meanwhile
    assert world.ask(ONCE) == 5
    assert world.waited == [0.1, 0.2]


def test_a_service_that_is_not_there_is_named_with_what_to_do(world: World) -> None:
    with pytest.raises(ServiceUnavailable, match="crypto serve"):
        world.ask()
    assert world.waited == [0.1, 0.2, 0.4]


def test_after_long_waiting_nothing_is_begun_anew(world: World, serve: Serve) -> None:
    server = serve(BREAK, BREAK)
    world.client._wait = lambda _seconds: setattr(world, "now", world.now + 3600)
    with pytest.raises(ServiceUnavailable):
        world.ask()
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (problem(503, "VaultSealed"), VaultSealed),
        (problem(422, "KeyRefused"), KeyRefused),
        (problem(413, "TooLarge"), InputRefused),
    ],
)
def test_refusals_are_not_repeated(world: World, serve: Serve, answer: bytes, error: type[Exception]) -> None:
    server = serve(answer)
    with pytest.raises(error, match="why"):
        world.ask()
    assert len(server.requests) == 1


def test_a_false_signature_keeps_its_index(world: World, serve: Serve) -> None:
    serve(problem(422, "SignatureRefused", index=4))
    with pytest.raises(SignatureRefused) as refused:
        world.ask()
    assert refused.value.index == 4


def test_too_often_is_tried_again_later(world: World, serve: Serve) -> None:
    serve(problem(429, "TooManyRequests"), ok(number=2))
    assert world.ask() == 2
    assert issubclass(TooManyRequests, ServiceUnavailable)


def test_an_answer_of_another_version_is_told(world: World, serve: Serve) -> None:
    serve(*[ok(name="x")] * 4)
    with pytest.raises(ServiceUnavailable, match="another version"):
        world.ask()


def test_the_token_is_sent_and_never_shown(tmp_path: Path, serve: Serve) -> None:
    server = serve(ok(number=1))
    world = World(tmp_path, token="a-secret-token")
    world.ask()
    assert b"Bearer a-secret-token" in server.requests[0]
    assert "a-secret-token" not in repr(world.client) + repr(RemoteKeyring(world.client))
    world.client.close()


def test_threads_have_connections_of_their_own(world: World, serve: Serve) -> None:
    server = serve(ok(number=1), ok(number=2))
    assert world.ask() == 1

    def ask() -> None:
        world.ask()
        world.client.close()

    world.client.close()
    other = threading.Thread(target=ask)
    other.start()
    other.join(20)
    assert server.connections == 2


def test_a_forked_child_does_not_write_into_its_parents_connection(
    world: World, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(ok(number=1), ok(number=2))
    assert world.ask() == 1
    kept = world.client._local.connection
    monkeypatch.setattr(os, "getpid", lambda: -1)
    threading.Thread(target=kept.close).start()
    assert world.ask() == 2
    assert server.connections == 2


@pytest.mark.parametrize(
    "address", ["", "unix:relative", "http://127.0.0.1:8443", "https://127.0.0.1", "https://127.0.0.1:1/x"]
)
def test_an_address_of_another_form_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(ServiceUnavailable):
        CryptoClient(address, trusted=tmp_path / "certificate.pem")


def test_a_body_that_the_contract_does_not_allow_is_not_sent(world: World) -> None:
    with pytest.raises(InputRefused, match="number"):
        world.client.ask(REPEATABLE, Number, number="many")


def test_the_keyring_asks_for_a_sub_key_once_and_splits_what_is_much(tmp_path: Path, serve: Serve) -> None:
    server = serve(ok(key="AAAA"), ok(blobs=["AAAA"] * 1024), ok(blobs=["AQEB"]))
    world = World(tmp_path)
    keyring = RemoteKeyring(world.client)
    assert keyring.derive("audit") == keyring.derive("audit") == bytes(3)
    assert keyring.seal_blobs([b"x"] * 1025, context="a column") == [bytes(3)] * 1024 + [b"\1\1\1"]
    assert keyring.seal_blobs([], context="a column") == []
    assert len(server.requests) == 3
    assert contract.SEAL_BLOBS.path.encode() in server.requests[1]
    world.client.close()


def test_nothing_is_a_body_too() -> None:
    assert Nothing().model_dump_json() == "{}"
