"""A client of the service: over its Unix socket or loopback HTTPS, one connection for each thread, kept open.

What may be repeated is repeated when a connection broke or the service is not there, for as long as its restart takes. What
may not is repeated only when it was not even sent. At the end stands `ServiceUnavailable`, never a socket's error.
"""

import http.client
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError

from crypto.errors import ServiceUnavailable
from crypto.service import tls
from crypto.service.endpoint import Endpoint, Message
from crypto.service.limits import TooManyRequests
from crypto.service.problems import error_from, from_validation

Answer = TypeVar("Answer", bound=Message)

# After a restart the service tests itself for about two seconds.
PAUSES = (0.05, 0.2, 0.5, 1.0, 2.0)
# Longer than the service works on one request, so that its own words are heard.
ANSWER_SECONDS = 35.0
# What took this long is not begun once more.
PATIENCE_SECONDS = 10.0
CONNECT_SECONDS = 2.0
# Less than the service keeps an idle connection: a request does not run into a closing one.
IDLE_SECONDS = 30.0
_OK = 200


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connected.settimeout(CONNECT_SECONDS)
            connected.connect(self._path)
            connected.settimeout(ANSWER_SECONDS)
        except BaseException:
            connected.close()
            raise
        self.sock = connected


class CryptoClient:
    """Threads may share it, and a fork too. `address` is `unix:/path` or `https://127.0.0.1:port`."""

    def __init__(
        self,
        address: str,
        *,
        token: str = "",
        trusted: Path | None = None,
        pauses: Sequence[float] = PAUSES,
        wait: Callable[[float], None] = time.sleep,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """`trusted` is the service's certificate, for HTTPS. Raises `ServiceUnavailable` for an address of another form."""
        self.address = address
        self._connect = _connector(address, trusted)
        self._token = token
        self._pauses = pauses
        self._wait = wait
        self._seconds = seconds
        self._local = threading.local()

    def __repr__(self) -> str:
        return f"CryptoClient({self.address})"

    def ask(self, endpoint: Endpoint, answer: type[Answer], **body: Any) -> Answer:
        """What the service answers to a body of these fields. Raises the error that it tells of, or `ServiceUnavailable`."""
        content = _content(endpoint, body)
        pauses = iter(self._pauses)
        began = self._seconds()
        while True:
            try:
                return self._ask_once(endpoint, content, answer)
            except _Unsent as error:
                failure: ServiceUnavailable = ServiceUnavailable(str(error))
                may_repeat = True
            except TooManyRequests as error:
                failure, may_repeat = error, True
            except ServiceUnavailable as error:
                failure, may_repeat = error, endpoint.is_repeatable
            pause = next(pauses, None)
            if pause is None or not may_repeat or self._seconds() - began > PATIENCE_SECONDS:
                raise failure from None
            self._wait(pause)

    def close(self) -> None:
        """Close this thread's connection."""
        self._forget()

    def _ask_once(self, endpoint: Endpoint, content: bytes | None, answer: type[Answer]) -> Answer:
        connection = self._connection()
        headers = {"content-type": "application/json"}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        try:
            connection.request(endpoint.method, endpoint.path, content, headers)
            response = connection.getresponse()
            status, told = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            self._forget()
            raise ServiceUnavailable(
                f"the key server at {self.address} broke off ({type(error).__name__})"
            ) from None
        self._local.used_at = self._seconds()
        if response.will_close:
            self._forget()
        if status != _OK:
            raise error_from(status, told)
        try:
            return answer.model_validate_json(told)
        except ValidationError:
            raise ServiceUnavailable(
                f"the key server at {self.address} speaks another version: update both"
            ) from None

    def _connection(self) -> http.client.HTTPConnection:
        """This thread's, in this process: a forked child must not write into its parent's."""
        kept: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if kept is not None and self._local.pid != os.getpid():
            self._local.connection = kept = None
        if kept is not None and self._seconds() - self._local.used_at > IDLE_SECONDS:
            self._forget()
            kept = None
        if kept is None:
            try:
                kept = self._connect()
                kept.connect()
            except OSError as error:
                raise _Unsent(
                    f"no key server at {self.address} ({error.strerror or type(error).__name__}): "
                    "start `./cloudfilm crypto serve`"
                ) from None
            self._local.connection, self._local.pid = kept, os.getpid()
            self._local.used_at = self._seconds()
        return kept

    def _forget(self) -> None:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is not None and self._local.pid == os.getpid():
            connection.close()
        self._local.connection = None


class _Unsent(Exception):
    """Nothing was sent."""


def _content(endpoint: Endpoint, body: Mapping[str, Any]) -> bytes | None:
    """Checked here already. Raises `InputRefused`."""
    if endpoint.method == "GET":
        return None
    try:
        return endpoint.request(**body).model_dump_json().encode()
    except ValidationError as error:
        raise from_validation(error) from None


def _connector(address: str, trusted: Path | None) -> Callable[[], http.client.HTTPConnection]:
    if address.startswith("unix:/"):
        path = address.removeprefix("unix:")
        return lambda: _UnixConnection(path)
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname or not parts.port or parts.path not in ("", "/"):
        raise ServiceUnavailable(f"{address!r} is not unix:/path or https://127.0.0.1:port")
    if trusted is None:
        raise ServiceUnavailable(f"{address}: the key server's certificate is needed to know it")
    host, port = parts.hostname, parts.port
    return lambda: http.client.HTTPSConnection(
        host, port, timeout=ANSWER_SECONDS, context=tls.client_context(trusted)
    )
