"""A stored message takes effect once, as a whole, or is put aside with its reason."""

import pytest

from core import failpoints
from core.bus import InProcessBus, MemoryBus
from core.commands import PlaceOrder, RegisterPatient
from core.errors import Conflict, Refused, Unavailable
from core.models import Exam, InboundMessage
from hl7_engine import inbox
from hl7_engine.framing import Frame
from hl7_engine.handle import handle
from hl7_engine.router import standard_router
from simulators.his_messages import adt_a04, omg_o19
from tests.unit.hl7_engine.samples import EXAM, FILM, PATIENT, envelope

pytestmark = [pytest.mark.requirement("P6", "P2"), pytest.mark.usefixtures("memory_database")]

ROUTER = standard_router(FILM)


def stored(raw: bytes) -> int:
    inbox.accept(Frame(raw), "10.0.0.5")
    return InboundMessage.select().order_by(InboundMessage.id.desc()).get().id


def state_of(message_id: int) -> str:
    return InboundMessage.get_by_id(message_id).state


class FailingBus:
    """Writes a row, then fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def submit(self, command: object) -> None:
        Exam.create(accession_number="CT1")
        raise self._error


def test_commands_are_submitted_once() -> None:
    bus = MemoryBus()
    message_id = stored(adt_a04(PATIENT, envelope()))
    handle(message_id, bus, ROUTER)
    handle(message_id, bus, ROUTER)
    (command,) = bus.submitted
    assert isinstance(command, RegisterPatient)
    assert command.patient == PATIENT
    row = InboundMessage.get_by_id(message_id)
    assert row.state == "handled"
    assert row.handled_at is not None


def test_message_that_does_not_exist_is_nothing() -> None:
    bus = MemoryBus()
    handle(4711, bus, ROUTER)
    assert bus.submitted == []


def test_mark_and_effect_are_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = InProcessBus()
    bus.on(PlaceOrder, lambda command: Exam.create(accession_number=command.accession_number))
    message_id = stored(omg_o19(PATIENT, EXAM, envelope()))

    def die(name: str) -> None:
        assert name == "hl7.before_handled"
        assert Exam.select().count() == 1
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(failpoints, "passing", die)
        handle(message_id, bus, ROUTER)
    assert (state_of(message_id), Exam.select().count()) == ("received", 0)
    handle(message_id, bus, ROUTER)
    assert (state_of(message_id), Exam.select().count()) == ("handled", 1)


@pytest.mark.parametrize("error", [Refused("no such exam"), Conflict("amounts differ")])
def test_refused_effect_is_undone_and_the_message_parked(error: Exception) -> None:
    message_id = stored(omg_o19(PATIENT, EXAM, envelope()))
    handle(message_id, FailingBus(error), ROUTER)
    row = InboundMessage.get_by_id(message_id)
    assert (row.state, row.error, Exam.select().count()) == ("parked", str(error), 0)


@pytest.mark.parametrize("error", [Unavailable("the other site is away"), ZeroDivisionError()])
def test_other_failures_leave_it_for_another_try(error: Exception) -> None:
    message_id = stored(omg_o19(PATIENT, EXAM, envelope()))
    with pytest.raises(type(error)):
        handle(message_id, FailingBus(error), ROUTER)
    assert (state_of(message_id), Exam.select().count()) == ("received", 0)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"ADT^A04^ADT_A01", b"SIU^S12^SIU_S12", "message type SIU^S12 is not read here"),
        (b"PID|", b"ZID|", "PID-3 has no patient number"),
    ],
)
def test_unreadable_message_is_parked_in_words(old: bytes, new: bytes, reason: str) -> None:
    message_id = stored(adt_a04(PATIENT, envelope()).replace(old, new))
    handle(message_id, MemoryBus(), ROUTER)
    row = InboundMessage.get_by_id(message_id)
    assert row.state == "parked"
    assert reason in row.error


def test_reason_holds_no_personal_numbers() -> None:
    message_id = stored(adt_a04(PATIENT, envelope()))
    handle(message_id, FailingBus(Refused(f"phone {PATIENT.phone} id {PATIENT.id_number}")), ROUTER)
    error = InboundMessage.get_by_id(message_id).error
    assert PATIENT.phone not in error
    assert PATIENT.id_number not in error
