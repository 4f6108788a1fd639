"""What we owe peers is listed with the state of its work, and a parked message is sent again when a person says so."""

from datetime import timedelta

import pytest

from core.errors import Conflict, NotFound, Refused
from core.models import AuditEvent, IntakeProblem, OutboundMessage, OutboxEvent
from hl7_engine import outgoing
from hl7_engine.outgoing_store import KIND, Depth, depths, list_owed, resend
from tests.unit.hl7_engine.stored import NOW, owed

pytestmark = [pytest.mark.requirement("P6", "S3", "F10"), pytest.mark.usefixtures("database")]

MINUTE = timedelta(minutes=1)


def work_of(row: OutboundMessage) -> OutboxEvent:
    return OutboxEvent.get(OutboxEvent.key == row.key)


def test_work_of_a_queued_message_is_found_by_its_kind_and_key() -> None:
    outgoing.queue("HIS", "payment:FY1", "DFT^P03", lambda _control_id: b"x")
    (event,) = OutboxEvent.select()
    assert (event.kind, event.key) == (KIND, "payment:FY1@HIS")
    (row,) = list_owed().rows
    assert (row.state, row.attempts, row.next_at is not None) == ("queued", 0, True)


def test_states_are_told_by_the_message_and_by_its_work() -> None:
    sent = owed(state="sent", sent_at=NOW, ack_code="AA")
    queued, parked, refused = (
        owed(),
        owed(work="parked"),
        owed(state="parked", work="done", error="no such fee"),
    )
    assert [row.id for row in list_owed().rows] == [refused.id, parked.id, queued.id, sent.id]
    assert [row.id for row in list_owed("parked").rows] == [refused.id, parked.id]
    assert [row.id for row in list_owed("queued").rows] == [queued.id]
    assert [row.id for row in list_owed("sent").rows] == [sent.id]
    assert list_owed(peer="RIS").rows == []
    told = {row.id: (row.state, row.error) for row in list_owed().rows}
    assert told == {
        sent.id: ("sent", ""),
        queued.id: ("queued", "away"),
        parked.id: ("parked", "away"),
        refused.id: ("parked", "no such fee"),
    }


def test_message_without_any_work_is_listed() -> None:
    row = owed()
    OutboxEvent.delete().execute()
    (found,) = list_owed("queued").rows
    assert (found.id, found.attempts, found.next_at) == (row.id, 0, None)


def test_pages_follow_each_other() -> None:
    ids = [owed().id for _ in range(5)]
    first = list_owed(limit=3)
    second = list_owed(before=first.next_before, limit=3)
    assert [row.id for row in (*first.rows, *second.rows)] == ids[::-1]
    assert second.next_before == 0


def test_depth_says_what_each_peer_has_not_been_told() -> None:
    owed(state="sent", sent_at=NOW)
    assert depths() == {}
    owed(20 * MINUTE)
    owed(5 * MINUTE)
    owed(work="parked")
    owed(peer="RIS", work="parked")
    assert depths() == {"HIS": Depth(2, NOW - 20 * MINUTE, 1), "RIS": Depth(0, None, 1)}


def test_parked_message_is_sent_again_once_and_on_record() -> None:
    row = owed(state="parked", work="parked", error="AE")
    IntakeProblem.create(source="outbox", reference=str(work_of(row).id), text="x")
    resend(row.id, "staff:3", "HIS 已修复")
    assert (work_of(row).state, work_of(row).attempts) == ("pending", 0)
    (found,) = list_owed().rows
    assert found.state == "queued"
    assert not IntakeProblem.select().exists()
    (event,) = AuditEvent.select()
    assert (event.action, event.subject) == ("resend_outgoing", f"outgoing:{row.id}")
    with pytest.raises(Conflict):
        resend(row.id, "staff:3", "HIS 已修复")
    assert AuditEvent.select().count() == 1


def test_what_is_not_parked_or_has_no_reason_is_left_alone() -> None:
    row = owed(work="parked")
    with pytest.raises(Refused):
        resend(row.id, "staff:3", " ")
    for other in (owed(), owed(state="sent", sent_at=NOW)):
        with pytest.raises(Conflict):
            resend(other.id, "staff:3", "why")
    with pytest.raises(NotFound):
        resend(99, "staff:3", "why")
    assert work_of(row).state == "parked"
