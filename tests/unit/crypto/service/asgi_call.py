"""One request to an ASGI application, without a socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

from crypto.service.connection import Peer

OWN = Peer(uid=1000)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        return json.loads(self.body)


async def call(
    application: Any,
    method: str,
    path: str,
    body: bytes | Sequence[bytes] = b"",
    *,
    headers: Mapping[str, str] | None = None,
    peer: Peer = OWN,
    stalls: bool = False,
) -> Answer:
    """`stalls`: the rest of the body never comes."""
    parts = [body] if isinstance(body, bytes) else list(body)
    told = {"content-length": str(sum(map(len, parts))), **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in told.items()],
        "state": {"peer": peer},
    }
    incoming = _incoming(parts, stalls)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return await anext(incoming)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await application(scope, receive, send)
    start = sent[0]
    content = b"".join(message.get("body", b"") for message in sent[1:])
    return Answer(start["status"], {n.decode(): v.decode() for n, v in start["headers"]}, content)


async def _incoming(parts: list[bytes], stalls: bool) -> AsyncIterator[dict[str, Any]]:
    for place, part in enumerate(parts):
        is_last = place == len(parts) - 1
        yield {"type": "http.request", "body": part, "more_body": stalls or not is_last}
    if stalls:
        await asyncio.Event().wait()
    yield {"type": "http.disconnect"}
