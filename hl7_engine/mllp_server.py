"""The MLLP server: persistent connections, one loop thread for sockets, one thread that stores (decision 7).

A connection is answered in the order of its messages, each after the commit that made it durable (group_commit.py). What
takes too long is closed: a block that does not end, a peer that does not read its answers, a connection on which nothing
comes. Whatever was not acknowledged is sent again.
"""

import asyncio
import ipaddress
import ssl
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from core import db
from core.config import host_and_port
from core.errors import Misconfigured, Unavailable
from core.logs import get_logger
from hl7_engine import inbox
from hl7_engine.framing import MAX_FRAME_BYTES
from hl7_engine.group_commit import GroupCommit, Reply, Store, Waiting
from hl7_engine.incoming import Incoming, Receipt
from hl7_engine.mllp_connection import Limits, MllpConnection
from hl7_engine.tls_entrance import TlsEntrance

try:
    import uvloop as loops
except ImportError:
    # Slower, and all else the same.
    loops = asyncio  # type: ignore[misc]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

__all__ = ["MAX_CONNECTIONS", "MAX_PER_ADDRESS", "Limits", "MllpServer", "parse_peers", "serve"]

MAX_CONNECTIONS = 256
# So that one peer that forgets to close cannot shut the others out.
MAX_PER_ADDRESS = 64
# Messages of all connections that wait for storage, or have not ended.
MAX_HELD_BYTES = 256 * 1024 * 1024
START_SECONDS = 10
STOP_SECONDS = 10


