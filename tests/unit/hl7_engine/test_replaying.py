"""A person may have a message acted upon again, as it is or corrected: with a reason, once, on record, losing nothing."""

import json
from typing import Any

import pytest

from core import audit
from core.bus import MemoryBus
from core.errors import Conflict, NotFound, Refused
from core.models import AuditEvent, InboundMessage
from hl7_engine import charset, inbox
from hl7_engine.draft import Draft
from hl7_engine.drain import Drain
from hl7_engine.errors import Undecodable
from hl7_engine.incoming import Incoming
from hl7_engine.replaying import replay, resend_edited
from hl7_engine.site import STANDARD_SITE
from simulators.his_messages import adt_a04
from tests.unit.hl7_engine.samples import PATIENT, envelope
from tests.unit.hl7_engine.stored import inbound

pytestmark = [pytest.mark.requirement("P6", "S3", "F10"), pytest.mark.usefixtures("memory_database")]

ACTOR = "staff:3"
RAW = adt_a04(PATIENT, envelope())


def accept(raw: bytes, **told: Any) -> int:
    (receipt,) = inbox.accept([Incoming(raw, "10.0.0.5", **told)])
    assert receipt.message_id is not None
    return receipt.message_id


def state(message_id: int) -> str:
    return str(InboundMessage.get_by_id(message_id).state)


def record() -> list[tuple[str, str, str, dict[str, Any]]]:
    return [
        (event.actor, event.action, event.subject, json.loads(event.detail)) for event in AuditEvent.select()
    ]


def drain() -> MemoryBus:
    bus = MemoryBus()
    Drain(bus, STANDARD_SITE, lambda *_: None).run_once()
    return bus


@pytest.mark.parametrize("was", ["handled", "ignored", "parked"])
def test_replayed_message_is_acted_upon_again_as_if_it_had_just_come(was: str) -> None:
    message_id = accept(RAW)
    InboundMessage.update(state=was, error="why", attempts=8).where(InboundMessage.id == message_id).execute()
    receipt = replay(message_id, ACTOR, "字典已补", address="10.1.1.1")
    row = InboundMessage.get_by_id(message_id)
    assert (receipt.state, receipt.message_id) == ("stored", message_id)
    assert (row.state, row.error, row.attempts, row.next_at) == ("received", "", 0, None)
    assert record() == [
        (ACTOR, "replay_message", f"message:{message_id}", {"reason": "字典已补", "was": was})
    ]
    assert len(drain().submitted) == 1
    assert audit.verify() == 1


def test_message_that_waits_is_not_replayed_and_nothing_is_recorded() -> None:
    message_id = accept(RAW)
    with pytest.raises(Conflict):
        replay(message_id, ACTOR, "again")
    assert record() == []


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_without_a_reason_nothing_happens(reason: str) -> None:
    message_id = inbound().id
    with pytest.raises(Refused):
        replay(message_id, ACTOR, reason)
    with pytest.raises(Refused):
        resend_edited(message_id, RAW, ACTOR, reason)
    assert (state(message_id), record(), InboundMessage.select().count()) == ("handled", [], 1)


def test_reason_is_kept_without_phones_and_not_endlessly() -> None:
    message_id = inbound().id
    replay(message_id, ACTOR, f"电话 13800138000 要求 {'x' * 500}")
    (event,) = record()
    assert "13800138000" not in event[3]["reason"]
    assert len(event[3]["reason"]) == 200


def test_missing_message_is_not_found() -> None:
    with pytest.raises(NotFound):
        replay(99, ACTOR, "why")
    with pytest.raises(NotFound):
        resend_edited(99, RAW, ACTOR, "why")


def test_refused_message_goes_in_at_the_door_and_is_refused_again_for_the_same_reason() -> None:
    message_id = accept(RAW.replace(b"|M1|", b"||"))
    assert state(message_id) == "refused"
    receipt = replay(message_id, ACTOR, "再试")
    assert (receipt.state, receipt.message_id, InboundMessage.select().count()) == ("refused", message_id, 1)
    assert "MSH-10" in receipt.reason
    assert record()[0][1:3] == ("replay_message", f"message:{message_id}")


def test_refused_message_that_is_readable_now_becomes_a_message_that_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:

        def fail(_raw: bytes) -> None:
            raise Undecodable("unknown characters")

        patch.setattr(charset, "decode", fail)
        message_id = accept(RAW)
    receipt = replay(message_id, ACTOR, "字符集已支持")
    assert receipt.state == "stored"
    assert receipt.message_id != message_id
    new = InboundMessage.get_by_id(receipt.message_id)
    assert (new.state, new.origin_id, state(message_id)) == ("received", message_id, "refused")
    assert record()[0][3]["new"] == new.id


def test_refused_document_that_is_readable_now_takes_its_way_in_its_own_row() -> None:
    message_id = accept(b'{"action": "X"}', format="json", peer="kiosk", control_id="1", message_type="X")
    InboundMessage.update(state="refused").where(InboundMessage.id == message_id).execute()
    assert replay(message_id, ACTOR, "再试").message_id == message_id
    assert (state(message_id), InboundMessage.select().count()) == ("received", 1)


def test_corrected_message_is_a_new_row_and_the_first_stays_as_it_was() -> None:
    message_id = accept(RAW)
    InboundMessage.update(state="parked", error="why").where(InboundMessage.id == message_id).execute()
    draft = Draft.open(RAW)
    draft.set("PID-8", "F")
    receipt = resend_edited(message_id, draft.to_bytes(), ACTOR, "性别填错")
    first, second = InboundMessage.get_by_id(message_id), InboundMessage.get_by_id(receipt.message_id)
    assert (first.state, first.error, first.body) == ("parked", "why", RAW)
    assert (second.state, second.origin_id, second.peer, second.body) == (
        "received",
        message_id,
        first.peer,
        draft.to_bytes(),
    )
    assert [(action, subject) for _, action, subject, _ in record()] == [
        ("resend_message", f"message:{message_id}"),
        ("resend_message", f"message:{second.id}"),
    ]
    assert [getattr(command, "patient", PATIENT).sex for command in drain().submitted] == ["F"]


def test_correction_that_spoils_the_message_is_refused_and_says_why() -> None:
    message_id = accept(RAW)
    receipt = resend_edited(message_id, RAW.replace(b"MSH", b"MXX"), ACTOR, "why")
    assert receipt.state == "refused"
    assert "MSH" in receipt.reason
    assert state(receipt.message_id or 0) == "refused"


def test_unchanged_content_and_content_that_came_before_are_not_taken_twice() -> None:
    message_id = accept(RAW)
    other = RAW.replace(b"|M1|", b"|M2|")
    accept(other)
    with pytest.raises(Refused):
        resend_edited(message_id, RAW, ACTOR, "why")
    with pytest.raises(Conflict):
        resend_edited(message_id, other, ACTOR, "why")
    assert (InboundMessage.select().count(), record()) == (2, [])
