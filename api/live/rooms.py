"""WebSocket rooms (K4). So far the echo room: it proves the way from a page through proxies to here and back.

Who enters has a session cookie and comes from a page of ours: browsers send cookies with WebSockets from any
site, so the Origin is checked too (RFC 6455 §10.2). A room ends with the session that opened it.
"""

import asyncio
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from access import sessions
from access.sessions import Visitor
from api.cookies import SESSION
from core import db, logs
from core.clock import now
from core.config import Settings

MAX_MESSAGE_CHARACTERS = 16_384

# RFC 6455 §7.4.1.
POLICY_VIOLATION = 1008
TOO_BIG = 1009

_log = logs.get_logger("live")


def create_rooms(settings: Settings) -> Starlette:
    """The ASGI application. The database must be connected (`core.db.connect`)."""
    origin = _origin_of(settings.public_url)

    async def echo(socket: WebSocket) -> None:
        visitor = await _visitor_of(socket, origin)
        if visitor is None:
            await socket.close(POLICY_VIOLATION)  # before accept: the browser sees HTTP 403
            return
        await socket.accept()
        try:
            async with asyncio.timeout((visitor.expires_at - now()).total_seconds()):
                await _echo(socket)
        except TimeoutError:
            await socket.close(POLICY_VIOLATION)
        except WebSocketDisconnect:
            _log.debug("left", actor=visitor.actor)

    return Starlette(routes=[Route("/healthz", _is_alive), WebSocketRoute("/live/echo", echo)])


async def _echo(socket: WebSocket) -> None:
    while True:
        text = await socket.receive_text()
        if len(text) > MAX_MESSAGE_CHARACTERS:
            await socket.close(TOO_BIG)
            return
        await socket.send_text(text)


async def _visitor_of(socket: WebSocket, origin: str) -> Visitor | None:
    token = socket.cookies.get(SESSION, "")
    if not token or socket.headers.get("origin") != origin:
        return None
    return await run_in_threadpool(_look_up, token)


def _look_up(token: str) -> Visitor | None:
    with db.connection():
        return sessions.visitor_of(token)


async def _is_alive(_request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
