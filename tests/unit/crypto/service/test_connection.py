"""Connections that say nothing, say half, or are too many; and who is at the other end."""

import asyncio
import contextlib
import os
import socket
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from crypto.service.connection import Peer, connection_class
from crypto.service.limits import ServiceLimits
from tests.fixtures.loops import in_new_loop

pytestmark = pytest.mark.requirement("H2.1")

SECONDS = 20
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


class World:
    """A server of the protocol alone; notes the peers of its requests."""

    def __init__(self, path: Path, **limits: Any) -> None:
        self.path = path / "s.sock"
        self.peers: list[Peer] = []
        self.limits = ServiceLimits(**limits)

    async def application(self, scope: Any, _receive: Any, send: Any) -> None:
        self.peers.append(scope["state"]["peer"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def serve(self) -> asyncio.Server:
        config = uvicorn.Config(
            self.application,
            interface="asgi3",
            proxy_headers=False,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=self.limits.idle_seconds,
        )
        config.load()
        kind = connection_class(self.limits)
        state = ServerState()
        loop = asyncio.get_running_loop()
        return await loop.create_unix_server(
            lambda: kind(config=config, server_state=state, app_state={}), str(self.path)
        )

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(str(self.path))


async def hung_up(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(), SECONDS) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("told", [b"", b"GET /", b"GET / HTTP/1.1\r\nhost: x\r\n"])
def test_who_does_not_finish_a_header_is_hung_up_on(tmp_path: Path, told: bytes) -> None:
    async def run() -> bool:
        world = World(tmp_path, header_seconds=0.05)
        async with await world.serve():
            reader, writer = await world.connect()
            writer.write(told)
            ended = await hung_up(reader)
            writer.close()
            return ended

    assert in_new_loop(run())


def test_half_a_header_after_a_whole_request_is_not_awaited_either(tmp_path: Path) -> None:
    async def run() -> bool:
        world = World(tmp_path, header_seconds=0.05)
        async with await world.serve():
            reader, writer = await world.connect()
            writer.write(GET)
            assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SECONDS)).startswith(
                b"HTTP/1.1 200"
            )
            writer.write(b"GET / HT")
            ended = await hung_up(reader)
            writer.close()
            return ended

    assert in_new_loop(run())


POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n"


def test_the_rest_of_a_body_that_was_answered_early_is_not_awaited_for_ever(tmp_path: Path) -> None:
    """Who is not known is answered by the header alone, and must not hold its place with a body that never ends."""

    async def run() -> bool:
        world = World(tmp_path, body_seconds=0.05)
        async with await world.serve():
            reader, writer = await world.connect()
            writer.write(POST + b"ab")
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SECONDS)
            ended = await hung_up(reader)
            writer.close()
            return ended

    assert in_new_loop(run())


def test_when_the_rest_came_the_connection_goes_on(tmp_path: Path) -> None:
    async def run() -> tuple[int, bool]:
        world = World(tmp_path, body_seconds=0.05, header_seconds=SECONDS)
        async with await world.serve():
            reader, writer = await world.connect()
            writer.write(POST + b"ab")
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SECONDS)
            writer.write(b"cd" + GET)
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SECONDS)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.read(), 4 * world.limits.body_seconds)
            ended = reader.at_eof()
            writer.close()
            return len(world.peers), ended

    assert in_new_loop(run()) == (2, False)


def test_the_kernel_tells_who_asks_on_every_request_of_a_connection(tmp_path: Path) -> None:
    async def run() -> list[Peer]:
        world = World(tmp_path)
        async with await world.serve():
            reader, writer = await world.connect()
            for _ in range(2):
                writer.write(GET)
                await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SECONDS)
            writer.close()
            return world.peers

    assert in_new_loop(run()) == [Peer(uid=os.getuid())] * 2


def test_more_connections_than_there_are_places_for_are_hung_up_on(tmp_path: Path) -> None:
    async def run() -> tuple[bool, bytes]:
        world = World(tmp_path, connections=3)
        async with await world.serve():
            held = [await world.connect() for _ in range(3)]
            reader, writer = await world.connect()
            ended = await hung_up(reader)
            writer.close()
            held[0][1].write(GET)
            answer = await asyncio.wait_for(held[0][0].readuntil(b"\r\n\r\n"), SECONDS)
            for _, one in held:
                one.close()
            return ended, answer

    ended, answer = in_new_loop(run())
    assert ended
    assert answer.startswith(b"HTTP/1.1 200")


def test_the_class_of_a_socket_is_that_of_the_kernel() -> None:
    """`_CREDENTIALS` is struct ucred: three ints."""
    first, second = socket.socketpair()
    with first, second:
        raw = first.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 64)
    assert len(raw) == 12
