"""One request: who asks, how much, for what; and what an answer may never tell."""

import asyncio
import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import Field

from crypto import errors
from crypto.errors import CryptoError
from crypto.service import problems
from crypto.service.application import Application
from crypto.service.connection import Peer
from crypto.service.endpoint import Endpoint, Message, Needs, Nothing
from crypto.service.limits import ServiceLimits
from tests.fixtures.loops import in_new_loop
from tests.unit.crypto.service.asgi_call import Answer, call

pytestmark = pytest.mark.requirement("H2.1")

SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0"
SECONDS = 20


class Text(Message):
    text: bytes = Field(max_length=1 << 20)


ECHO = Endpoint("POST", "/echo", "echo", "Says the same", Text, Text)
OPEN = Endpoint("GET", "/open", "open", "For anybody", Nothing, Nothing, Needs.NOBODY)
EARLY = Endpoint("POST", "/early", "early", "Before unsealing", Text, Text, Needs.KNOWN)
RARE = Endpoint("GET", "/rare", "rare", "Seldom", Nothing, Nothing, Needs.NOBODY, per_second=2)
LIMITS = ServiceLimits(
    body_bytes=1000, bodies_bytes=1500, requests=3, threads=2, requests_per_second=5, body_seconds=0.05
)


class ToyDoor:
    is_sealed = False

    def account(self, peer: Peer, token: str) -> str:
        if peer.uid is None and token != "token-of-machine":
            raise problems.NotKnown("nobody")
        return "machine"

    def enter(self, account: str, token: str) -> str:
        return account


class Service:
    def __init__(self, limits: ServiceLimits = LIMITS) -> None:
        self.now = 0.0
        self.door = ToyDoor()
        self.callers: list[Any] = []
        self.work: Callable[[Message], Message] = lambda body: body
        self.application = Application(
            [ECHO, OPEN, EARLY, RARE],
            {"echo": self._handle, "open": self._handle, "early": self._handle, "rare": self._handle},
            self.door,
            limits,
            lambda: self.now,
            {"openapi": "3.1.0"},
        )

    def _handle(self, caller: Any, body: Message) -> Message:
        self.callers.append(caller)
        return self.work(body)

    def ask(self, method: str, path: str, body: bytes | list[bytes] = b"", **more: Any) -> Answer:
        return in_new_loop(call(self.application.asgi, method, path, body, **more))


@pytest.fixture
def service() -> Service:
    return Service()


def test_a_known_caller_gets_an_answer_that_nobody_caches(service: Service) -> None:
    answer = service.ask("POST", "/echo", json.dumps({"text": SECRET}).encode())
    assert (answer.status, answer.told) == (200, {"text": SECRET})
    assert answer.headers["cache-control"] == "no-store"
    assert service.callers == ["machine"]


def test_who_is_not_known_is_not_heard(service: Service) -> None:
    answer = service.ask("POST", "/echo", b"{", peer=Peer())
    assert (answer.status, answer.told["kind"]) == (401, "NotKnown")
    assert answer.headers["content-type"] == "application/problem+json"
    assert service.callers == []
    assert service.ask("GET", "/open", peer=Peer()).status == 200
    with_token = {"authorization": "Bearer token-of-machine"}
    assert service.ask("POST", "/echo", b'{"text":""}', peer=Peer(), headers=with_token).status == 200


def test_sealed_means_503_in_plain_words_except_for_what_unseals(service: Service) -> None:
    service.door.is_sealed = True
    answer = service.ask("POST", "/echo", b'{"text":""}')
    assert (answer.status, answer.told["kind"]) == (503, "VaultSealed")
    assert "keys unseal" in answer.told["detail"]
    assert answer.headers["retry-after"]
    assert service.ask("POST", "/early", b'{"text":""}').status == 200
    assert service.ask("GET", "/open").status == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("GET", "/echo"), ("PUT", "/echo")])
def test_paths_and_methods_that_are_not_there_are_problems_too(
    service: Service, method: str, path: str
) -> None:
    answer = service.ask(method, path)
    assert (answer.status, answer.told["kind"]) == (404, "NotThere")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"' + SECRET.encode(),
        b'{"text": "' + SECRET.encode() + b'!"}',
        b'{"text": "%s", "more": "%s"}' % (SECRET.encode(), SECRET.encode()),
        b'{"text": ["' + SECRET.encode() + b'"]}',
        b'{"text": 5}',
        b"\xff\xfe",
        b"[" * 900,
        b'{"text": "' + b"\\ud800" + b'"}',
    ],
)
def test_a_malformed_body_is_refused_without_repeating_it(service: Service, body: bytes) -> None:
    answer = service.ask("POST", "/echo", body)
    assert (answer.status, answer.told["kind"]) == (400, "InputRefused")
    assert SECRET not in answer.body.decode()
    assert service.callers == []


