"""The ASGI application: who asks, how much, for what; then the work in a thread, and an answer or a problem.

A handler is a plain function of the caller and the checked body. It never sees a connection, and raises errors of `crypto`.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from crypto.errors import CryptoError, ServiceUnavailable, VaultSealed
from crypto.service import problems
from crypto.service.connection import Peer
from crypto.service.endpoint import Endpoint, Message, Needs
from crypto.service.limits import Rates, Room, ServiceLimits

_log = logging.getLogger("crypto.service")

SEALED = (
    "the key server is sealed: holders give their shares at `./cloudfilm keys unseal`; nothing opens before"
)
_BEARER = "bearer"

Handler = Callable[[Any, Any], Message]


class Door(Protocol):
    """Tells who a caller is, and whether the service is sealed."""

    def account(self, peer: Peer, token: str) -> str:
        """The account's name, at once. Raises `NotKnown`."""
        ...

    def enter(self, account: str, token: str) -> Any:
        """What handlers get of the caller; may read the disk. Raises `RoleRefused`."""
        ...

    @property
    def is_sealed(self) -> bool:
        """Whether the system key is missing."""
        ...


@dataclass
class _Held:
    """What one request takes of the room; given back once, when its work has ended."""

    room: Room
    size: int = 0

    def add(self, size: int) -> None:
        self.room.hold(size)
        self.size += size

    def give_back(self, _done: object = None) -> None:
        self.room.leave(self.size)


class Application:
    """Endpoints and their handlers, by name. `clock` gives seconds that only go forward."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        handlers: Mapping[str, Handler],
        door: Door,
        limits: ServiceLimits,
        clock: Callable[[], float],
        description: Mapping[str, Any],
    ) -> None:
        self._handlers = handlers
        self._door = door
        self._limits = limits
        self._rates = Rates(limits.requests_per_second, limits.accounts, clock)
        self._room = Room(limits)
        self._pool = ThreadPoolExecutor(limits.threads, thread_name_prefix="crypto")
        routes = [Route(one.path, self._route(one), methods=[one.method]) for one in endpoints]
        routes.append(Route("/openapi.json", lambda _request: JSONResponse(description), methods=["GET"]))
        self.asgi = Starlette(
            routes=routes, exception_handlers={HTTPException: _from_starlette, Exception: _last_resort}
        )

    @property
    def under_way(self) -> int:
        """How many requests are being read or worked on."""
        return self._room.requests

    def close(self) -> None:
        """Wait for what is under way in threads."""
        self._pool.shutdown()

    def _route(self, endpoint: Endpoint) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            number = secrets.token_hex(6)
            try:
                done = await self._answer(endpoint, request)
            except CryptoError as error:
                if problems.status_of(error) >= 500:
                    _log.warning("%s %s: %s: %s", number, endpoint.name, type(error).__name__, error)
                response = problems.answer_to(error)
            except ClientDisconnect:
                response = Response(status_code=400)
            except Exception as error:  # its text could hold what it was working on
                _log.error("%s %s: %s at %s", number, endpoint.name, type(error).__name__, _where(error))
                response = problems.unforeseen(number)
            else:
                response = Response(
                    done, media_type="application/json", headers={"cache-control": "no-store"}
                )
            response.headers["x-request-number"] = number
            return response

        return answer

    async def _answer(self, endpoint: Endpoint, request: Request) -> str:
        account, token = "", _token(request)
        if endpoint.needs is not Needs.NOBODY:
            account = self._door.account(request.state.peer, token)
            self._rates.take(account)
        if endpoint.per_second is not None:
            self._rates.take(f"{endpoint.path} of everybody", endpoint.per_second)
        if endpoint.needs is Needs.UNSEALED and self._door.is_sealed:
            raise VaultSealed(SEALED)
        self._room.enter()
        held = _Held(self._room)
        try:
            body = await self._body(endpoint, request, held)
        except BaseException:
            held.give_back()
            raise

        def work() -> str:
            caller = self._door.enter(account, token) if account else None
            try:
                told = endpoint.request.model_validate_json(body)
            except ValidationError as error:
                raise problems.from_validation(error) from None
            return self._handlers[endpoint.name](caller, told).model_dump_json()

        return await self._in_thread(endpoint, work, held)

    async def _body(self, endpoint: Endpoint, request: Request, held: _Held) -> bytes:
        if endpoint.method == "GET":
            return b"{}"
        length = request.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self._limits.body_bytes:
            raise problems.TooLarge(
                f"at most {self._limits.body_bytes} bytes are taken: send several requests"
            )
        parts, size = [], 0
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                async for part in request.stream():
                    size += len(part)
                    if size > self._limits.body_bytes:
                        raise problems.TooLarge(f"at most {self._limits.body_bytes} bytes are taken")
                    held.add(len(part))
                    parts.append(part)
        except TimeoutError:
            raise problems.TooSlow(
                f"the body was not there after {self._limits.body_seconds:g} seconds"
            ) from None
        return b"".join(parts) or b"{}"

    async def _in_thread(self, endpoint: Endpoint, work: Callable[[], str], held: _Held) -> str:
        """What takes too long goes on there and keeps its room, but nobody waits for it."""
        try:
            future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        except BaseException:
            held.give_back()
            raise
        future.add_done_callback(held.give_back)
        done, _ = await asyncio.wait({future}, timeout=self._limits.work_seconds)
        if not done:
            future.add_done_callback(_look_at)
            raise ServiceUnavailable(
                f"{endpoint.name} took longer than {self._limits.work_seconds:g} seconds"
            )
        return future.result()


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == _BEARER else ""


def _look_at(future: "asyncio.Future[str]") -> None:
    if not future.cancelled():
        future.exception()


def _where(error: BaseException) -> str:
    """File and line, which is all that a log may tell of it."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return f"{at.tb_frame.f_code.co_filename}:{at.tb_lineno}" if at else "?"


async def _from_starlette(_request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    what = "this path takes another method" if status == 405 else "no such path: GET /openapi.json lists them"
    return problems.answer_to(problems.NotThere(what))


async def _last_resort(_request: Request, _error: Exception) -> Response:
    return problems.unforeseen("?")
