"""Sockets and process: a Unix socket and, if wished, loopback HTTPS, until SIGTERM; what is under way ends first."""

import asyncio
import contextlib
import ctypes
import fcntl
import grp
import os
import resource
import signal
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from crypto.errors import ServiceUnavailable
from crypto.service.connection import connection_class
from crypto.service.limits import ServiceLimits

_BACKLOG = 128
# prctl(2)
_PR_SET_DUMPABLE = 4


@dataclass(frozen=True)
class Listener:
    """A bound socket, and TLS if it speaks that."""

    socket: socket.socket
    tls: ssl.SSLContext | None = None


@contextlib.contextmanager
def unix_listener(path: Path, group: str) -> Iterator[Listener]:
    """A socket for its owner (mode 0600), or for a group too (0660). Raises `ServiceUnavailable` when another serves there.

    What a killed service left behind is taken over; the lock beside it tells that nobody serves any more.
    """
    path.parent.mkdir(mode=0o750 if group else 0o700, parents=True, exist_ok=True)
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ServiceUnavailable(f"another key server serves {path}: stop that one first") from None
        path.unlink(missing_ok=True)
        # No moment in which others could connect: bind creates the file by the mask.
        mask = os.umask(0o177)
        try:
            listening.bind(str(path))
        except OSError as error:
            raise ServiceUnavailable(
                f"{path}: {error}; name a shorter path in CLOUDFILM_CRYPTO_SOCKET"
            ) from None
        finally:
            os.umask(mask)
        if group:
            _share(path, group)
        yield Listener(listening)
        path.unlink(missing_ok=True)
    finally:
        listening.close()
        os.close(lock)


@contextlib.contextmanager
def loopback_listener(host: str, port: int, tls: ssl.SSLContext) -> Iterator[Listener]:
    """TLS on an address of this machine only. Raises `ServiceUnavailable` for any other, and when it is taken."""
    host = host.strip("[]")
    if host not in ("127.0.0.1", "::1"):
        raise ServiceUnavailable(f"the key server listens on 127.0.0.1 or [::1], not on {host}")
    family = socket.AF_INET6 if host == "::1" else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
        except OSError as error:
            raise ServiceUnavailable(f"{host}:{port}: {error.strerror}") from None
        yield Listener(listening, tls)


def keep_memory_private() -> None:
    """No core dumps, and no reading of our memory by other processes of the same user (prctl PR_SET_DUMPABLE)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def serve(
    application: Any,
    listeners: Sequence[Listener],
    limits: ServiceLimits,
    ready: Callable[[], None],
) -> None:
    """Answer on all of them until SIGTERM or SIGINT; then take no more and finish what is under way."""
    servers = [_server(application, listener, limits) for listener in listeners]

    async def run() -> None:
        loop = asyncio.get_running_loop()

        def stop() -> None:
            for server in servers:
                server.should_exit = True

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        running = [
            asyncio.create_task(server.serve([listener.socket]))
            for server, listener in zip(servers, listeners, strict=True)
        ]
        # The sockets are bound and listen: who connects now waits until the loop looks.
        ready()
        for one in asyncio.as_completed(running):
            try:
                await one
            finally:
                stop()

    asyncio.run(run())


def _share(path: Path, group: str) -> None:
    try:
        os.chown(path, -1, grp.getgrnam(group).gr_gid)
    except (KeyError, PermissionError):
        raise ServiceUnavailable(
            f"{path}: group {group!r} is none of this system, or this user is not in it"
        ) from None
    path.chmod(0o660)


class _Server(uvicorn.Server):
    """Signals belong to `serve`, for there may be two servers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:  # type: ignore[override]
        yield


def _server(application: Any, listener: Listener, limits: ServiceLimits) -> _Server:
    listener.socket.listen(_BACKLOG)
    tls = listener.tls
    return _Server(
        uvicorn.Config(
            application,
            http=connection_class(limits),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_keep_alive=limits.idle_seconds,
            timeout_graceful_shutdown=limits.stop_seconds,
            h11_max_incomplete_event_size=limits.header_bytes,
            ssl_context_factory=(lambda _config, _default: tls) if tls else None,
        )
    )
