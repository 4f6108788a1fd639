"""A slow line: a proxy that delays and slows everything between a browser and a server, its workers too.

The browser's own throttle (Network.emulateNetworkConditions) leaves out what workers fetch.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_PIECE = 4096


@dataclass
class _Line:
    """One direction of the line, shared by all connections: bytes leave one after the other."""

    bytes_per_second: float
    delay_seconds: float
    free_at: float = 0.0

    def arrival(self, size: int) -> float:
        """When bytes that are given to the line now come out of it, by the loop's clock."""
        now = asyncio.get_running_loop().time()
        self.free_at = max(now, self.free_at) + size / self.bytes_per_second
        return self.free_at + self.delay_seconds


@dataclass
class _Proxy:
    server: tuple[str, int]
    down: _Line
    up: _Line

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the browser."""
        await asyncio.sleep(self.down.delay_seconds + self.up.delay_seconds)  # the handshake
        there, back = await asyncio.open_connection(*self.server)
        # when the line is taken down, what still runs is cancelled: asyncio's streams would call that an error
        with suppress(asyncio.CancelledError):
            await asyncio.gather(_carry(reader, back, self.up), _carry(there, writer, self.down))


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter, line: _Line) -> None:
    """Everything from one end to the other, each piece when the line has brought it."""
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(256)

    async def take_in() -> None:
        piece = b"-"
        while piece:
            piece = await source.read(_PIECE)
            await under_way.put((line.arrival(len(piece)), piece))

    async def give_out() -> None:
        loop = asyncio.get_running_loop()
        while True:
            at, piece = await under_way.get()
            await asyncio.sleep(max(0.0, at - loop.time()))
            if not piece:
                return
            target.write(piece)
            await target.drain()

    try:
        await asyncio.gather(take_in(), give_out())
    except ConnectionError:
        pass
    finally:
        target.close()


@contextmanager
def slow_line(server: tuple[str, int], megabits: float, round_trip_ms: float) -> Iterator[str]:
    """The address of the server at the other end of such a line (the way up has a third of the rate)."""
    delay = round_trip_ms / 2000
    rate = megabits * 1e6 / 8
    started: Future[int] = Future()
    stop = threading.Event()

    async def run() -> None:
        proxy = _Proxy(server, _Line(rate, delay), _Line(rate / 3, delay))
        async with await asyncio.start_server(proxy.take, "127.0.0.1", 0) as listening:
            started.set_result(listening.sockets[0].getsockname()[1])
            await asyncio.to_thread(stop.wait)

    # a loop of its own: Playwright's runs in the thread of the caller
    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        yield f"http://127.0.0.1:{started.result()}"
    finally:
        stop.set()
        thread.join()
