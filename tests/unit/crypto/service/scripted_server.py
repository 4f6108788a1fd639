"""A server on a Unix socket that answers by a script: a step for each request, whatever it asks."""

import json
import socket
import threading
from pathlib import Path

BREAK = b""


def ok(**told: object) -> bytes:
    return _answer(200, "application/json", told)


def problem(status: int, kind: str, detail: str = "why", **more: object) -> bytes:
    return _answer(
        status, "application/problem+json", {"status": status, "kind": kind, "detail": detail, **more}
    )


def _answer(status: int, media: str, told: object) -> bytes:
    body = json.dumps(told).encode()
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {media}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


class ScriptedServer:
    def __init__(self, path: Path, steps: list[bytes]) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._steps = steps
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(path))
        self._socket.listen()
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        for one in (self._socket, *self._open):
            one.shutdown(socket.SHUT_RDWR)
        self._thread.join(20)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                self._open.append(connection)
                self._talk(connection)
                self._open.remove(connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(20)
        while request := self._read(connection):
            self.requests.append(request)
            step = self._steps.pop(0)
            if step == BREAK:
                return
            connection.sendall(step)

    def _read(self, connection: socket.socket) -> bytes:
        told = b""
        while b"\r\n\r\n" not in told:
            part = connection.recv(65536)
            if not part:
                return b""
            told += part
        head, _, body = told.partition(b"\r\n\r\n")
        length = next(
            (
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            ),
            0,
        )
        while len(body) < length:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body
