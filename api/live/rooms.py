"""The ASGI application of the rooms (K4): who may come in.

Who enters has a session cookie and comes from a page of ours: browsers send cookies with WebSockets from any site, so the
Origin is checked too (RFC 6455 §10.2). Both are asked before the handshake; whether the session may enter this very room is
told after it, with a code and words, for a browser shows a page nothing of a refused handshake.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from access import sessions
from api.cookies import SESSION
from api.live.hub import Hub
from api.live.limits import Limits
from api.live.ports import RoomBus, RoomStore
from api.live.visit import POLICY_VIOLATION, Visit, address_of
from core import db
from core.config import Settings
from core.errors import Refused
from workflow import live_room
from workflow.live_room import Place


def create_rooms(settings: Settings, store: RoomStore, bus: RoomBus, limits: Limits) -> Starlette:
    """The application. The database must be connected (`core.db.connect`)."""
    origin = _origin_of(settings.public_url)
    hub = Hub(store, bus)

    async def room(socket: WebSocket) -> None:
        token = socket.cookies.get(SESSION, "")
        has_session = token and socket.headers.get("origin") == origin
        if not has_session or not await run_in_threadpool(_is_session, token):
            await socket.close(POLICY_VIOLATION)  # before accept: the browser sees HTTP 403
            return
        await socket.accept()
        try:
            place = await run_in_threadpool(_enter, token, socket.path_params["room"], address_of(socket))
        except Refused as refusal:
            await socket.close(POLICY_VIOLATION, str(refusal))
            return
        await Visit(socket, place, hub, limits).run()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await store.close()

    routes = [Route("/healthz", _is_alive), WebSocketRoute("/live/rooms/{room}", room)]
    return Starlette(routes=routes, lifespan=lifespan)


def _is_session(token: str) -> bool:
    with db.connection():
        return sessions.visitor_of(token) is not None


def _enter(session_token: str, room_token: str, address: str) -> Place:
    with db.connection():
        return live_room.enter(session_token, room_token, address)


async def _is_alive(_request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