class MllpServer:
    """A running server; `stop` ends it. Made by `serve`."""

    def __init__(
        self,
        bind: str,
        networks: list[Network],
        store: Store,
        unavailable: Callable[[Incoming], Receipt],
        max_frame_bytes: int,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._host, self._port = host_and_port(bind)
        self._networks = networks
        self.max_frame_bytes = max_frame_bytes
        self._tls = tls
        self._log = get_logger("hl7_engine")
        self._connections: set[MllpConnection] = set()
        self._per_address: Counter[str] = Counter()
        self._gathered: list[Waiting] = []
        self._waiting_bytes = 0
        self._storing = GroupCommit(
            _connected(store), unavailable, self._answered, lambda: db.database.close()
        )
        self._thread = threading.Thread(target=self._run, name="hl7-mllp", daemon=True)
        self._started = threading.Event()
        self._failure: OSError | None = None
        self._loop: asyncio.AbstractEventLoop
        self._stopping: asyncio.Event | None = None
        self._all_left: asyncio.Event

    @property
    def port(self) -> int:
        """The port that it listens on; the one the system chose when 0 was asked."""
        return self._port

    @property
    def is_running(self) -> bool:
        """Whether both of its threads live; only `stop` may end them."""
        return self._thread.is_alive() and self._storing.is_running

    def start(self) -> None:
        """Listen. Raises `Unavailable` when the address cannot be had."""
        self._thread.start()
        if not self._started.wait(START_SECONDS):
            raise Unavailable(f"HL7 did not start to listen within {START_SECONDS} s")
        if self._failure is not None:
            self._thread.join()
            reason = self._failure.strerror or str(self._failure)
            raise Unavailable(f"HL7 cannot listen on {self._host}:{self._port}: {reason}") from self._failure

    def stop(self) -> None:
        """Read no more; what was read is still stored and answered, then all connections are closed."""
        if self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(2 * STOP_SECONDS)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=loops.new_event_loop) as runner:
            try:
                runner.run(self._listen())
            except OSError as error:
                self._failure = error
            finally:
                self._started.set()

    async def _listen(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping, self._all_left = asyncio.Event(), asyncio.Event()
        close = await self._open()
        self._storing.start()
        self._sweep()
        self._started.set()
        try:
            await self._stopping.wait()
        finally:
            await close()
            await self._empty()

    async def _open(self) -> Callable[[], Awaitable[None]]:
        """Listen; return what ends it."""
        if self._tls is not None:
            entrance = TlsEntrance(self, self._tls)
            self._port = await entrance.open(self._host, self._port)
            return entrance.close
        server = await self._loop.create_server(
            lambda: MllpConnection(self, self._loop), self._host, self._port
        )
        self._port = server.sockets[0].getsockname()[1]

        async def close() -> None:
            server.close()

        return close

    async def _empty(self) -> None:
        """Answer what came before the end."""
        for connection in list(self._connections):
            connection.stop_reading()
        self._hand_over()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._loop.run_in_executor(None, self._storing.stop)
                if self._connections:
                    await self._all_left.wait()
        except TimeoutError:
            for connection in list(self._connections):
                connection.close("the server stops")

    # What connections ask (mllp_connection.Hall).

    def admit(self, connection: MllpConnection) -> bool:
        """Whether the peer is expected and there is room; who is turned away is logged."""
        why = self._objection(connection.address)
        if why:
            self._log.warning("connection_refused", peer=connection.address, why=why)
            return False
        self._connections.add(connection)
        self._per_address[connection.address] += 1
        return True

    def leave(self, connection: MllpConnection) -> None:
        """Forget a connection that has ended."""
        if connection not in self._connections:
            return
        self._connections.remove(connection)
        self._per_address[connection.address] -= 1
        if not self._per_address[connection.address]:
            del self._per_address[connection.address]
        if not self._connections:
            self._all_left.set()

    def submit(self, waiting: list[Waiting], size: int) -> None:
        """Gather what all connections bring in one turn of the loop, so that the storing thread is woken once."""
        if not self._gathered:
            self._loop.call_soon(self._hand_over)
        self._gathered += waiting
        self._waiting_bytes += size

    def settle(self, size: int) -> None:
        """So many bytes are stored, or given up."""
        self._waiting_bytes -= size

    def is_full(self) -> bool:
        """Whether more waits for storage than the memory is meant to hold."""
        return self._waiting_bytes > MAX_HELD_BYTES // 2

    def _hand_over(self) -> None:
        if self._gathered:
            self._storing.put(self._gathered)
            self._gathered = []

    def _answered(self, replies: list[tuple[Reply, Receipt]]) -> None:
        """In the storing thread: one call into the loop for a whole batch."""
        try:
            self._loop.call_soon_threadsafe(self._reply, replies)
        except RuntimeError:
            self._log.info("answers_not_sent", count=len(replies), why="the server has stopped")

    def _reply(self, replies: list[tuple[Reply, Receipt]]) -> None:
        was_full = self.is_full()
        for reply, receipt in replies:
            reply(receipt)
        if was_full and not self.is_full():
            for connection in list(self._connections):
                connection.go_on()

    def _objection(self, address: str) -> str:
        if self._networks and not self._is_expected(address):
            return "not among CLOUDFILM_MLLP_PEERS"
        if len(self._connections) >= MAX_CONNECTIONS:
            return f"{MAX_CONNECTIONS} are open"
        if self._per_address[address] >= MAX_PER_ADDRESS:
            return f"{MAX_PER_ADDRESS} of this address are open"
        return ""

    def _is_expected(self, address: str) -> bool:
        told = ipaddress.ip_address(address)
        # On a socket for both kinds, 10.1.2.3 calls itself ::ffff:10.1.2.3.
        mapped = told.ipv4_mapped if isinstance(told, ipaddress.IPv6Address) else None
        return any((mapped or told) in network for network in self._networks)

    def _sweep(self) -> None:
        """The one timer: looks at all connections a few times in the shortest of the limits."""
        try:
            now = self._loop.time()
            for connection in list(self._connections):
                why = connection.look(now)
                if why:
                    connection.close(why)
                else:
                    connection.go_on()
            self._relieve()
        finally:
            # Whatever goes wrong: without it nothing would ever be closed again.
            shortest = min(Limits.lone_end, Limits.frame, Limits.answer, Limits.idle)
            self._loop.call_later(shortest / 4, self._sweep)

    def _relieve(self) -> None:
        """When unfinished messages fill the memory, the largest has to be sent again."""
        unfinished = {connection: connection.unfinished_bytes for connection in self._connections}
        total = sum(unfinished.values())
        while total > MAX_HELD_BYTES // 2:
            largest = max(unfinished, key=unfinished.__getitem__)
            total -= unfinished.pop(largest)
            largest.close("too many unfinished messages at once")


def _connected(store: Store) -> Store:
    """Keeps the storing thread connected to the database; after a failure it connects anew."""

    def connect_and_store(items: Sequence[Incoming]) -> list[Receipt]:
        db.database.connect(reuse_if_open=True)
        return store(items)

    return connect_and_store


def serve(
    bind: str,
    peers: str,
    store: Store = inbox.accept,
    max_frame_bytes: int = MAX_FRAME_BYTES,
    *,
    unavailable: Callable[[Incoming], Receipt] = inbox.unavailable,
    tls: ssl.SSLContext | None = None,
) -> MllpServer:
    """Listen on `bind` (host:port) for `peers`: addresses and networks with commas between; empty: all.

    `store` makes messages durable in one transaction, `unavailable` words the answer when it raises. Raises `Unavailable`.
    """
    server = MllpServer(bind, parse_peers(peers), store, unavailable, max_frame_bytes, tls)
    server.start()
    return server


def parse_peers(peers: str) -> list[Network]:
    """`10.1.2.3, 10.4.0.0/16` as networks. Raises `Misconfigured` naming the one that is wrong."""
    networks = []
    for peer in filter(None, (part.strip() for part in peers.split(","))):
        try:
            networks.append(ipaddress.ip_network(peer))
        except ValueError as error:
            raise Misconfigured(f"CLOUDFILM_MLLP_PEERS: {peer!r} is no address or network: {error}") from None
    return networks
