"""A real RabbitMQ: nothing is acknowledged before it is stored, and nothing that is stored comes twice."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError
from pika.spec import BasicProperties

from core import alarms
from core.db import database as bound_database
from core.errors import Unavailable
from core.failpoints import KILLED
from core.models import InboundMessage
from crypto.local_keyring import LocalKeyring
from hl7_engine import connector
from hl7_engine.connectors import registry, senders
from hl7_engine.connectors.rabbitmq import RabbitConnector
from hl7_engine.site import Peer, Site
from simulators.his_messages import omg_o19
from tests.fixtures.certificates import Certificate
from tests.fixtures.rabbitmq_server import RabbitServer
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
_numbers = count(1)

Build = Callable[..., RabbitConnector]


@pytest.fixture
def channel(rabbitmq_server: RabbitServer) -> Iterator[BlockingChannel]:
    """The other side: what a HIS does at the broker."""
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq_server.url))
    yield connection.channel()
    # A test may have ended the broker, or the broker the connection.
    with suppress(AMQPError):
        connection.close()


@pytest.fixture
def queue() -> str:
    return f"his.out.{next(_numbers)}"


@pytest.fixture
def table(rabbitmq_server: RabbitServer, queue: str) -> dict[str, Any]:
    return {"kind": "rabbitmq", "name": "his-rabbit", "url": rabbitmq_server.url, "queue": queue}


@pytest.fixture
def build(table: dict[str, Any]) -> Build:
    return lambda **others: registry.build({**table, **others})  # type: ignore[return-value]


def publish(channel: BlockingChannel, queue: str, *bodies: bytes, **properties: Any) -> None:
    channel.queue_declare(queue, durable=True)
    for body in bodies:
        channel.basic_publish("", queue, body, BasicProperties(delivery_mode=2, **properties))


def left_in(channel: BlockingChannel, queue: str) -> int:
    """Messages that nobody has; call when no consumer is there, and it counts unacknowledged ones too."""
    return channel.queue_declare(queue, passive=True).method.message_count


def test_messages_are_taken_in_order_and_acknowledged(
    channel: BlockingChannel, queue: str, build: Build, memory_inbox: MemoryInbox
) -> None:
    bodies = [b"MSH|%d" % number for number in range(40)]
    publish(channel, queue, *bodies, message_id="A7", type="ADT^A08")
    with running(build(), accept=memory_inbox.accept):
        wait_until(lambda: len(memory_inbox.taken) == 40, WAIT_SECONDS, "40 messages")
    assert memory_inbox.contents == bodies
    assert left_in(channel, queue) == 0
    first = memory_inbox.taken[0]
    assert (first.channel, first.peer, first.address) == ("rabbitmq", "his-rabbit", "his-rabbit")
    assert (first.format, first.control_id, first.message_type) == ("er7", "A7", "ADT^A08")


def test_what_is_there_shares_a_commit_but_not_more_than_prefetch(
    channel: BlockingChannel, queue: str, build: Build, memory_inbox: MemoryInbox
) -> None:
    publish(channel, queue, *[b"MSH|%d" % number for number in range(40)])
    with running(build(prefetch=8), accept=memory_inbox.accept):
        wait_until(lambda: len(memory_inbox.taken) == 40, WAIT_SECONDS, "40 messages")
    sizes = [len(call) for call in memory_inbox.calls]
    assert max(sizes) <= 8
    assert len(sizes) < 40


def test_what_shares_a_commit_is_limited_in_bytes_and_acknowledged_by_parts(
    channel: BlockingChannel,
    queue: str,
    build: Build,
    memory_inbox: MemoryInbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connector, "_COMMIT_BYTES", 20)
    publish(channel, queue, *[b"MSH|%06d" % number for number in range(9)], b"\x0bMSH|block\x1c\r")
    with running(build(), accept=memory_inbox.accept):
        wait_until(lambda: len(memory_inbox.taken) == 10, WAIT_SECONDS, "10 messages")
    assert max(len(call) for call in memory_inbox.calls) <= 2
    assert memory_inbox.contents[-1] == b"MSH|block"
    assert left_in(channel, queue) == 0


def test_refused_message_goes_to_the_dead_letters_with_its_reason(
    channel: BlockingChannel, queue: str, build: Build, memory_inbox: MemoryInbox
) -> None:
    publish(channel, queue, b"no HL7", b"MSH|good", message_id="7", headers={"from": "his"})
    with running(build(), accept=memory_inbox.accept):
        wait_until(lambda: len(memory_inbox.states) == 2, WAIT_SECONDS, "both messages")
    assert left_in(channel, queue) == 0
    _, properties, body = channel.basic_get(f"{queue}.refused", auto_ack=True)
    assert body == b"no HL7"
    assert properties.headers == {"from": "his", "x-reason": "no message header", "x-message-id": 1}
    assert (properties.message_id, properties.delivery_mode) == ("7", 2)
    assert left_in(channel, f"{queue}.refused") == 0


def test_what_cannot_be_stored_stays_and_is_tried_again_with_one_alarm(
    channel: BlockingChannel, queue: str, build: Build, memory_inbox: MemoryInbox
) -> None:
    memory_inbox.failures = 3
    publish(channel, queue, b"MSH|1", b"MSH|2")
    with running(build(), accept=memory_inbox.accept):
        wait_until(lambda: memory_inbox.contents == [b"MSH|1", b"MSH|2"], WAIT_SECONDS, "both messages")
    assert memory_inbox.states == ["stored", "stored"]
    assert left_in(channel, queue) == 0
    assert alarms.open_alarms(connector.CONNECTOR_AWAY) == []


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"MSH|1", b"MSH|ACK MSH|1"),
        (b"no HL7", b"MSH|ACK no HL7"),
        (b'{"action": "x"}', b'{"state": "stored", "control_id": "C1", "reason": ""}'),
        (b"<PRPA_IN201311UV02/>", b'<acknowledgement typeCode="AA">'),
    ],
)
def test_sender_that_asks_for_an_answer_gets_it(
    channel: BlockingChannel, queue: str, build: Build, memory_inbox: MemoryInbox, body: bytes, answer: bytes
) -> None:
    answers: list[tuple[str, bytes]] = []
    channel.basic_consume(
        "amq.rabbitmq.reply-to",
        lambda _channel, _method, properties, found: answers.append((properties.correlation_id, found)),
        auto_ack=True,
    )
    publish(channel, queue, body, reply_to="amq.rabbitmq.reply-to", correlation_id="question 1")
    with running(build(), accept=memory_inbox.accept):
        wait_until(lambda: channel.connection.process_data_events(0) or answers, WAIT_SECONDS, "the answer")
    ((correlation_id, found),) = answers
    assert correlation_id == "question 1"
    assert answer in found


def test_answer_never_goes_back_into_the_queue_that_is_read(
    channel: BlockingChannel, queue: str, build: Build, memory_inbox: MemoryInbox
) -> None:
    publish(channel, queue, b"MSH|1", reply_to=queue)
    publish(channel, queue, b"MSH|2", reply_to="no such queue")
    with running(build(), accept=memory_inbox.accept):
        wait_until(lambda: len(memory_inbox.taken) == 2, WAIT_SECONDS, "both messages")
    assert left_in(channel, queue) == 0
    assert memory_inbox.contents == [b"MSH|1", b"MSH|2"]


def test_several_readers_share_a_queue(
    channel: BlockingChannel, queue: str, build: Build, memory_inbox: MemoryInbox
) -> None:
    bodies = [b"MSH|%d" % number for number in range(200)]
    publish(channel, queue, *bodies)
    with running(build(prefetch=5), build(prefetch=5), accept=memory_inbox.accept):
        wait_until(lambda: len(memory_inbox.states) == 200, WAIT_SECONDS, "200 messages")
    assert sorted(memory_inbox.contents) == sorted(bodies)
    assert set(memory_inbox.states) == {"stored"}
    assert left_in(channel, queue) == 0


def test_broker_that_comes_back_is_read_again(
    rabbitmq_server: RabbitServer,
    channel: BlockingChannel,
    queue: str,
    build: Build,
    memory_inbox: MemoryInbox,
) -> None:
    publish(channel, queue, b"MSH|before")
    with running(build(), accept=memory_inbox.accept):
        wait_until(lambda: memory_inbox.contents == [b"MSH|before"], WAIT_SECONDS, "the first message")
        rabbitmq_server.stop()
        try:
            wait_until(lambda: alarms.open_alarms(connector.CONNECTOR_AWAY), WAIT_SECONDS, "an alarm")
        finally:
            rabbitmq_server.start()
        with pika.BlockingConnection(pika.URLParameters(rabbitmq_server.url)) as connection:
            publish(connection.channel(), queue, b"MSH|after")
            wait_until(lambda: len(memory_inbox.taken) == 2, WAIT_SECONDS, "the second message")
        wait_until(lambda: not alarms.open_alarms(), WAIT_SECONDS, "the end of the alarm")
    (alarm,) = alarms.Alarm.select()
    assert alarm.subject == "his-rabbit"
    assert "RabbitMQ 127.0.0.1" in alarm.text


def test_queue_that_was_deleted_is_made_again(
    channel: BlockingChannel, queue: str, build: Build, memory_inbox: MemoryInbox
) -> None:
    publish(channel, queue, b"MSH|1")
    with running(build(), accept=memory_inbox.accept):
        wait_until(lambda: memory_inbox.taken, WAIT_SECONDS, "the first message")
        channel.queue_delete(queue)
        wait_until(
            lambda: channel.basic_publish("", queue, b"MSH|2") or len(memory_inbox.taken) == 2,
            WAIT_SECONDS,
            "a message of the new queue",
        )


def test_killed_between_commit_and_acknowledgement_the_message_is_recognised(
    channel: BlockingChannel,
    queue: str,
    table: dict[str, Any],
    build: Build,
    database_url: str,
    keyring: LocalKeyring,
    tmp_path: Path,
) -> None:
    publish(channel, queue, ORDER)
    keys = str(keyring._vault.database.path)
    arguments = [json.dumps(table), database_url, keys, str(tmp_path / "home"), "hl7.before_ack:1"]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.wire.taking_process", *arguments],
        cwd=ROOT,
        check=False,
        timeout=WAIT_SECONDS,
    )
    assert ended.returncode == KILLED
    assert InboundMessage.select().count() == 1
    states: list[str] = []
    into_inbox = connector.into_inbox(Site())

    def accept(items: Any) -> Any:
        receipts = into_inbox(items)
        states.extend(receipt.state for receipt in receipts)
        return receipts

    with running(build(), accept=accept):
        wait_until(lambda: states, WAIT_SECONDS, "the message again")
    assert states == ["known"]
    assert left_in(channel, queue) == 0
    row = InboundMessage.get()
    assert (row.channel, row.address, row.peer, row.body) == ("rabbitmq", "his-rabbit", "HIS|HOSPITAL", ORDER)


def test_database_that_is_away_leaves_the_message_at_the_broker(
    channel: BlockingChannel, queue: str, build: Build
) -> None:
    bound_database.execute_sql("ALTER TABLE inbound_message RENAME TO gone")
    publish(channel, queue, ORDER)
    failed: list[str] = []
    into_inbox = connector.into_inbox(Site())

    def accept(items: Any) -> Any:
        receipts = into_inbox(items)
        failed.extend(receipt.state for receipt in receipts if receipt.state == "unavailable")
        return receipts

    with running(build(), accept=accept):
        wait_until(lambda: len(failed) > 1, WAIT_SECONDS, "two tries")
        bound_database.execute_sql("ALTER TABLE gone RENAME TO inbound_message")
        wait_until(lambda: InboundMessage.select().count(), WAIT_SECONDS, "the row")
    assert left_in(channel, queue) == 0


def test_queue_of_another_kind_is_used_as_it_is_and_bound(
    channel: BlockingChannel, queue: str, build: Build, memory_inbox: MemoryInbox
) -> None:
    channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
    channel.exchange_declare("his.events", "topic", durable=True)
    with running(build(exchange="his.events", routing_key="order.*"), accept=memory_inbox.accept):
        wait_until(
            lambda: channel.basic_publish("his.events", "order.new", b"MSH|1") or memory_inbox.contents,
            WAIT_SECONDS,
            "a message of the exchange",
        )
    assert set(memory_inbox.contents) == {b"MSH|1"}


def peer(rabbitmq_server: RabbitServer, options: str) -> Peer:
    return Peer(name="HIS", send_to=f"{rabbitmq_server.url}/%2F?{options}")


def test_sent_message_is_persistent_and_counts_as_accepted_when_confirmed(
    rabbitmq_server: RabbitServer, channel: BlockingChannel, queue: str
) -> None:
    channel.queue_declare(queue, durable=True)
    answer = senders.build_sender(peer(rabbitmq_server, f"queue={queue}"), 5).send(ORDER)
    assert (answer.code, answer.control_id) == ("AA", "M1")
    _, properties, body = channel.basic_get(queue, auto_ack=True)
    assert (body, properties.delivery_mode, properties.message_id) == (ORDER, 2, "M1")


def test_message_that_no_queue_takes_is_not_sent(
    rabbitmq_server: RabbitServer, channel: BlockingChannel
) -> None:
    channel.exchange_declare("unbound", "direct", durable=True)
    for options, goal in (
        ("queue=nowhere", "queue nowhere"),
        ("exchange=unbound&routing_key=a", "unbound a"),
    ):
        with pytest.raises(Unavailable, match=f"has no queue for {goal}"):
            senders.build_sender(peer(rabbitmq_server, options), 5).send(ORDER)


def test_missing_exchange_and_wrong_password_are_told(rabbitmq_server: RabbitServer, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no exchange 'nowhere'"):
        senders.build_sender(peer(rabbitmq_server, "exchange=nowhere"), 5).send(ORDER)
    password = tmp_path / "password"
    password.write_text("wrong\n")
    wrong = Peer(
        name="HIS",
        send_to=f"amqp://guest@127.0.0.1:{rabbitmq_server.port}/?queue=a&password_file={password}",
    )
    with pytest.raises(Unavailable, match="ACCESS_REFUSED"):
        senders.build_sender(wrong, 5).send(ORDER)


def test_broker_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable, match=r"RabbitMQ 127.0.0.1:1: Connection refused"):
        senders.build_sender(Peer(name="HIS", send_to="amqp://127.0.0.1:1/?queue=a"), 5).send(ORDER)


def test_tls_is_spoken_and_the_broker_verified(
    rabbitmq_server: RabbitServer,
    queue: str,
    channel: BlockingChannel,
    build: Build,
    server_certificate: Certificate,
    other_certificate: Certificate,
    memory_inbox: MemoryInbox,
) -> None:
    url = f"amqps://127.0.0.1:{rabbitmq_server.tls_port}"
    channel.queue_declare(queue, durable=True)
    peer = Peer(name="HIS", send_to=f"{url}/?queue={queue}", tls_ca=str(server_certificate.certificate))
    assert senders.build_sender(peer, 5).send(ORDER).code == "AA"
    with running(build(url=url, tls_ca=str(server_certificate.certificate)), accept=memory_inbox.accept):
        wait_until(lambda: memory_inbox.contents == [ORDER], WAIT_SECONDS, "the message")
    stranger = replace(peer, tls_ca=str(other_certificate.certificate))
    with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        senders.build_sender(stranger, 5).send(ORDER)
