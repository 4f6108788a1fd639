"""One connection: who is at its other end, told by the kernel or by TLS; and no patience for half a header."""

import asyncio
import hashlib
import socket
import struct
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from crypto.service.limits import ServiceLimits

# struct ucred of unix(7): pid, uid, gid.
_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True)
class Peer:
    """The other end: the user of a local process, or the SHA-256 (hex) of a certificate that TLS has verified."""

    uid: int | None = None
    certificate: str = ""


def peer_of(transport: asyncio.Transport) -> Peer:
    """SO_PEERCRED of a Unix socket; the client certificate of TLS, if one was shown."""
    if tls := transport.get_extra_info("ssl_object"):
        shown = tls.getpeercert(binary_form=True)
        return Peer(certificate=hashlib.sha256(shown).hexdigest() if shown else "")
    plain = transport.get_extra_info("socket")
    if plain.family != socket.AF_UNIX:
        return Peer()
    raw = plain.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return Peer(uid=_CREDENTIALS.unpack(raw)[1])


def connection_class(limits: ServiceLimits) -> type[H11Protocol]:
    """uvicorn's protocol with our limits; the peer is in the scope's state."""

    class Connection(H11Protocol):
        _patience: asyncio.TimerHandle | None = None
        _rest: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > limits.connections:
                transport.abort()
                return
            self.app_state: dict[str, Any] = {**self.app_state, "peer": peer_of(transport)}
            self._await_header()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.conn.their_state is not h11.SEND_BODY:
                self._rest_came()
            if self.conn.their_state is not h11.IDLE:
                self._header_came()
            elif self._patience is None and self.timeout_keep_alive_task is None:
                self._await_header()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            # Answered before its body was there, as who is not known is: the rest is read away, but not for ever.
            if self.conn.their_state is h11.SEND_BODY and self._rest is None:
                self._rest = self.loop.call_later(limits.body_seconds, self.transport.abort)

        def connection_lost(self, exc: Exception | None) -> None:
            self._rest_came()
            self._header_came()
            super().connection_lost(exc)

        def _await_header(self) -> None:
            self._patience = self.loop.call_later(limits.header_seconds, self.transport.abort)

        def _header_came(self) -> None:
            if self._patience is not None:
                self._patience.cancel()
                self._patience = None

        def _rest_came(self) -> None:
            if self._rest is not None:
                self._rest.cancel()
                self._rest = None

    return Connection
