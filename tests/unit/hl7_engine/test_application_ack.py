"""The application acknowledgement: owed to who asks for it and can be reached, after handling, with the outcome."""

from typing import Any, cast

import pytest

from core import outbox
from core.bus import MemoryBus
from core.errors import Refused
from core.models import InboundMessage, OutboundMessage, OutboxEvent
from hl7_engine import application_ack, inbox, profile, replaying
from hl7_engine.drain import Drain
from hl7_engine.er7 import Message
from hl7_engine.incoming import Incoming
from hl7_engine.site import Peer, Site

pytestmark = [pytest.mark.requirement("P6", "P2"), pytest.mark.usefixtures("memory_database")]

BOTH = ("order_answer", "application_ack")
ORDER = "ORC|NW|SQ1^HIS|\rOBR|1|SQ1^HIS||210300001^CT||||||||||||||CT1"
PERSON = "PID|1||7^^^HIS^PI||张^三"


def site(*receives: str, send_to: str = "10.0.0.1:1", ack: str = profile.STANDARD) -> Site:
    peer = Peer(name="HIS", sender="HIS|A", send_to=send_to, receives=receives, profile=profile.load(ack))
    return Site(peers=(peer,))


def message(kind: str = "ORM^O01", asks: str = "AL|AL", control_id: str = "M1") -> bytes:
    header = f"MSH|^~\\&|HIS|A|CLOUDFILM|B|20261124120000||{kind}|{control_id}|P|2.5.1|||{asks}"
    return "\r".join([header, PERSON, ORDER if kind.startswith("O") else ""]).encode()


class RefusingBus:
    def submit(self, command: object) -> None:
        raise Refused("the identity numbers differ")


def take(raw: bytes, site: Site, bus: Any = None) -> InboundMessage:
    inbox.accept([Incoming(raw, "10.0.0.1")])
    Drain(bus or MemoryBus(), site, application_ack.owe).run_once()
    return InboundMessage.select().order_by(InboundMessage.id.desc()).first()


def answers(site: Site) -> list[Message]:
    for work in outbox.claim(10, only=["answer_message"]):
        application_ack.write(work.payload["message_id"], work.payload["error"], site)
        outbox.finish(work.id)
    return [Message.parse(row.body.decode("gb18030")) for row in OutboundMessage.select()]


def test_handled_order_is_answered_as_an_order() -> None:
    place = site(*BOTH)
    assert take(message(), place).state == "handled"
    (answer,) = answers(place)
    assert (answer.type, answer.get("MSA-1"), answer.get("MSA-2")) == ("ORR^O02", "AA", "M1")
    assert (answer.get("ORC-1"), answer.get("ORC-2.1")) == ("OK", "SQ1")


def test_parked_message_is_answered_with_its_reason() -> None:
    place = site(*BOTH)
    assert take(message("ADT^A04"), place, RefusingBus()).state == "parked"
    (answer,) = answers(place)
    assert (answer.type, answer.get("MSA-1"), answer.get("ERR-8")) == (
        "ACK^A04",
        "AE",
        "the identity numbers differ",
    )


@pytest.mark.parametrize(
    ("asks", "refuses", "expected"),
    [
        ("AL|AL", False, ["AA"]),
        ("AL|ER", False, []),
        ("AL|ER", True, ["AE"]),
        ("AL|SU", False, ["AA"]),
        ("AL|SU", True, []),
        ("AL|NE", True, []),
        ("AL|", False, []),
        ("|", False, []),
        # The sender waits for it on the connection, and has had it.
        ("NE|AL", False, []),
    ],
)
def test_what_the_header_asks_for_is_owed(asks: str, refuses: bool, expected: list[str]) -> None:
    place = site(*BOTH)
    take(message(asks=asks), place, RefusingBus() if refuses else None)
    assert [answer.get("MSA-1") for answer in answers(place)] == expected


@pytest.mark.parametrize(
    ("receives", "kind", "expected"),
    [
        (BOTH, "OMG^O19", ["ORG^O20"]),
        (("application_ack",), "OMG^O19", ["ACK^O19"]),
        (("order_answer",), "ADT^A04", []),
        (("payment",), "ORM^O01", []),
        ((), "ORM^O01", []),
    ],
)
def test_peer_hears_only_what_it_receives(receives: tuple[str, ...], kind: str, expected: list[str]) -> None:
    place = site(*receives)
    take(message(kind), place)
    assert [answer.type for answer in answers(place)] == expected


def test_peer_without_address_or_in_original_mode_is_owed_nothing() -> None:
    places = (site(*BOTH, send_to=""), site(*BOTH, ack="county_his"), Site())
    for number, place in enumerate(places):
        take(message(control_id=f"M{number}"), place)
    assert OutboxEvent.select().count() == 0


def test_answer_is_written_once_and_leaves_behind_others_of_its_order() -> None:
    place = site(*BOTH)
    row = take(message(), place)
    for _ in range(2):
        application_ack.write(row.id, "", place)
    assert OutboundMessage.select().count() == 1
    take(message(control_id="M2"), place)
    answers(place)
    streams = {event.stream for event in OutboxEvent.select().where(OutboxEvent.kind == "send_his")}
    assert len(streams) == 1 and streams.pop().startswith("HIS:")


def test_parked_message_that_is_replayed_is_answered_again() -> None:
    place = site(*BOTH)
    row = take(message(), place, RefusingBus())
    replaying.replay(row.id, "staff:1", "corrected")
    Drain(MemoryBus(), place, application_ack.owe).run_once()
    assert cast(InboundMessage, InboundMessage.get_by_id(row.id)).state == "handled"
    assert [answer.get("MSA-1") for answer in answers(place)] == ["AE", "AA"]


def test_answer_to_a_message_that_was_pruned_is_dropped() -> None:
    place = site(*BOTH)
    row = take(message(), place)
    InboundMessage.delete().execute()
    application_ack.write(row.id, "", place)
    assert OutboundMessage.select().count() == 0
