"""RabbitMQ in and out (AMQP 0-9-1 by pika).

In: what the broker already has for us is stored in one transaction, then acknowledged; killed in between, the broker gives
it again and the inbox recognises it. Refused messages go to a queue of their own, with the reason in a header. A sender that
names `reply_to` gets the acknowledgement there. Out: persistent, and sent only when the broker has confirmed.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPError, ChannelClosedByBroker, NackError, UnroutableError
from pika.spec import Basic, BasicProperties

from core.errors import Unavailable
from core.logs import mask_text
from hl7_engine import acknowledge
from hl7_engine.acknowledge import AckResult
from hl7_engine.connector import Accept, IsUp, in_parts, incoming, require_stored, worded
from hl7_engine.connectors import settings
from hl7_engine.connectors.settings import Endpoint
from hl7_engine.incoming import Incoming, Receipt
from hl7_engine.payload import unframed
from hl7_engine.sender import control_id_of
from hl7_engine.tls import client_context

CHANNEL = "rabbitmq"
SCHEMES = {"amqp": 5672, "amqps": 5671}
# Between two looks at `stop`, in seconds.
_LOOK_SECONDS = 0.5
_CONNECT_SECONDS = 10
_HEARTBEAT_SECONDS = 60
# A broker short of memory or disk takes nothing; after so long it counts as away.
_BLOCKED_SECONDS = 30
_PERSISTENT = 2
_NOT_FOUND = 404
_REASON_LENGTH = 500

# It logs a traceback for every failed try to connect; we tell once, in our own words.
logging.getLogger("pika").setLevel(logging.CRITICAL)

Delivery = tuple[Basic.Deliver, BasicProperties, bytes]


@dataclass(frozen=True)
class RabbitSettings:
    """One queue that we read. `exchange` and `routing_key` bind it, for senders that publish to an exchange."""

    name: str
    queue: str
    url: str = ""
    url_file: str = ""
    password_file: str = ""
    tls_ca: str = ""
    exchange: str = ""
    routing_key: str = ""
    dead_letter: str = ""
    prefetch: int = 100


@dataclass(frozen=True)
class Broker:
    """Where the broker is and what proves it; `tls_ca` is a file of certificates, empty for those of the system."""

    place: Endpoint
    tls_ca: str = ""

    @property
    def virtual_host(self) -> str:
        """The path of the URL without its first slash; `/` when there is none."""
        return unquote(self.place.path.removeprefix("/")) or "/"

    @contextmanager
    def connected(self, client: str) -> Iterator[pika.BlockingConnection]:
        """A connection that the broker's list shows as `client`. All that goes wrong with it is `Unavailable`."""
        connection: pika.BlockingConnection | None = None
        try:
            connection = pika.BlockingConnection(self._parameters(client))
            yield connection
        except (AMQPError, AMQPConnectorException, OSError) as error:
            raise Unavailable(f"RabbitMQ {self.place.text}: {_why(error)}") from error
        finally:
            if connection is not None and connection.is_open:
                _close(connection)

    def _parameters(self, client: str) -> pika.ConnectionParameters:
        place = self.place
        tls = None
        if place.scheme == "amqps":
            tls = pika.SSLOptions(client_context(self.tls_ca), place.host)
        return pika.ConnectionParameters(
            host=place.host,
            port=place.port,
            virtual_host=self.virtual_host,
            credentials=pika.PlainCredentials(place.user or "guest", place.password or "guest"),
            ssl_options=tls,
            heartbeat=_HEARTBEAT_SECONDS,
            blocked_connection_timeout=_BLOCKED_SECONDS,
            socket_timeout=_CONNECT_SECONDS,
            stack_timeout=2 * _CONNECT_SECONDS,
            client_properties={"connection_name": client},
        )


