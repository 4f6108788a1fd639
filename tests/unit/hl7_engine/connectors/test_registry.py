"""The site file's tables become connectors and senders, or a clear word about what is wrong; secrets stay in files."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from core.errors import Misconfigured
from hl7_engine.connectors import registry, senders
from hl7_engine.connectors.rabbitmq import RabbitConnector, RabbitSender
from hl7_engine.connectors.redis_streams import RedisConnector, RedisStreamSender
from hl7_engine.sender import MllpSender
from hl7_engine.site import Peer

pytestmark = pytest.mark.requirement("P2", "P6")

RABBIT = {"kind": "rabbitmq", "name": "r", "url": "amqp://his@mq/%2F", "queue": "out"}
REDIS = {"kind": "redis", "name": "s", "url": "redis://mq:6380/3", "stream": "out"}

VIEW = {
    "kind": "view",
    "name": "v",
    "view": "v",
    "watermark": "w",
    "watermark_type": "number",
    "start": "0",
    "action": "CancelOrder",
    "columns": {"accession_number": "a"},
}


@pytest.fixture
def password(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text("p@ss/w:rd\n", encoding="utf-8")
    return str(path)


def test_each_kind_is_built() -> None:
    built = registry.build_all((RABBIT, REDIS, {"kind": "folder", "name": "f", "path": "/in"}))
    assert [one.name for one in built] == ["r", "s", "f"]


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({}, "every [[connector]] needs a name of 1 to 64 letters"),
        ({"kind": "redis", "name": "x" * 65}, "every [[connector]] needs a name of 1 to 64 letters"),
        (
            {"name": "k", "kind": "kafka"},
            "connector k: kind is 'kafka': use one of folder, rabbitmq, redis, view",
        ),
        ({**RABBIT, "queu": "x"}, "connector r: unknown queu; known: dead_letter, exchange"),
        ({"kind": "redis", "name": "s", "url": "redis://mq"}, "connector s: stream missing"),
        ({**RABBIT, "prefetch": "10"}, "connector r: prefetch is '10': a whole number is needed"),
        ({**RABBIT, "prefetch": True}, "connector r: prefetch is True: a whole number is needed"),
        ({**RABBIT, "prefetch": 0}, "connector r: prefetch is 0: it must be above 0"),
        ({**RABBIT, "url": "amqp://his:secret@mq"}, "connector r: no password in url"),
        ({**RABBIT, "url": "http://mq"}, "connector r: url must begin with amqp://host or amqps://host"),
        ({**RABBIT, "url": "amqp://mq:port"}, "connector r: url (or what url_file holds) is no address"),
        ({**RABBIT, "url": ""}, "connector r: give either url or url_file"),
        ({**RABBIT, "url_file": "/x"}, "connector r: give either url or url_file"),
        (
            {**RABBIT, "password_file": "/nowhere"},
            "connector r: password_file: cannot read /nowhere: No such file",
        ),
        ({**REDIS, "url": "redis://mq/out"}, "connector s: url ends with the number of the database"),
    ],
)
def test_wrong_tables_are_told_by_name(table: dict[str, Any], text: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        registry.build(table)
    assert str(raised.value).startswith(text)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("scheme", "word"),
    [
        *product(
            ("amqp", "redis"), ("Pa/secret", "Se#secret", "12/secret", "12#secret", "[secret", "secret]")
        ),
        # PostgreSQL takes the others as they are.
        *product(("postgresql",), ("Pa/secret", "12/secret", "Pa%zzsecret", "secret:9@host")),
    ],
)
def test_password_that_was_not_encoded_is_told_without_it(scheme: str, word: str, tmp_path: Path) -> None:
    whole = tmp_path / "url"
    whole.write_text(f"{scheme}://his:{word}@mq/1", encoding="utf-8")
    table = {"amqp": RABBIT, "redis": REDIS, "postgresql": VIEW}[scheme]
    with pytest.raises(Misconfigured) as raised:
        registry.build(
            {**{key: value for key, value in table.items() if key != "url"}, "url_file": str(whole)}
        )
    assert "is no address" in str(raised.value)
    for part in ("secret", "Pa", "Se#", "12"):
        assert part not in str(raised.value)


@pytest.mark.parametrize(
    "connect",
    [
        {"password": "x"},
        {"passwd": "x"},
        {"PWD": "x"},
        {"dsn": "host=10.1.2.8 password=x"},
        {"dsn": "DRIVER={ODBC};SERVER=his;Pwd = x;"},
        {"dsn": "mysql://his:x@10.1.2.8/his"},
        {"dsn": "his/x@10.1.2.8/orcl"},
    ],
)
def test_no_password_in_what_a_driver_is_given(connect: dict[str, str]) -> None:
    with pytest.raises(Misconfigured, match="connector v: no password in connect"):
        registry.build({**VIEW, "driver": "sqlite3", "connect": connect})


@pytest.mark.parametrize("dsn", ["10.1.2.8/orcl", "host=10.1.2.8 user=his", "tcps://10.1.2.8:1521/orcl"])
def test_a_dsn_without_one_is_taken(dsn: str) -> None:
    assert registry.build({**VIEW, "driver": "sqlite3", "connect": {"dsn": dsn}}).name == "v"


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(Misconfigured, match="two connectors have the name r"):
        registry.build_all((RABBIT, RABBIT))


def test_password_comes_from_its_file(password: str, tmp_path: Path) -> None:
    reader = registry.build({**RABBIT, "password_file": password})
    assert isinstance(reader, RabbitConnector)
    place = reader._broker.place
    assert (place.user, place.password, place.text) == ("his", "p@ss/w:rd", "mq:5672")
    assert reader._broker.virtual_host == "/"
    whole = tmp_path / "url"
    whole.write_text("rediss://:p%40ss@mq/4\n", encoding="utf-8")
    other = registry.build({"kind": "redis", "name": "s", "url_file": str(whole), "stream": "out"})
    assert isinstance(other, RedisConnector)
    assert (other._server.place.password, other._server.database) == ("p@ss", 4)


@pytest.mark.parametrize("send_to", ["10.1.2.3:6661", "mllp://10.1.2.3:6661"])
def test_mllp_needs_no_scheme(send_to: str) -> None:
    sender = senders.build_sender(Peer(name="HIS", send_to=send_to), 5)
    assert isinstance(sender, MllpSender)


def test_senders_of_middleware(password: str) -> None:
    rabbit = senders.build_sender(
        Peer(name="HIS", send_to=f"amqp://his@mq/hospital?queue=in&password_file={password}"), 5
    )
    assert isinstance(rabbit, RabbitSender)
    assert (rabbit._exchange, rabbit._routing_key) == ("", "in")
    assert (rabbit._broker.virtual_host, rabbit._broker.place.password) == ("hospital", "p@ss/w:rd")
    redis = senders.build_sender(Peer(name="HIS", send_to="redis://mq/his:in?max_length=50"), 5)
    assert isinstance(redis, RedisStreamSender)
    assert (redis._stream, redis._max_length, redis._server.database) == ("his:in", 50, 0)


@pytest.mark.parametrize(
    ("send_to", "text"),
    [
        ("amqp://mq/", "give ?queue=NAME, or ?exchange=NAME"),
        ("amqp://mq/?queue=a&exchange=b", "give ?queue=NAME, or ?exchange=NAME"),
        ("amqp://mq/?que=a", "unknown option que; known: exchange, password_file, queue, routing_key"),
        ("amqp://his:secret@mq/?queue=a", "no password in url"),
        ("amqp://his:[secret@mq/?queue=a", "url (or what url_file holds) is no address"),
        ("redis://mq", "name the stream, redis://host:port/STREAM"),
        ("redis://mq/a?max_length=many", "max_length is 'many': a whole number is needed"),
        ("http://his/hl7", "http:// is not known: use host:port, amqp:// or redis://"),
    ],
)
def test_wrong_send_to_is_told_with_the_peer(send_to: str, text: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        senders.build_sender(Peer(name="HIS", send_to=send_to), 5)
    assert str(raised.value).startswith(f"peer HIS: send_to: {text}")
