"""Old messages go, when they are done; what waits stays, what was not handled stays longer, counters stay for good."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from core import db, migrate
from core.models import InboundMessage, MessageCount, OutboundMessage
from crypto.keyring import Keyring
from hl7_engine import outgoing, pruning
from hl7_engine.pruning import Prunable, Retention, prunable, prune
from tests.unit.hl7_engine.stored import NOW, counted, inbound, owed

pytestmark = pytest.mark.requirement("S3", "H1")

DAY = timedelta(days=1)
KEPT = Retention(days=180, problem_days=1095)


@pytest.fixture(autouse=True)
def installed(bare_database_url: str, keyring: Keyring) -> Iterator[None]:
    """The schema as an installation has it: by its migrations."""
    database = db.connect(bare_database_url)
    with database.connection_context():
        migrate.upgrade(database)
        yield
    database.close()


def prune_all() -> int:
    total = 0
    while number := prune(KEPT, NOW):
        total += number
    return total


def left() -> set[int]:
    return {row.id for row in InboundMessage.select(InboundMessage.id)}


def test_each_state_is_kept_as_long_as_it_should() -> None:
    kept = {"handled": 180, "ignored": 180, "parked": 1095, "refused": 1095, "received": None}
    expected = set()
    for age in (5000, 1096, 1094, 181, 179, 1):
        for state, days in kept.items():
            row = inbound(age * DAY, state=state)
            if days is None or age < days:
                expected.add(row.id)
    assert prune_all() == 30 - len(expected)
    assert left() == expected
    assert prune_all() == 0


def test_message_that_was_replayed_lately_is_kept() -> None:
    row = inbound(400 * DAY, handled_at=NOW - DAY)
    assert prune_all() == 0
    assert left() == {row.id}


def test_correction_outlives_the_message_that_it_was_made_from() -> None:
    old = inbound(400 * DAY)
    new = inbound(DAY, origin_id=old.id)
    prune_all()
    assert (left(), InboundMessage.get_by_id(new.id).origin_id) == ({new.id}, old.id)


def test_sent_messages_lose_their_content_and_are_still_owed_only_once() -> None:
    old = owed(200 * DAY, state="sent", sent_at=NOW - 200 * DAY, key="payment:FY1@HIS")
    young = owed(200 * DAY, state="sent", sent_at=NOW - DAY)
    waiting = owed(200 * DAY, work="parked")
    assert prune_all() == 1
    bodies = {row.id: bool(row.body) for row in OutboundMessage.select()}
    assert bodies == {old.id: False, young.id: True, waiting.id: True}
    outgoing.queue("HIS", "payment:FY1", "DFT^P03", lambda _control_id: b"again")
    assert OutboundMessage.select().count() == 3


def test_batches_are_of_few_rows_and_follow_until_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 3)
    for _ in range(7):
        inbound(200 * DAY)
    assert [prune(KEPT, NOW) for _ in range(4)] == [3, 3, 1, 0]


def test_dry_look_says_what_would_go_and_counters_stay() -> None:
    counted(400 * DAY)
    inbound(2000 * DAY, state="parked")
    inbound(200 * DAY)
    owed(200 * DAY, state="sent", sent_at=NOW - 200 * DAY)
    assert prunable(KEPT, NOW) == Prunable(done=1, problems=1, outgoing=1)
    assert prune_all() == 3
    assert prunable(KEPT, NOW).total == 0
    assert MessageCount.select().count() == 1