class RabbitConnector:
    """Reads one queue. Any number of processes may: the broker gives each message to one of them."""

    def __init__(self, told: RabbitSettings) -> None:
        """Raises `Misconfigured`."""
        subject = f"connector {told.name}"
        settings.require_positive(subject, prefetch=told.prefetch)
        url = settings.whole_url(subject, told.url, told.url_file, told.password_file)
        self.name = told.name
        self._told = told
        self._broker = Broker(settings.endpoint(subject, url, SCHEMES), told.tls_ca)
        self._dead_letter = told.dead_letter or f"{told.queue}.refused"

    def run(self, accept: Accept, stop: threading.Event, is_up: IsUp) -> None:
        """Take messages until `stop` is set. Raises `Unavailable`: what was not acknowledged comes again."""
        with self._broker.connected(f"cloudfilm {self.name}") as connection:
            self._declare(connection)
            taking, answering = connection.channel(), connection.channel()
            # Refused messages may be acknowledged when the broker has confirmed their copy.
            taking.confirm_delivery()
            taking.basic_qos(prefetch_count=self._told.prefetch)
            deliveries = taking.consume(self._told.queue, inactivity_timeout=_LOOK_SECONDS)
            is_up()
            for method, properties, body in deliveries:
                if method is not None:
                    batch = [(method, properties, body), *self._waiting(taking, deliveries)]
                    for part in in_parts(batch, lambda delivery: len(delivery[2])):
                        self._take(part, accept, taking, answering)
                if stop.is_set():
                    return

    def _declare(self, connection: pika.BlockingConnection) -> None:
        """Make the queues that are missing; those that an administrator made stay as they are, whatever their kind."""
        for queue in (self._told.queue, self._dead_letter):
            channel = connection.channel()
            try:
                channel.queue_declare(queue, passive=True)
            except ChannelClosedByBroker as error:
                if error.reply_code != _NOT_FOUND:
                    raise
                connection.channel().queue_declare(queue, durable=True)
        if self._told.exchange:
            channel = connection.channel()
            channel.queue_bind(self._told.queue, self._told.exchange, self._told.routing_key)

    def _waiting(
        self,
        channel: BlockingChannel,
        deliveries: Iterator[Delivery],
    ) -> Iterator[Delivery]:
        """What is already here, so that many messages share one commit."""
        for _ in range(self._told.prefetch - 1):
            if not channel.get_waiting_message_count():
                return
            yield next(deliveries)

    def _take(
        self,
        batch: Sequence[Delivery],
        accept: Accept,
        taking: BlockingChannel,
        answering: BlockingChannel,
    ) -> None:
        items = [self._incoming(properties, body) for _, properties, body in batch]
        receipts = accept(items)
        for (method, properties, body), item, receipt in zip(batch, items, receipts, strict=True):
            if receipt.state == "unavailable":
                continue
            if receipt.state == "refused":
                self._put_aside(taking, properties, body, receipt)
            self._answer(answering, properties, worded(item, receipt))
            taking.basic_ack(method.delivery_tag)
        require_stored(receipts)

    def _incoming(self, properties: BasicProperties, body: bytes) -> Incoming:
        control_id, message_type = properties.message_id or "", properties.type or ""
        return incoming(unframed(body), self.name, CHANNEL, control_id=control_id, message_type=message_type)

    def _put_aside(
        self, channel: BlockingChannel, properties: BasicProperties, body: bytes, receipt: Receipt
    ) -> None:
        reason = mask_text(receipt.reason)[:_REASON_LENGTH]
        headers = {**(properties.headers or {}), "x-reason": reason, "x-message-id": receipt.message_id}
        copy = BasicProperties(
            delivery_mode=_PERSISTENT,
            headers=headers,
            content_type=properties.content_type,
            message_id=properties.message_id,
            type=properties.type,
        )
        channel.basic_publish("", self._dead_letter, body, copy, mandatory=True)

    def _answer(self, channel: BlockingChannel, properties: BasicProperties, answer: bytes) -> None:
        """To where the sender asked for it; an answer to our own queue would be answered again, without end."""
        if not properties.reply_to or not answer or properties.reply_to == self._told.queue:
            return
        about = BasicProperties(correlation_id=properties.correlation_id or properties.message_id)
        channel.basic_publish("", properties.reply_to, answer, about)


class RabbitSender:
    """Publishes one peer's messages; a connection for each, for they are few and a fresh one cannot be a dead one."""

    def __init__(self, broker: Broker, exchange: str, routing_key: str) -> None:
        """To the queue named `routing_key` when `exchange` is empty."""
        self._broker = broker
        self._exchange = exchange
        self._routing_key = routing_key

    def send(self, raw: bytes) -> AckResult:
        """Publish; AA once the broker has confirmed that it keeps the message. Raises `Unavailable`."""
        control_id = control_id_of(raw)
        properties = BasicProperties(
            delivery_mode=_PERSISTENT,
            content_type="application/hl7-v2",
            message_id=control_id,
            app_id="cloudfilm",
        )
        where = f"RabbitMQ {self._broker.place.text}"
        with self._broker.connected("cloudfilm") as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            try:
                channel.basic_publish(self._exchange, self._routing_key, raw, properties, mandatory=True)
            except UnroutableError:
                goal = f"{self._exchange or 'queue'} {self._routing_key}".strip()
                raise Unavailable(f"{where} has no queue for {goal}: the message was not taken") from None
            except NackError:
                raise Unavailable(f"{where} did not confirm the message") from None
        return AckResult(acknowledge.ACCEPTED, control_id)


def _why(error: BaseException) -> str:
    """What lies at the bottom: pika wraps errors in others without a text. What the broker said names no message."""
    inner = getattr(error, "exception", None) or (error.args[0] if error.args else None)
    if isinstance(inner, BaseException):
        return _why(inner)
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return str(error) or type(error).__name__


def _close(connection: pika.BlockingConnection) -> None:
    try:
        connection.close()
    except (AMQPError, OSError):
        # It broke while closing; nothing that matters was under way.
        return
