"""What a page and its workers hold in memory, by the DevTools protocol (Playwright's sessions do not reach workers)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import requests
from websockets.sync.client import ClientConnection, connect

_MESSAGE_BYTES = 2**24
_SECONDS = 60


# Put before a worker's script: remembers the memories of what is compiled in it.
WATCH_MEMORIES = """
self.benchMemories = [];
for (const name of ['instantiate', 'instantiateStreaming']) {
  const real = WebAssembly[name];
  WebAssembly[name] = async (...told) => {
    const made = await real.apply(WebAssembly, told);
    const found = Object.values((made.instance ?? made).exports);
    self.benchMemories.push(...found.filter((one) => one instanceof WebAssembly.Memory));
    return made;
  };
}
"""
_MEMORIES = "(self.benchMemories ?? []).reduce((sum, one) => sum + one.buffer.byteLength, 0)"


@dataclass(frozen=True)
class Heap:
    """Megabytes: of the page, and of the worker that holds most."""

    page: float
    worker: float


class HeapProbe:
    """Reads `Runtime.getHeapUsage` of a page and of each of its dedicated workers."""

    def __init__(self, socket: ClientConnection, target: str) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._workers: list[str] = []
        self._page: str = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._call(
            "Target.setAutoAttach",
            self._page,
            autoAttach=True,
            waitForDebuggerOnStart=False,
            flatten=True,
        )

    def read(self) -> Heap:
        """After a garbage collection."""
        workers = [self._megabytes(worker) for worker in list(self._workers)]
        return Heap(self._megabytes(self._page), max(workers, default=0.0))

    def _megabytes(self, session: str) -> float:
        self._call("HeapProfiler.collectGarbage", session)
        used = self._call("Runtime.getHeapUsage", session)
        parts = ("usedSize", "embedderHeapUsedSize", "backingStorageSize")
        return (sum(used.get(part, 0) for part in parts) + self._compiled_bytes(session)) / 1e6

    def _compiled_bytes(self, session: str) -> float:
        """The memories of WebAssembly, which the heap's own count leaves out (`WATCH_MEMORIES`)."""
        told = self._call("Runtime.evaluate", session, expression=_MEMORIES, returnByValue=True)
        return float(told["result"]["value"])

    def _call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        request = {"id": number, "method": method, "params": parameters}
        self._socket.send(json.dumps(request | ({"sessionId": session} if session else {})))
        while True:
            told = json.loads(self._socket.recv(_SECONDS))
            self._hear(told)
            if told.get("id") == number:
                if "error" in told:
                    raise RuntimeError(f"{method}: {told['error']}")
                result: dict[str, Any] = told["result"]
                return result

    def _hear(self, told: dict[str, Any]) -> None:
        if told.get("method") == "Target.attachedToTarget":
            if told["params"]["targetInfo"]["type"] == "worker":
                self._workers.append(told["params"]["sessionId"])
        elif told.get("method") == "Target.detachedFromTarget":
            gone = told["params"]["sessionId"]
            self._workers = [worker for worker in self._workers if worker != gone]


@contextmanager
def heap_probe(port: int) -> Iterator[HeapProbe]:
    """A probe of the only page of the browser that was started with --remote-debugging-port=`port`."""
    http = requests.Session()
    http.trust_env = False
    address = http.get(f"http://127.0.0.1:{port}/json/version", timeout=10).json()["webSocketDebuggerUrl"]
    pages = http.get(f"http://127.0.0.1:{port}/json/list", timeout=10).json()
    target = next(page["id"] for page in pages if page["type"] == "page" and "/film" in page["url"])
    with connect(address, max_size=_MESSAGE_BYTES, proxy=None) as socket:
        yield HeapProbe(socket, target)