def test_a_body_that_is_too_large_is_refused_whatever_its_header_says(service: Service) -> None:
    told = service.ask("POST", "/echo", b"x" * 1001)
    assert (told.status, told.told["kind"]) == (413, "TooLarge")
    for lie in ("10", "0"):
        assert service.ask("POST", "/echo", [b"x" * 600] * 2, headers={"content-length": lie}).status == 413
    assert service.ask("POST", "/echo", b"x", headers={"content-length": "-1"}).status == 413
    assert service.ask("POST", "/echo", b'{"text":""}').status == 200


def test_a_body_that_does_not_come_is_not_awaited_for_ever(service: Service) -> None:
    answer = service.ask("POST", "/echo", b'{"text"', headers={"content-length": "50"}, stalls=True)
    assert (answer.status, answer.told["kind"]) == (408, "TooSlow")


def test_an_account_may_ask_so_often_and_no_more(service: Service) -> None:
    statuses = [service.ask("POST", "/echo", b'{"text":""}').status for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    assert service.ask("GET", "/open").status == 200
    service.now += 0.2
    assert service.ask("POST", "/echo", b'{"text":""}').status == 200


def test_what_is_dear_to_all_is_limited_for_all_together(service: Service) -> None:
    assert [service.ask("GET", "/rare", peer=Peer()).status for _ in range(3)] == [200, 200, 429]


def test_more_than_fits_is_refused_at_once_and_room_comes_back() -> None:
    service = Service(ServiceLimits(**{**vars(LIMITS), "requests_per_second": 100}))
    may_go, begun = threading.Event(), threading.Semaphore(0)

    def hold(body: Message) -> Message:
        begun.release()
        assert may_go.wait(SECONDS)
        return body

    service.work = hold
    body = b'{"text":"%s"}' % (b"A" * 600)

    async def flood() -> tuple[list[int], list[int]]:
        held = [asyncio.create_task(call(service.application.asgi, "POST", "/echo", body)) for _ in range(2)]
        for _ in held:
            assert await asyncio.to_thread(begun.acquire, timeout=SECONDS)
        # 1,200 of 1,500 bytes are held, and two of three requests.
        refused = [(await call(service.application.asgi, "POST", "/echo", body)).status]
        small = asyncio.create_task(call(service.application.asgi, "POST", "/echo", b'{"text":""}'))
        while service.application.under_way < 3:
            await asyncio.sleep(0)
        refused.append((await call(service.application.asgi, "POST", "/echo", b'{"text":""}')).status)
        may_go.set()
        return refused, [(await one).status for one in (*held, small)]

    assert in_new_loop(flood()) == ([503, 503], [200, 200, 200])
    assert service.application.under_way == 0
    assert service.ask("POST", "/echo", body).status == 200


def test_work_without_end_is_answered_for_and_keeps_its_room_until_it_ends() -> None:
    service = Service(ServiceLimits(**{**vars(LIMITS), "work_seconds": 0.01}))
    may_go = threading.Event()

    def hang(body: Message) -> Message:
        assert may_go.wait(SECONDS)
        raise ValueError("nobody hears this")

    service.work = hang

    async def ask() -> Answer:
        answer = await call(service.application.asgi, "POST", "/echo", b'{"text":""}')
        assert service.application.under_way == 1
        may_go.set()
        while service.application.under_way:
            await asyncio.sleep(0)
        return answer

    answer = in_new_loop(ask())
    assert (answer.status, answer.told["kind"]) == (503, "ServiceUnavailable")


def test_a_mistake_of_ours_tells_a_number_and_nothing_of_what_it_held(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_body: Message) -> Message:
        raise ValueError(SECRET)

    service.work = fail
    with caplog.at_level(logging.DEBUG):
        answer = service.ask("POST", "/echo", b'{"text":""}')
    assert answer.status == 500
    assert answer.headers["x-request-number"] in answer.told["detail"]
    assert answer.headers["x-request-number"] in caplog.text
    assert SECRET not in answer.body.decode() + caplog.text
    assert "ValueError" in caplog.text


def _leaves(kind: type[CryptoError]) -> list[type[CryptoError]]:
    return [kind, *(leaf for below in kind.__subclasses__() for leaf in _leaves(below))]


@pytest.mark.parametrize(
    "kind", [kind for kind in _leaves(CryptoError) if kind.__module__ == "crypto.errors"]
)
def test_every_error_of_the_tree_comes_out_at_the_client_as_itself(
    service: Service, kind: type[CryptoError]
) -> None:
    def fail(_body: Message) -> Message:
        raise errors.SignatureRefused("why", 3) if kind is errors.SignatureRefused else kind("why")

    service.work = fail
    answer = service.ask("POST", "/echo", b'{"text":""}')
    assert answer.status >= 400
    error = problems.error_from(answer.status, answer.body)
    assert (type(error), str(error)) == (kind, "why")
    assert getattr(error, "index", None) == (3 if kind is errors.SignatureRefused else None)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"kind":"SealBroken"}', b"null"])
def test_an_answer_that_is_no_problem_is_an_unavailable_service(body: bytes) -> None:
    assert isinstance(problems.error_from(502, body), errors.ServiceUnavailable)


def test_a_problem_cannot_name_what_is_no_error() -> None:
    error = problems.error_from(500, b'{"kind":"__builtins__","detail":"y"}')
    assert type(error) is CryptoError
