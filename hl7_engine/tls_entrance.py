"""Connections with TLS: who may come in is asked before the handshake, and one in its handshake counts as a connection.

asyncio's own servers shake hands first and tell of a connection afterwards: anybody could then hold as many open as the
process has file descriptors. So sockets are accepted here, plain, and given to the loop with TLS once they are admitted.
(`start_tls` is no way: uvloop may read the peer's first bytes before it can be called.)
"""

import asyncio
import socket
import ssl
from collections.abc import Coroutine

from core.logs import get_logger
from hl7_engine.mllp_connection import Hall, Limits, MllpConnection

_BACKLOG = 128
# No more file descriptors, or no memory: until some are free again.
_PAUSE_SECONDS = 1.0

_log = get_logger("hl7_engine")


class TlsEntrance:
    """Listens from `open` to `close`. Lives in the server's loop."""

    def __init__(self, hall: Hall, tls: ssl.SSLContext) -> None:
        self._hall = hall
        self._tls = tls
        self._sockets: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, host: str, port: int) -> int:
        """Listen on all addresses of `host`; return the port. Raises `OSError`."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, address in dict.fromkeys(found):
            listening = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
            listening.setblocking(False)
            self._sockets.append(listening)
        for listening in self._sockets:
            self._keep(self._accept(listening))
        return int(self._sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Accept no more; handshakes that are under way are given up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for listening in self._sockets:
            listening.close()

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, address = await loop.sock_accept(listening)
            except OSError as error:
                _log.error("connection_not_accepted", why=str(error))
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            connection = MllpConnection(self._hall, loop, address[0])
            if self._hall.admit(connection):
                self._keep(self._shake_hands(connection, accepted))
            else:
                accepted.close()

    async def _shake_hands(self, connection: MllpConnection, accepted: socket.socket) -> None:
        is_in = False
        try:
            transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection, accepted, ssl=self._tls, ssl_handshake_timeout=Limits.handshake
            )
            is_in = not transport.is_closing()
        except OSError as error:
            _log.info("connection_closed", peer=connection.address, why=f"no TLS handshake: {error}")
        finally:
            if not is_in:
                # Nobody else says that it has ended.
                self._hall.leave(connection)
