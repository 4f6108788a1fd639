"""A real Redis: an entry is acknowledged when it is stored, whoever of the group took it first."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from core import alarms
from core.errors import Unavailable
from core.failpoints import KILLED
from core.models import InboundMessage
from crypto.local_keyring import LocalKeyring
from hl7_engine import connector
from hl7_engine.connectors import registry, senders
from hl7_engine.connectors.redis_streams import RedisConnector
from hl7_engine.incoming import Incoming, Receipt
from hl7_engine.site import Peer, Site
from simulators.his_messages import omg_o19
from tests.fixtures.certificates import Certificate
from tests.fixtures.redis_server import RedisServer
from tests.fixtures.taking import WAIT_SECONDS, MemoryInbox, running
from tests.fixtures.waiting import wait_until
from tests.unit.hl7_engine.samples import EXAM, PATIENT, envelope

pytestmark = [
    pytest.mark.requirement("P2", "P6"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    pytest.mark.usefixtures("database", "short_pauses"),
]

ROOT = Path(__file__).resolve().parents[2]
ORDER = omg_o19(PATIENT, EXAM, envelope("M1"))
STREAM = "his:out"
GROUP = "cloudfilm"
REFUSED = "his:out.refused"

Build = Callable[..., RedisConnector]


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """The other side: what a HIS does with Redis."""
    with redis.Redis.from_url(redis_url, protocol=2) as client:
        yield client


@pytest.fixture
def table(redis_url: str) -> dict[str, Any]:
    return {"kind": "redis", "name": "his-redis", "url": redis_url, "stream": STREAM}


@pytest.fixture
def build(table: dict[str, Any]) -> Build:
    return lambda **others: registry.build({**table, **others})  # type: ignore[return-value]


def add(client: redis.Redis, *bodies: bytes, **fields: Any) -> None:
    for body in bodies:
        client.xadd(STREAM, {"body": body, **fields})


def pending(client: redis.Redis) -> int:
    summary: Any = client.xpending(STREAM, GROUP)
    number: int = summary["pending"]
    return number


def entries(client: redis.Redis, stream: str) -> list[dict[bytes, bytes]]:
    found: Any = client.xrange(stream)
    return [fields for _, fields in found]


def test_entries_are_taken_in_order_and_acknowledged(
    client: redis.Redis, build: Build, memory_inbox: MemoryInbox
) -> None:
    bodies = [b"MSH|%d" % number for number in range(250)]
    add(client, *bodies, id="A7", type="ADT^A08")
    with running(build(), accept=memory_inbox.accept):
        wait_until(lambda: len(memory_inbox.taken) == 250, WAIT_SECONDS, "250 messages")
    assert memory_inbox.contents == bodies
    assert [len(call) for call in memory_inbox.calls] == [100, 100, 50]
    assert pending(client) == 0
    assert client.xlen(STREAM) == 250
    first = memory_inbox.taken[0]
    assert (first.channel, first.peer, first.address) == ("redis", "his-redis", "his-redis")
    assert (first.format, first.control_id, first.message_type) == ("er7", "A7", "ADT^A08")


def test_what_shares_a_commit_is_limited_in_bytes_and_acknowledged_by_parts(
    client: redis.Redis, build: Build, memory_inbox: MemoryInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector, "_COMMIT_BYTES", 22)
    add(client, *[b"MSH|%06d" % number for number in range(9)], b"\x0bMSH|block\x1c\r")
    stored: list[int] = []

    def accept(items: Sequence[Incoming]) -> list[Receipt]:
        stored.append(pending(client))
        return memory_inbox.accept(items)

    with running(build(), accept=accept):
        wait_until(lambda: len(memory_inbox.taken) == 10, WAIT_SECONDS, "10 messages")
    assert [len(call) for call in memory_inbox.calls] == [2, 2, 2, 2, 2]
    assert stored == [10, 8, 6, 4, 2], "each part is acknowledged before the next is stored"
    assert memory_inbox.contents[-1] == b"MSH|block"


def test_consumer_that_ends_leaves_no_name(
    client: redis.Redis, build: Build, memory_inbox: MemoryInbox
) -> None:
    with running(build(), accept=memory_inbox.accept):
        add(client, b"MSH|1")
        wait_until(lambda: memory_inbox.taken, WAIT_SECONDS, "the message")
    assert client.xinfo_consumers(STREAM, GROUP) == []


def test_taken_entries_are_deleted_when_the_site_wants_it(
    client: redis.Redis, build: Build, memory_inbox: MemoryInbox
) -> None:
    add(client, b"MSH|1", b"no HL7")
    with running(build(delete_taken=True), accept=memory_inbox.accept):
        wait_until(lambda: client.xlen(STREAM) == 0, WAIT_SECONDS, "an empty stream")
    assert memory_inbox.contents == [b"MSH|1"]
    assert len(entries(client, REFUSED)) == 1


def test_refused_entries_are_copied_with_their_reason(
    client: redis.Redis, build: Build, memory_inbox: MemoryInbox
) -> None:
    add(client, b"no HL7", b"MSH|good", source="his")
    client.xadd(STREAM, {"text": "in a field of another name"})
    with running(build(), accept=memory_inbox.accept):
        wait_until(lambda: len(memory_inbox.states) == 3, WAIT_SECONDS, "all three")
    assert pending(client) == 0
    first, second = entries(client, REFUSED)
    assert (first[b"body"], first[b"source"], first[b"reason"]) == (b"no HL7", b"his", b"no message header")
    assert first[b"message_id"] == b"1"
    assert (second[b"text"], second[b"reason"]) == (
        b"in a field of another name",
        b"the entry has no field body",
    )


def test_what_cannot_be_stored_stays_pending_and_is_tried_again(
    client: redis.Redis, build: Build, memory_inbox: MemoryInbox
) -> None:
    memory_inbox.failures = 3
    add(client, b"MSH|1", b"MSH|2")
    with running(build(), accept=memory_inbox.accept):
        wait_until(lambda: memory_inbox.contents == [b"MSH|1", b"MSH|2"], WAIT_SECONDS, "both messages")
    assert len(memory_inbox.calls) == 4
    assert pending(client) == 0
    assert alarms.open_alarms(connector.CONNECTOR_AWAY) == []


def test_only_what_is_stored_is_acknowledged(client: redis.Redis, build: Build) -> None:
    def accept(items: Any) -> list[Receipt]:
        return [Receipt("unavailable" if item.content == b"MSH|2" else "stored") for item in items]

    add(client, b"MSH|1", b"MSH|2", b"MSH|3")
    with running(build(), accept=accept):
        wait_until(lambda: alarms.open_alarms(connector.CONNECTOR_AWAY), WAIT_SECONDS, "an alarm")
    (left,) = client.xpending_range(STREAM, GROUP, "-", "+", 10)  # type: ignore[misc]
    ((_, fields),) = client.xrange(STREAM, left["message_id"], left["message_id"])  # type: ignore[misc]
    assert fields[b"body"] == b"MSH|2"


def test_sender_that_asks_for_an_answer_gets_it(
    client: redis.Redis, build: Build, memory_inbox: MemoryInbox
) -> None:
    client.set("no stream", "text")
    add(client, b"MSH|1", reply_to="his:answers", correlation_id="q1")
    add(client, b'{"action": "x"}', reply_to="his:answers")
    add(client, b"MSH|2", reply_to="no stream")
    add(client, b"MSH|3", reply_to=STREAM)
    with running(build(), accept=memory_inbox.accept):
        wait_until(lambda: len(memory_inbox.taken) == 4, WAIT_SECONDS, "four messages")
        wait_until(lambda: pending(client) == 0, WAIT_SECONDS, "four acknowledgements")
    first, second = entries(client, "his:answers")
    assert first == {
        b"body": b"MSH|ACK MSH|1",
        b"control_id": b"C1",
        b"state": b"stored",
        b"correlation_id": b"q1",
    }
    assert json.loads(second[b"body"]) == {"state": "stored", "control_id": "C1", "reason": ""}
    assert client.xlen(STREAM) == 4


def test_several_readers_share_a_group(client: redis.Redis, build: Build, memory_inbox: MemoryInbox) -> None:
    bodies = [b"MSH|%d" % number for number in range(300)]
    with running(build(batch=5), build(batch=5), build(batch=5), accept=memory_inbox.accept):
        add(client, *bodies)
        wait_until(lambda: len(memory_inbox.states) == 300, WAIT_SECONDS, "300 messages")
    assert sorted(memory_inbox.contents) == sorted(bodies)
    assert set(memory_inbox.states) == {"stored"}
    assert pending(client) == 0


def test_entries_of_a_dead_consumer_are_claimed(
    client: redis.Redis, build: Build, memory_inbox: MemoryInbox
) -> None:
    add(client, b"MSH|1", b"MSH|2", b"MSH|3")
    client.xgroup_create(STREAM, GROUP, id="0")
    client.xreadgroup(GROUP, "dead", {STREAM: ">"}, count=2)
    with running(build(claim_after_seconds=1), accept=memory_inbox.accept):
        wait_until(lambda: len(memory_inbox.taken) == 3, WAIT_SECONDS, "three messages")
    assert sorted(memory_inbox.contents) == [b"MSH|1", b"MSH|2", b"MSH|3"]
    assert pending(client) == 0


def test_entries_cut_before_they_were_stored_hold_nothing_up(
    client: redis.Redis, build: Build, memory_inbox: MemoryInbox
) -> None:
    memory_inbox.failures = 10**6
    add(client, b"MSH|1", b"MSH|2")
    with running(build(), accept=memory_inbox.accept):
        wait_until(lambda: len(memory_inbox.calls) > 1, WAIT_SECONDS, "two tries")
        client.xtrim(STREAM, minid=client.xadd(STREAM, {"body": b"MSH|3"}), approximate=False)
        memory_inbox.failures = 0
        wait_until(lambda: memory_inbox.taken, WAIT_SECONDS, "the third")
        wait_until(lambda: pending(client) == 0, WAIT_SECONDS, "nothing pending")
    assert memory_inbox.contents == [b"MSH|3"]


def test_server_that_comes_back_is_read_again(
    durable_redis: RedisServer, table: dict[str, Any], memory_inbox: MemoryInbox
) -> None:
    reader = registry.build({**table, "url": durable_redis.url})
    with redis.Redis(port=durable_redis.port) as client:
        add(client, b"MSH|before")
        with running(reader, accept=memory_inbox.accept):
            wait_until(lambda: memory_inbox.taken, WAIT_SECONDS, "the first message")
            durable_redis.stop()
            wait_until(lambda: alarms.open_alarms(connector.CONNECTOR_AWAY), WAIT_SECONDS, "an alarm")
            durable_redis.start()
            add(client, b"MSH|after")
            wait_until(lambda: len(memory_inbox.taken) == 2, WAIT_SECONDS, "the second message")
            wait_until(lambda: not alarms.open_alarms(), WAIT_SECONDS, "the end of the alarm")
    assert memory_inbox.states == ["stored", "stored"]


def test_server_that_forgot_the_group_is_read_from_the_start(
    client: redis.Redis, build: Build, memory_inbox: MemoryInbox
) -> None:
    with running(build(), accept=memory_inbox.accept):
        add(client, b"MSH|1")
        wait_until(lambda: memory_inbox.taken, WAIT_SECONDS, "the first message")
        client.flushall()
        add(client, b"MSH|2")
        wait_until(lambda: len(memory_inbox.taken) == 2, WAIT_SECONDS, "the second message")


def test_killed_between_commit_and_acknowledgement_the_message_is_recognised(
    client: redis.Redis,
    table: dict[str, Any],
    build: Build,
    database_url: str,
    keyring: LocalKeyring,
    tmp_path: Path,
) -> None:
    add(client, ORDER)
    arguments = [
        json.dumps(table),
        database_url,
        str(keyring._vault.database.path),
        str(tmp_path),
        "hl7.before_ack:1",
    ]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.wire.taking_process", *arguments],
        cwd=ROOT,
        check=False,
        timeout=WAIT_SECONDS,
    )
    assert ended.returncode == KILLED
    assert InboundMessage.select().count() == 1
    assert pending(client) == 1
    states: list[str] = []
    into_inbox = connector.into_inbox(Site())

    def accept(items: Any) -> list[Receipt]:
        receipts = into_inbox(items)
        states.extend(receipt.state for receipt in receipts)
        return receipts

    with running(build(claim_after_seconds=1), accept=accept):
        wait_until(lambda: states, WAIT_SECONDS, "the message again")
    assert states == ["known"]
    assert pending(client) == 0
    row = InboundMessage.get()
    assert (row.channel, row.address, row.peer, row.body) == ("redis", "his-redis", "HIS|HOSPITAL", ORDER)


def test_sent_message_is_an_entry_of_the_stream(client: redis.Redis, redis_url: str) -> None:
    sender = senders.build_sender(Peer(name="HIS", send_to=f"{redis_url.removesuffix('/0')}/his%3Ain"), 5)
    answer = sender.send(ORDER)
    assert (answer.code, answer.control_id) == ("AA", "M1")
    assert entries(client, "his:in") == [{b"body": ORDER, b"id": b"M1"}]


def test_stream_of_sent_messages_is_kept_short(client: redis.Redis, redis_url: str) -> None:
    sender = senders.build_sender(
        Peer(name="HIS", send_to=f"{redis_url.removesuffix('/0')}/in?database=1&max_length=20"), 5
    )
    for _ in range(60):
        sender.send(ORDER)
    client.select(1)
    # About: Redis cuts off whole nodes of a few entries.
    assert 20 <= int(client.xlen("in")) < 40  # type: ignore[arg-type]


def test_server_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable, match=r"Redis 127.0.0.1:1: "):
        senders.build_sender(Peer(name="HIS", send_to="redis://127.0.0.1:1/in"), 5).send(ORDER)


def test_tls_is_spoken_and_the_server_verified(
    tls_redis: RedisServer,
    server_certificate: Certificate,
    other_certificate: Certificate,
    memory_inbox: MemoryInbox,
) -> None:
    url = f"rediss://127.0.0.1:{tls_redis.port}"
    table = {"kind": "redis", "name": "his-redis", "url": url, "stream": STREAM}
    peer = Peer(name="HIS", send_to=f"{url}/{STREAM}", tls_ca=str(server_certificate.certificate))
    assert senders.build_sender(peer, 5).send(ORDER).code == "AA"
    with running(
        registry.build({**table, "tls_ca": str(server_certificate.certificate)}), accept=memory_inbox.accept
    ):
        wait_until(lambda: memory_inbox.contents == [ORDER], WAIT_SECONDS, "the message")
    stranger = replace(peer, tls_ca=str(other_certificate.certificate))
    with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        senders.build_sender(stranger, 5).send(ORDER)
