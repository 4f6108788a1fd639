"""The load: connections that each send a message, wait for its acknowledgement and send the next. One loop, no threads.

Each acknowledgement is looked at: it must name the message and accept it. A server that closes after each message is
connected to again, as its senders have to do.
"""

import selectors
import socket
import time
from dataclasses import dataclass
from itertools import count

ANSWER_SECONDS = 60
# Where a message holds its number: MSH-10.
NUMBER = b"BENCH0000000"
_END = b"\x1c\r"


@dataclass(frozen=True)
class Load:
    """What one round did."""

    messages: int
    seconds: float

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.messages / self.seconds


class _Sender:
    """One connection."""

    def __init__(self, port: int, head: bytes, tail: bytes, numbers: "count[int]") -> None:
        self._port = port
        self._head, self._tail = head, tail
        self._numbers = numbers
        self._answer = b""
        self._expected = b""
        self.socket = self._connect()

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), ANSWER_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def send(self) -> None:
        """The next message."""
        self._expected = b"B%011d" % next(self._numbers)
        self._answer = b""
        self.socket.sendall(b"\x0b" + self._head + self._expected + self._tail + _END)

    def receive(self) -> bool:
        """Whether the answer is complete. Raises `RuntimeError` when it is not the right one."""
        data = self.socket.recv(65536)
        if not data:
            raise RuntimeError("the server closed instead of answering")
        self._answer += data
        if not self._answer.endswith(_END):
            return False
        if self._expected not in self._answer or not (b"|AA|" in self._answer or b"|CA|" in self._answer):
            raise RuntimeError(f"no acknowledgement of {self._expected!r}: {self._answer[:300]!r}")
        return True

    def reconnect(self) -> None:
        """For a server that serves one message per connection."""
        self.socket.close()
        self.socket = self._connect()


def run(
    port: int,
    message: bytes,
    connections: int,
    seconds: float,
    numbers: "count[int]",
    *,
    closes: bool = False,
) -> Load:
    """Send for so long; `closes` tells a server that closes after each message."""
    head, _, tail = message.partition(NUMBER)
    senders = [_Sender(port, head, tail, numbers) for _ in range(connections)]
    with selectors.EpollSelector() as selector:
        for sender in senders:
            selector.register(sender.socket, selectors.EVENT_READ, sender)
            sender.send()
        begin = time.perf_counter()
        end = begin + seconds
        done, running = 0, len(senders)
        while running:
            ready = selector.select(ANSWER_SECONDS)
            if not ready:
                raise RuntimeError(f"no answer within {ANSWER_SECONDS} s")
            for key, _ in ready:
                sender = key.data
                if not sender.receive():
                    continue
                done += 1
                if closes:
                    selector.unregister(sender.socket)
                    sender.reconnect()
                    selector.register(sender.socket, selectors.EVENT_READ, sender)
                if time.perf_counter() < end:
                    sender.send()
                else:
                    running -= 1
        took = time.perf_counter() - begin
    for sender in senders:
        sender.socket.close()
    return Load(done, took)
