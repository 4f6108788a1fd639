"""Redis Streams in and out.

An entry has the field `body` (the message) and may have `id` (its control id), `type` (message type or action), `reply_to`
(a stream that gets the answer) and `correlation_id`. In: entries are acknowledged when they are durable here; those that a
consumer took and never acknowledged are claimed by another. Refused entries are copied to a stream of their own. Out: XADD.
How durable an entry is before that is a matter of the Redis server (appendfsync).
"""

import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.errors import Misconfigured, Unavailable
from core.logs import get_logger, mask_text
from hl7_engine import acknowledge
from hl7_engine.acknowledge import AckResult
from hl7_engine.connector import Accept, IsUp, in_parts, incoming, require_stored, worded
from hl7_engine.connectors import settings
from hl7_engine.connectors.settings import Endpoint
from hl7_engine.incoming import Incoming, Receipt
from hl7_engine.payload import unframed
from hl7_engine.sender import control_id_of

CHANNEL = "redis"
SCHEMES = {"redis": 6379, "rediss": 6379}
_BLOCK_MILLISECONDS = 500
_TIMEOUT_SECONDS = 10
# Copies of refused entries and answers; the refused messages themselves are in the inbox.
_SIDE_STREAM_LENGTH = 100_000
_REASON_LENGTH = 500
_NEW = ">"
_FROM_THE_START = "0-0"

Fields = Mapping[bytes, bytes]
Entry = tuple[bytes, Fields]
Taken = tuple[bytes, Fields, Receipt]

_log = get_logger("hl7_engine")


@dataclass(frozen=True)
class RedisSettings:
    """One stream that we read as one consumer group; `url` is redis://host:port/database."""

    name: str
    stream: str
    url: str = ""
    url_file: str = ""
    password_file: str = ""
    tls_ca: str = ""
    group: str = "cloudfilm"
    dead_letter: str = ""
    batch: int = 100
    claim_after_seconds: int = 60
    delete_taken: bool = False


@dataclass(frozen=True)
class Server:
    """Where Redis is; `tls_ca` is a file of certificates, empty for those of the system."""

    place: Endpoint
    database: int = 0
    tls_ca: str = ""

    @contextmanager
    def connected(self) -> Iterator[redis.Redis]:
        """A client; whatever goes wrong with it is `Unavailable`. Repeats nothing by itself: a repeated XADD is two."""
        place = self.place
        tls: dict[str, Any] = {}
        if place.scheme == "rediss":
            tls = {"ssl": True, "ssl_ca_certs": self.tls_ca or None}
        client = redis.Redis(
            host=place.host,
            port=place.port,
            db=self.database,
            username=place.user or None,
            password=place.password or None,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            client_name="cloudfilm",
            **tls,
        )
        try:
            yield client
        except redis.RedisError as error:
            raise Unavailable(f"Redis {place.text}: {_why(error)}") from error
        finally:
            client.close()


