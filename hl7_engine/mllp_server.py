"""The MLLP server: persistent connections, one loop thread for sockets, one thread that stores (decision 7).

A connection is answered in the order of its messages. What takes too long is closed: a block that does not
end, a peer that does not read its answers, a connection on which nothing comes. Whatever was not
acknowledged is sent again.
"""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from core import db
from core.config import host_and_port
from core.errors import Misconfigured, Unavailable
from core.logs import get_logger
from hl7_engine import inbox
from hl7_engine.framing import MAX_FRAME_BYTES, Deframer, Frame, wrap

Store = Callable[[Frame, str], bytes]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_CONNECTIONS = 256
READ_BYTES = 256 * 1024
START_SECONDS = 10
STOP_SECONDS = 10


class Limits:
    """How long a peer may take, in seconds."""

    # HIS engines keep connections through quiet nights, and open a new one when it was closed.
    idle = 3600.0
    # One block from its first to its last byte: 32 MB at 3 Mbit/s.
    frame = 90.0
    # A block that ends with 0x1C and without 0x0D.
    lone_end = 1.0
    # Until the peer has taken its answer.
    answer = 30.0


class MllpServer:
    """A running server; `stop` ends it. Made by `serve`."""

    def __init__(self, bind: str, networks: list[Network], store: Store, max_frame_bytes: int) -> None:
        self._host, self._port = host_and_port(bind)
        self._networks = networks
        self._store = store
        self._max_frame_bytes = max_frame_bytes
        self._limits = Limits()
        self._log = get_logger("hl7_engine")
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._storing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hl7-store")
        self._thread = threading.Thread(target=self._run, name="hl7-mllp", daemon=True)
        self._started = threading.Event()
        self._failure: OSError | None = None
        self._stopping: asyncio.Event | None = None

    @property
    def port(self) -> int:
        """The port that it listens on; the one the system chose when 0 was asked."""
        return self._port

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
        """Close all connections; what is being stored is still stored."""
        if self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(STOP_SECONDS)
        self._storing.submit(db.database.close)
        self._storing.shutdown(wait=True)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._listen())
            except OSError as error:
                self._failure = error
            finally:
                self._started.set()

    async def _listen(self) -> None:
        self._stopping = asyncio.Event()
        server = await asyncio.start_server(self._connected, self._host, self._port, limit=READ_BYTES)
        self._port = server.sockets[0].getsockname()[1]
        self._started.set()
        try:
            await self._stopping.wait()
        finally:
            server.close()
            for task in list(self._connections):
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        address = writer.get_extra_info("peername")[0]
        if not self._may_connect(address):
            writer.close()
            return
        self._connections.add(task)  # type: ignore[arg-type]
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        try:
            await self._converse(reader, writer, address)
        except (OSError, TimeoutError) as error:
            self._log.info("connection_closed", peer=address, why=str(error) or type(error).__name__)
        except asyncio.CancelledError:
            # The server stops. Passed on, asyncio's streams would log it as a failure of ours.
            pass
        finally:
            self._connections.discard(task)  # type: ignore[arg-type]
            writer.close()

    def _may_connect(self, address: str) -> bool:
        if self._networks and not any(ipaddress.ip_address(address) in network for network in self._networks):
            self._log.warning("connection_refused", peer=address, why="not among CLOUDFILM_MLLP_PEERS")
            return False
        if len(self._connections) >= MAX_CONNECTIONS:
            self._log.warning("connection_refused", peer=address, why=f"{MAX_CONNECTIONS} are open")
            return False
        return True

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str
    ) -> None:
        deframer = Deframer(self._max_frame_bytes)
        deadline = 0.0
        while True:
            was_inside = deframer.is_inside
            try:
                async with asyncio.timeout(self._patience(deframer, deadline)):
                    data = await reader.read(READ_BYTES)
            except TimeoutError:
                if not deframer.has_lone_end:
                    raise TimeoutError("a message without end" if was_inside else "idle") from None
                frames = deframer.flush()
            else:
                frames = deframer.feed(data) if data else deframer.flush()
                if not data and not frames:
                    return
            for frame in frames:
                await self._answer(frame, address, writer)
            if frames or not was_inside:
                deadline = self._loop.time() + self._limits.frame

    def _patience(self, deframer: Deframer, deadline: float) -> float:
        if deframer.has_lone_end:
            return self._limits.lone_end
        if deframer.is_inside:
            return max(deadline - self._loop.time(), 0.0)
        return self._limits.idle

    async def _answer(self, frame: Frame, address: str, writer: asyncio.StreamWriter) -> None:
        answer = await self._loop.run_in_executor(self._storing, self._store_one, frame, address)
        writer.write(wrap(answer))
        async with asyncio.timeout(self._limits.answer):
            await writer.drain()

    def _store_one(self, frame: Frame, address: str) -> bytes:
        """In the storing thread. Its database connection is kept, and given up after any failure."""
        try:
            db.database.connect(reuse_if_open=True)
            return self._store(frame, address)
        except Exception:
            self._log.error("message_not_stored", peer=address, exc_info=True)
            db.database.close()
            return inbox.unavailable(frame, address)


def serve(
    bind: str, peers: str, store: Store = inbox.accept, max_frame_bytes: int = MAX_FRAME_BYTES
) -> MllpServer:
    """Listen on `bind` (host:port) for `peers`: addresses and networks with commas between; empty: all."""
    server = MllpServer(bind, parse_peers(peers), store, max_frame_bytes)
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
