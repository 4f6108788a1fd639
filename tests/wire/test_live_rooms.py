"""The echo room over real WebSockets: who may enter, how much may be said, and when a room ends."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.request import urlopen

import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from access import sessions
from api.cookies import SESSION
from api.live.rooms import MAX_MESSAGE_CHARACTERS, create_rooms
from core.clock import now
from core.config import Settings
from core.models import Session
from tests.fixtures.waiting import wait_until

pytestmark = [pytest.mark.requirement("K4", "K5"), pytest.mark.usefixtures("database")]

PAGE = "http://127.0.0.1:8100"


@pytest.fixture
def live(settings: Settings) -> Iterator[str]:
    """The address of the running rooms, without scheme."""
    rooms = create_rooms(Settings(home=settings.home, public_url=f"{PAGE}/"))
    server = uvicorn.Server(uvicorn.Config(rooms, "127.0.0.1", 0, log_level="warning", ws="websockets"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started, 20, "the live rooms")
        yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def token() -> str:
    return sessions.open_patient_session("13800138000", "", 12).token


def _in_room(
    live: str, cookie: str, talk: Callable[[ClientConnection], Awaitable[Any]], origin: str = PAGE
) -> Any:
    async def enter() -> Any:
        headers = {"Cookie": cookie} if cookie else {}
        async with connect(f"ws://{live}/live/echo", origin=origin, additional_headers=headers) as socket:  # type: ignore[arg-type]
            return await asyncio.wait_for(talk(socket), 20)

    # A thread of its own: Playwright leaves a running loop in the main one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(enter())).result()


async def _say(socket: ClientConnection, text: str) -> str | bytes:
    await socket.send(text)
    return await socket.recv()


def test_what_is_said_comes_back(live: str, token: str) -> None:
    heard = _in_room(live, f"{SESSION}={token}", lambda socket: _say(socket, "第 3 幅"))
    assert heard == "第 3 幅"


@pytest.mark.parametrize(
    ("cookie", "origin"),
    [
        ("", PAGE),
        (f"{SESSION}=guessed", PAGE),
        ("{token}", "https://evil.invalid"),
        ("{token}", "http://127.0.0.1:8101"),
    ],
)
def test_strangers_and_other_sites_stay_outside(live: str, token: str, cookie: str, origin: str) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        _in_room(live, cookie.format(token=f"{SESSION}={token}"), lambda socket: _say(socket, "x"), origin)


def test_ended_session_stays_outside(live: str, token: str) -> None:
    sessions.close_session(token)
    with pytest.raises(InvalidStatus, match="403"):
        _in_room(live, f"{SESSION}={token}", lambda socket: _say(socket, "x"))


def test_too_long_a_message_ends_the_visit(live: str, token: str) -> None:
    long = "x" * MAX_MESSAGE_CHARACTERS
    assert _in_room(live, f"{SESSION}={token}", lambda socket: _say(socket, long)) == long
    with pytest.raises(ConnectionClosed, match="1009"):
        _in_room(live, f"{SESSION}={token}", lambda socket: _say(socket, long + "x"))


def test_room_ends_with_the_session(live: str, token: str) -> None:
    Session.update(expires_at=now() + timedelta(seconds=1)).execute()
    with pytest.raises(ConnectionClosed, match="1008"):
        _in_room(live, f"{SESSION}={token}", lambda socket: socket.recv())


def test_health_needs_no_session(live: str) -> None:
    with urlopen(f"http://{live}/healthz", timeout=10) as answer:
        assert json.load(answer) == {"status": "ok"}
