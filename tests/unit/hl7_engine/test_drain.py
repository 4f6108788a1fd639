"""Stored messages take effect once, as a whole, in order; or are put aside with their reason."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from core import alarms, clock, failpoints
from core.bus import InProcessBus, MemoryBus
from core.commands import CancelOrder, PlaceOrder, RegisterPatient
from core.db import database
from core.errors import Conflict, Refused, Unavailable
from core.models import Exam, InboundMessage, MessageCount
from hl7_engine import drain as drain_module
from hl7_engine import inbox
from hl7_engine.drain import MAX_ATTEMPTS, Drain
from hl7_engine.incoming import Incoming
from hl7_engine.site import STANDARD_SITE
from simulators.his_messages import adt_a04, omg_o19
from tests.unit.hl7_engine.samples import EXAM, PATIENT, envelope

pytestmark = [pytest.mark.requirement("P6", "P2"), pytest.mark.usefixtures("memory_database")]

Submit = Callable[[object], None]


class ActingBus:
    """Writes an exam per order, and does what the test says before that."""

    def __init__(self, before: Submit = lambda _command: None) -> None:
        self.before = before
        self.submitted: list[object] = []

    def submit(self, command: object) -> None:
        Exam.insert(
            accession_number=getattr(command, "accession_number", "none")
        ).on_conflict_ignore().execute()
        self.before(command)
        self.submitted.append(command)


def drain(bus: object) -> Drain:
    return Drain(bus, STANDARD_SITE, lambda *_: None)  # type: ignore[arg-type]


def stored(*raws: bytes) -> list[int]:
    found = inbox.accept([Incoming(raw, "10.0.0.5") for raw in raws])
    return [receipt.message_id for receipt in found if receipt.message_id]


def order(control_id: str, accession: str, control: str = "NW") -> bytes:
    exam = EXAM.__class__(
        **EXAM.__dict__ | {"accession_number": accession, "placer_order_number": f"SQ{accession}"}
    )
    return omg_o19(PATIENT, exam, envelope(control_id), control=control)


def state_of(message_id: int) -> str:
    return InboundMessage.select(InboundMessage.state).where(InboundMessage.id == message_id).get().state


def raising(error: Exception) -> Submit:
    def submit(_command: object) -> None:
        raise error

    return submit


def test_commands_are_submitted_once_and_the_row_says_what_it_was_about() -> None:
    bus = MemoryBus()
    (message_id,) = stored(order("M1", "CT1"))
    assert drain(bus).run_once() == 1
    assert drain(bus).run_once() == 0
    (command,) = bus.submitted
    assert isinstance(command, PlaceOrder)
    row = InboundMessage.get_by_id(message_id)
    assert (row.state, row.outcome) == ("handled", "PlaceOrder")
    assert (row.order_number, row.accession_number, row.patient_number) == ("SQCT1", "CT1", "0001234567")
    assert row.handled_at is not None


def test_message_without_any_effect_is_ignored_not_handled() -> None:
    (message_id,) = stored(adt_a04(PATIENT, envelope()).replace(b"ADT^A04", b"ADT^A60"))
    assert drain(MemoryBus()).run_once() == 1
    assert state_of(message_id) == "ignored"


def test_marks_and_effects_of_a_batch_are_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = stored(order("M1", "CT1"), order("M2", "CT2"))
    bus = InProcessBus()
    bus.on(PlaceOrder, lambda command: Exam.create(accession_number=command.accession_number))

    def die(name: str) -> None:
        assert (name, Exam.select().count()) == ("hl7.before_handled", 2)
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(failpoints, "passing", die)
        drain(bus).run_once()
    assert ([state_of(number) for number in ids], Exam.select().count()) == (["received"] * 2, 0)
    drain(bus).run_once()
    assert ([state_of(number) for number in ids], Exam.select().count()) == (["handled"] * 2, 2)


@pytest.mark.parametrize("error", [Refused("no such exam"), Conflict("amounts differ")])
def test_refused_effect_is_undone_and_parked_and_the_others_go_on(error: Exception) -> None:
    def refuse_first(command: object) -> None:
        if getattr(command, "accession_number", "") == "CT1":
            raise error

    first, second = stored(order("M1", "CT1"), order("M2", "CT2"))
    assert drain(ActingBus(refuse_first)).run_once() == 2
    row = InboundMessage.get_by_id(first)
    assert (row.state, row.error, row.accession_number) == ("parked", str(error), "CT1")
    assert state_of(second) == "handled"
    assert [exam.accession_number for exam in Exam.select()] == ["CT2"]


@pytest.mark.parametrize("error", [Unavailable("the other site is away"), ZeroDivisionError()])
def test_failure_is_tried_again_and_its_order_waits_behind_it(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = ActingBus(raising(error))
    first, change, other = stored(order("M1", "CT1"), order("M2", "CT1", "XO"), order("M3", "CT2"))
    moment = clock.now()
    monkeypatch.setattr(drain_module, "now", lambda: moment)
    drain(bus).run_once()
    assert [state_of(number) for number in (first, change, other)] == ["received"] * 3
    assert InboundMessage.get_by_id(change).attempts == 0
    bus.before = lambda _command: None
    assert drain(bus).run_once() == 0, "nothing is due before its time"
    monkeypatch.setattr(drain_module, "now", lambda: moment + timedelta(minutes=1))
    assert drain(bus).run_once() == 3
    assert [getattr(command, "accession_number", "") for command in bus.submitted] == ["CT1", "CT1", "CT2"]


def test_poison_message_is_parked_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    (message_id,) = stored(order("M1", "CT1"))
    moment = clock.now()
    for _ in range(MAX_ATTEMPTS):
        moment += timedelta(hours=1)
        monkeypatch.setattr(drain_module, "now", lambda at=moment: at)
        drain(ActingBus(raising(KeyError("x")))).run_once()
    row = InboundMessage.get_by_id(message_id)
    assert row.state == "parked"
    assert "KeyError" in row.error


def test_body_that_cannot_be_opened_is_the_trouble_of_one_message() -> None:
    first, second = stored(order("M1", "CT1"), order("M2", "CT2"))
    database.execute_sql("UPDATE inbound_message SET body = ? WHERE id = ?", (b"damaged", first))
    drain(MemoryBus()).run_once()
    assert (state_of(first), state_of(second)) == ("received", "handled")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"ADT^A04^ADT_A01", b"VXU^V04^VXU_V04", "message type VXU^V04 is not read here"),
        (b"PID|", b"ZID|", "PID-3 has no patient number"),
    ],
)
def test_unreadable_message_is_parked_in_words(old: bytes, new: bytes, reason: str) -> None:
    (message_id,) = stored(adt_a04(PATIENT, envelope()).replace(old, new))
    drain(MemoryBus()).run_once()
    row = InboundMessage.get_by_id(message_id)
    assert row.state == "parked"
    assert reason in row.error


def test_reason_holds_no_personal_numbers() -> None:
    (message_id,) = stored(adt_a04(PATIENT, envelope()))
    drain(ActingBus(raising(Refused(f"phone {PATIENT.phone} id {PATIENT.id_number}")))).run_once()
    error = InboundMessage.get_by_id(message_id).error
    assert PATIENT.phone not in error
    assert PATIENT.id_number not in error


def test_two_messages_under_one_control_id_are_both_handled_and_raise_one_alarm() -> None:
    bus = MemoryBus()
    stored(order("M1", "CT1"))
    drain(bus).run_once()
    assert alarms.open_alarms() == []
    stored(order("M1", "CT2"), order("M1", "CT3"))
    drain(bus).run_once()
    assert len(bus.submitted) == 3
    (alarm,) = alarms.open_alarms("control_id_reused")
    assert alarm.subject == "HIS|HOSPITAL"


def test_messages_are_counted_by_hour_and_outcome() -> None:
    stored(order("M1", "CT1"), order("M2", "CT2"), adt_a04(PATIENT, envelope("M3")), b"HELLO")
    drain(MemoryBus()).run_once()
    stored(order("M4", "CT4"))
    drain(MemoryBus()).run_once()
    counted = {(row.message_type, row.outcome): row.count for row in MessageCount.select()}
    assert counted == {("OMG^O19", "handled"): 3, ("ADT^A04", "handled"): 1, ("", "refused"): 1}


def test_limit_of_a_batch() -> None:
    stored(*(order(f"M{number}", f"CT{number}") for number in range(5)))
    bus = MemoryBus()
    assert [drain(bus).run_once(2) for _ in range(4)] == [2, 2, 1, 0]
    assert all(isinstance(command, PlaceOrder | RegisterPatient) for command in bus.submitted)


def test_xml_and_json_take_effect_like_hl7() -> None:
    said_at = "2026-11-24T12:00:00+08:00"
    command = {"accession_number": "CT1", "placer_order_number": "SQ1", "said_at": said_at}
    told = json.dumps({"action": "CancelOrder", "data": command}).encode()
    bad = json.dumps({"action": "CancelOrder", "data": command | {"colour": "red"}}).encode()
    items = [
        Incoming(told, "10.0.0.5", "rest", format="json", peer="his-web", control_id="J1"),
        Incoming(bad, "10.0.0.5", "rest", format="json", peer="his-web", control_id="J2"),
        Incoming(b"<surprise/>", "10.0.0.5", "soap", format="v3", peer="his-web", control_id="X1"),
    ]
    inbox.accept(items)
    bus = MemoryBus()
    drain(bus).run_once()
    assert bus.submitted == [CancelOrder("CT1", "SQ1", datetime(2026, 11, 24, 4, 0, tzinfo=UTC))]
    rows = {row.control_id: row for row in InboundMessage.select()}
    assert (rows["J1"].state, rows["J1"].order_number) == ("handled", "SQ1")
    assert rows["J2"].state == rows["X1"].state == "parked"
    assert "colour" in rows["J2"].error


def test_what_a_person_corrected_with_success_waits_no_more() -> None:
    bad = adt_a04(PATIENT, envelope()).replace(b"PID|", b"ZID|")
    (message_id,) = stored(bad)
    drain(MemoryBus()).run_once()
    assert state_of(message_id) == "parked"
    inbox.accept([Incoming(bad.replace(b"ZID|", b"ZIE|"), "10.0.0.5", origin_id=message_id)])
    drain(MemoryBus()).run_once()
    assert state_of(message_id) == "parked", "a copy that fails as well mends nothing"
    inbox.accept([Incoming(bad.replace(b"ZID|", b"PID|"), "10.0.0.5", origin_id=message_id)])
    drain(MemoryBus()).run_once()
    assert state_of(message_id) == "corrected"


def test_messages_behind_a_failed_one_do_not_starve_other_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = clock.now()
    monkeypatch.setattr(drain_module, "now", lambda: moment)
    bus = ActingBus(
        lambda command: raising(KeyError("x"))(command) if command.accession_number == "CT0" else None
    )  # type: ignore[attr-defined]
    stored(
        order("F0", "CT0"), *(order(f"B{number}", "CT0", "XO") for number in range(30)), order("M1", "CT1")
    )
    handled = [drain(bus).run_once(10) for _ in range(5)]
    assert sum(handled) == 1, handled
    assert [exam.accession_number for exam in Exam.select()] == ["CT1"]


def test_sender_whose_ids_are_all_the_same_raises_one_alarm() -> None:
    for part in range(3):
        stored(*(order("SAME", f"CT{part}-{number}") for number in range(20)))
        drain(MemoryBus()).run_once()
    (alarm,) = alarms.open_alarms("control_id_reused")
    assert "SAME" in alarm.text


def test_failed_message_about_nothing_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = clock.now()
    monkeypatch.setattr(drain_module, "now", lambda: moment)
    bad = b"MSH|^~\\&|H|A|B|C|2026||MFN^M04|X1|P|2.5\rMFE|MUP|||C1\rCDM|C1|x"
    good = bad.replace(b"X1", b"X2").replace(b"C1", b"C2")
    bus = ActingBus(lambda command: raising(KeyError("x"))(command) if command.code == "C1" else None)  # type: ignore[attr-defined]
    first, second = stored(bad, good)
    drain(bus).run_once()
    assert (state_of(first), state_of(second)) == ("received", "handled")
    (third,) = stored(good.replace(b"X2", b"X3").replace(b"C2", b"C3"))
    drain(bus).run_once()
    assert state_of(third) == "handled"
