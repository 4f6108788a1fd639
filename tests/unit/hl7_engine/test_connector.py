"""What connectors share: messages from bytes, the way into the inbox, coming back after a failure."""

import sqlite3
import threading
from typing import Any

import peewee
import pytest

from core import alarms
from core.errors import Misconfigured, Unavailable
from core.models import Alarm, InboundMessage
from hl7_engine import connector, inbox
from hl7_engine.connector import in_parts, incoming, into_inbox, keep_running, require_stored, worded
from hl7_engine.framing import Damage
from hl7_engine.incoming import Incoming, Receipt
from hl7_engine.site import Site
from simulators.his_messages import omg_o19
from tests.unit.hl7_engine.samples import EXAM, PATIENT, envelope

pytestmark = pytest.mark.requirement("P2", "P6")

MESSAGES = [omg_o19(PATIENT, EXAM, envelope(f"M{number}")) for number in range(3)]
XML = b'<PRPA_IN201311UV02 xmlns="urn:hl7-org:v3"><id root="2.16" extension="X7"/></PRPA_IN201311UV02>'


@pytest.fixture(autouse=True)
def kept_database(memory_database: peewee.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """One in memory is gone when it is closed."""
    monkeypatch.setattr(memory_database, "close", lambda: None)


@pytest.mark.parametrize(
    ("lengths", "parts"),
    [
        ([], []),
        ([4, 4, 2], [[4, 4, 2]]),
        ([4, 4, 3, 1], [[4, 4], [3, 1]]),
        ([2, 30, 2], [[2], [30], [2]]),
        ([0, 0], [[0, 0]]),
    ],
)
def test_what_shares_a_commit_is_limited_in_bytes(
    lengths: list[int], parts: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector, "_COMMIT_BYTES", 10)
    assert list(in_parts(lengths, lambda length: length)) == parts


class Failing:
    """A connector that runs into one thing after the other, then works until it is stopped."""

    name = "his"

    def __init__(self, stop: threading.Event, *errors: Exception) -> None:
        self._stop = stop
        self._errors = list(errors)
        self.open_alarms: list[list[str]] = []

    def run(self, accept: Any, stop: threading.Event, is_up: Any) -> None:
        self.open_alarms.append([alarm.text for alarm in alarms.open_alarms()])
        if self._errors:
            raise self._errors.pop(0)
        is_up()
        self._stop.set()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"action": "CancelOrder", "id": "J7"}', ("json", "J7", "CancelOrder")),
        (b'{"action": "unheard"}', ("json", "of the queue", "of the queue")),
        (b"{broken", ("json", "of the queue", "of the queue")),
        (XML, ("v3", "X7", "of the queue")),
        (b"<broken", ("v3", "of the queue", "of the queue")),
        (MESSAGES[0], ("er7", "of the queue", "of the queue")),
    ],
)
def test_what_the_message_says_of_itself_counts_more(content: bytes, expected: tuple[str, str, str]) -> None:
    item = incoming(content, "his", "redis", control_id="of the queue", message_type="of the queue")
    assert (item.format, item.control_id, item.message_type) == expected
    assert (item.peer, item.address, item.channel) == ("his", "his", "redis")


def test_what_is_too_long_is_cut_to_its_head_and_marked() -> None:
    item = incoming(b"<" + b"x" * 9_999, "his", "redis", max_bytes=9_999)
    assert (item.damage, item.format, len(item.content)) == (Damage.TOO_LONG, "er7", 4096)
    (receipt,) = into_inbox(Site())([item])
    assert (receipt.state, InboundMessage.get().state) == ("refused", "refused")


def test_answers_are_in_the_words_of_the_format() -> None:
    assert worded(Incoming(b"MSH", "his"), Receipt("stored", b"")) == b"", "MSH-15 said that none is wanted"
    xml = Incoming(XML, "his", format="v3")
    accepted = worded(xml, Receipt("known")).decode()
    assert '<acknowledgement typeCode="AA">' in accepted
    assert 'extension="X7"' in accepted
    refused = worded(xml, Receipt("refused", reason="没有申请单号")).decode()
    assert '<acknowledgement typeCode="AE">' in refused
    assert "没有申请单号" in refused


def test_stored_ones_are_not_counted_as_missing() -> None:
    require_stored([Receipt("stored"), Receipt("known"), Receipt("refused")])
    with pytest.raises(Unavailable, match="2 of 3 messages could not be stored"):
        require_stored([Receipt("unavailable"), Receipt("stored"), Receipt("unavailable")])


def test_one_that_the_database_cannot_take_does_not_hold_up_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    really_accept = inbox.accept

    def accept(items: Any, site: Site) -> list[Receipt]:
        if any(item.content == MESSAGES[1] for item in items):
            raise peewee.DataError("invalid byte sequence")
        return really_accept(items, site)

    monkeypatch.setattr(inbox, "accept", accept)
    receipts = into_inbox(Site())([Incoming(message, "his") for message in MESSAGES])
    assert [receipt.state for receipt in receipts] == ["stored", "unavailable", "stored"]
    assert InboundMessage.select().count() == 2


def test_database_that_is_away_is_not_asked_for_each_message(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def accept(items: Any, site: Site) -> list[Receipt]:
        asked.append(len(items))
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(inbox, "accept", accept)
    monkeypatch.setattr(connector, "_ONE_BY_ONE_SECONDS", 0)
    receipts = into_inbox(Site())([Incoming(message, "his") for message in MESSAGES])
    assert [receipt.state for receipt in receipts] == ["unavailable"] * 3
    assert asked == [3]


@pytest.mark.usefixtures("short_pauses")
def test_it_comes_back_after_any_failure_with_one_alarm() -> None:
    stop = threading.Event()
    failing = Failing(
        stop,
        Unavailable("the broker is away"),
        Misconfigured("the view has no column XM"),
        ZeroDivisionError("secret of 张三"),
        peewee.OperationalError("our own database"),
    )
    keep_running(failing, lambda items: [], stop)
    text = "connector his: the broker is away"
    assert failing.open_alarms == [[], [text], [text], [text], [text]]
    assert alarms.open_alarms() == []
    assert Alarm.select().count() == 1


@pytest.mark.usefixtures("short_pauses")
def test_fault_of_ours_is_told_without_what_was_in_the_message() -> None:
    stop = threading.Event()
    failing = Failing(stop, ZeroDivisionError("secret of 张三"))
    keep_running(failing, lambda items: [], stop)
    assert failing.open_alarms[1] == [
        "connector his: ZeroDivisionError: a fault of this program; its log tells where"
    ]
