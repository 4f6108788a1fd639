"""From a peer's `send_to` to the sender that delivers there.

| send_to | goes to |
|---|---|
| `host:port`, `mllp://host:port` | MLLP |
| `amqp://user@host/vhost?queue=NAME` or `?exchange=NAME&routing_key=KEY` (`amqps://` with TLS) | RabbitMQ |
| `redis://host/STREAM?database=0&max_length=100000` (`rediss://` with TLS) | Redis stream |

A password is in a file: `&password_file=/path`.
"""

from urllib.parse import parse_qsl, unquote

from core.config import host_and_port
from core.errors import Misconfigured
from hl7_engine import tls
from hl7_engine.connectors import rabbitmq, redis_streams, settings
from hl7_engine.connectors.rabbitmq import Broker, RabbitSender
from hl7_engine.connectors.redis_streams import RedisStreamSender, Server
from hl7_engine.sender import MllpSender, Sender
from hl7_engine.site import Peer

# What nobody reads is cut from the stream when it is longer.
_MAX_LENGTH = 100_000
_PASSWORD_FILE = "password_file"  # noqa: S105 — the name of a setting


def build_sender(peer: Peer, timeout: float) -> Sender:
    """The sender for `peer.send_to`; `timeout` in seconds, for MLLP. Raises `Misconfigured` naming the peer."""
    scheme, mark, rest = peer.send_to.partition("://")
    if not mark or scheme == "mllp":
        secured = tls.client_context(peer.tls_ca) if peer.tls else None
        return MllpSender(host_and_port(rest if mark else peer.send_to), timeout, secured)
    subject = f"peer {peer.name}: send_to"
    if scheme in rabbitmq.SCHEMES:
        return _rabbit(subject, peer)
    if scheme in redis_streams.SCHEMES:
        return _redis(subject, peer)
    raise Misconfigured(f"{subject}: {scheme}:// is not known: use host:port, amqp:// or redis://")


def _rabbit(subject: str, peer: Peer) -> Sender:
    url, options = _split(subject, peer.send_to, {"queue", "exchange", "routing_key"})
    if ("queue" in options) == ("exchange" in options):
        raise Misconfigured(f"{subject}: give ?queue=NAME, or ?exchange=NAME with &routing_key=KEY")
    broker = Broker(settings.endpoint(subject, url, rabbitmq.SCHEMES), peer.tls_ca)
    key = options.get("queue") or options.get("routing_key", "")
    return RabbitSender(broker, options.get("exchange", ""), key)


def _redis(subject: str, peer: Peer) -> Sender:
    url, options = _split(subject, peer.send_to, {"database", "max_length"})
    place = settings.endpoint(subject, url, redis_streams.SCHEMES)
    stream = unquote(place.path.removeprefix("/"))
    if not stream:
        raise Misconfigured(f"{subject}: name the stream, redis://host:port/STREAM")
    server = Server(place, _number(subject, options, "database", 0), peer.tls_ca)
    return RedisStreamSender(server, stream, _number(subject, options, "max_length", _MAX_LENGTH))


def _split(subject: str, send_to: str, known: set[str]) -> tuple[str, dict[str, str]]:
    """The URL without its options but with its password, and the options."""
    parts = settings.split_url(subject, send_to)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    password_file = options.pop(_PASSWORD_FILE, "")
    unknown = sorted(set(options) - known)
    if unknown:
        known_names = ", ".join(sorted({*known, _PASSWORD_FILE}))
        raise Misconfigured(f"{subject}: unknown option {', '.join(unknown)}; known: {known_names}")
    return settings.whole_url(subject, parts._replace(query="").geturl(), "", password_file), options


def _number(subject: str, options: dict[str, str], name: str, default: int) -> int:
    told = options.get(name, "")
    if told and not told.isdecimal():
        raise Misconfigured(f"{subject}: {name} is {told!r}: a whole number is needed")
    return int(told) if told else default