class RedisConnector:
    """Reads one stream. Any number of processes may share the group: each entry goes to one of them."""

    def __init__(self, told: RedisSettings) -> None:
        """Raises `Misconfigured`."""
        subject = f"connector {told.name}"
        settings.require_positive(subject, batch=told.batch, claim_after_seconds=told.claim_after_seconds)
        url = settings.whole_url(subject, told.url, told.url_file, told.password_file)
        self.name = told.name
        self._told = told
        place = settings.endpoint(subject, url, SCHEMES)
        self._server = Server(place, _database(subject, place), told.tls_ca)
        self._dead_letter = told.dead_letter or f"{told.stream}.refused"
        # A name of its own for each process: two that shared one would take each other's entries for their own.
        self._consumer = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"

    def run(self, accept: Accept, stop: threading.Event, is_up: IsUp) -> None:
        """Take entries until `stop` is set. Raises `Unavailable`: what was not acknowledged is taken again."""
        with self._server.connected() as client:
            self._make_group(client)
            is_up()
            # Ours from before a failure.
            while self._take(client, self._read(client, _FROM_THE_START), accept):
                pass
            next_claim = 0.0
            while not stop.is_set():
                if time.monotonic() >= next_claim:
                    self._claim(client, accept)
                    next_claim = time.monotonic() + self._told.claim_after_seconds / 2
                self._take(client, self._read(client, _NEW), accept)
            self._leave(client)

    def _make_group(self, client: redis.Redis) -> None:
        """From the first entry that is there: what was sent before we existed is read too."""
        try:
            client.xgroup_create(self._told.stream, self._told.group, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    def _read(self, client: redis.Redis, position: str) -> list[Entry]:
        answer: Any = client.xreadgroup(
            self._told.group,
            self._consumer,
            {self._told.stream: position},
            count=self._told.batch,
            block=_BLOCK_MILLISECONDS,
        )
        return answer[0][1] if answer else []

    def _claim(self, client: redis.Redis, accept: Accept) -> None:
        """Take over what a consumer took and did not acknowledge for so long that it must be dead."""
        cursor: Any = _FROM_THE_START
        while True:
            cursor, entries, *_ = client.xautoclaim(
                self._told.stream,
                self._told.group,
                self._consumer,
                min_idle_time=self._told.claim_after_seconds * 1000,
                start_id=cursor,
                count=self._told.batch,
            )
            self._take(client, entries, accept)
            if cursor in (b"0-0", _FROM_THE_START):
                return

    def _take(self, client: redis.Redis, entries: Sequence[Entry], accept: Accept) -> int:
        """Hand them to the inbox, then acknowledge; return how many there were."""
        there = [(number, fields) for number, fields in entries if fields]
        self._forget_trimmed(client, [number for number, fields in entries if not fields])
        for part in in_parts(there, lambda entry: len(entry[1].get(b"body", b""))):
            self._store(client, part, accept)
        return len(entries)

    def _store(self, client: redis.Redis, there: Sequence[Entry], accept: Accept) -> None:
        items = [self._incoming(fields) for _, fields in there]
        receipts = accept(items)
        taken: list[Taken] = []
        for (number, fields), item, receipt in zip(there, items, receipts, strict=True):
            if receipt.state != "unavailable":
                self._answer(client, fields, worded(item, receipt), receipt)
                taken.append((number, fields, receipt))
        if taken:
            self._acknowledge(client, taken)
        require_stored(receipts)

    def _acknowledge(self, client: redis.Redis, taken: Sequence[Taken]) -> None:
        """Together or not at all: a copy is made of each refused entry exactly when it is acknowledged."""
        numbers = [number for number, _, _ in taken]
        with client.pipeline(transaction=True) as together:
            for number, fields, receipt in taken:
                if receipt.state == "refused":
                    self._put_aside(together, number, fields, receipt)
            together.xack(self._told.stream, self._told.group, *numbers)
            if self._told.delete_taken:
                together.xdel(self._told.stream, *numbers)
            together.execute()

    def _forget_trimmed(self, client: redis.Redis, numbers: Sequence[bytes]) -> None:
        """Given to us, and cut from the stream before we stored them: the sender's MAXLEN is too short."""
        if numbers:
            _log.error("entries_trimmed", connector=self.name, stream=self._told.stream, count=len(numbers))
            client.xack(self._told.stream, self._told.group, *numbers)

    def _incoming(self, fields: Fields) -> Incoming:
        return incoming(
            unframed(fields.get(b"body", b"")),
            self.name,
            CHANNEL,
            control_id=_text(fields, b"id"),
            message_type=_text(fields, b"type"),
        )

    def _put_aside(self, together: Any, number: bytes, fields: Fields, receipt: Receipt) -> None:
        reason = "the entry has no field body" if b"body" not in fields else mask_text(receipt.reason)
        copy = {**fields, b"reason": reason[:_REASON_LENGTH], b"entry": number}
        if receipt.message_id is not None:
            copy[b"message_id"] = str(receipt.message_id)
        together.xadd(self._dead_letter, copy, maxlen=_SIDE_STREAM_LENGTH, approximate=True)

    def _answer(self, client: redis.Redis, fields: Fields, answer: bytes, receipt: Receipt) -> None:
        """To where the sender asked for it; an answer in our own stream would be answered again, without end."""
        goal = _text(fields, b"reply_to")
        if not goal or not answer or goal in (self._told.stream, self._dead_letter):
            return
        about = {"body": answer, "control_id": receipt.control_id, "state": receipt.state}
        if b"correlation_id" in fields:
            about["correlation_id"] = fields[b"correlation_id"]
        try:
            client.xadd(goal, about, maxlen=_SIDE_STREAM_LENGTH, approximate=True)  # type: ignore[arg-type]
        except redis.ResponseError:
            # No stream, or not ours to write to: the sender's mistake, which must not hold up its message.
            return

    def _leave(self, client: redis.Redis) -> None:
        """Take our name from the group unless entries hang on it."""
        pending: Any = client.xpending_range(
            self._told.stream, self._told.group, "-", "+", 1, consumername=self._consumer
        )
        if not pending:
            client.xgroup_delconsumer(self._told.stream, self._told.group, self._consumer)


class RedisStreamSender:
    """Adds one peer's messages to a stream, which keeps about `max_length` of them, read or not."""

    def __init__(self, server: Server, stream: str, max_length: int) -> None:
        self._server = server
        self._stream = stream
        self._max_length = max_length

    def send(self, raw: bytes) -> AckResult:
        """Add; AA once Redis has the entry. Raises `Unavailable`."""
        control_id = control_id_of(raw)
        with self._server.connected() as client:
            entry = {"body": raw, "id": control_id}
            client.xadd(self._stream, entry, maxlen=self._max_length, approximate=True)  # type: ignore[arg-type]
        return AckResult(acknowledge.ACCEPTED, control_id)


def _database(subject: str, place: Endpoint) -> int:
    number = place.path.strip("/") or "0"
    if not number.isdecimal():
        raise Misconfigured(f"{subject}: url ends with the number of the database, redis://host:port/0")
    return int(number)


def _text(fields: Fields, name: bytes) -> str:
    return fields.get(name, b"").decode(errors="replace")


def _why(error: redis.RedisError) -> str:
    """Redis names commands and keys, never values."""
    return (str(error) or type(error).__name__)[:_REASON_LENGTH]
