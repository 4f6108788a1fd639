"""What comes in is stored before it is answered, once, and whatever it is it can be seen."""

from typing import Any

import pytest

from core import failpoints, outbox
from core.db import database
from core.models import InboundMessage, OutboxEvent
from hl7_engine import acknowledge, charset, inbox
from hl7_engine.acknowledge import AckResult
from hl7_engine.er7 import Message
from hl7_engine.framing import Damage, Frame
from simulators.his_messages import adt_a04, omg_o19
from tests.unit.hl7_engine.samples import EXAM, PATIENT, envelope

pytestmark = [pytest.mark.requirement("P6", "P2"), pytest.mark.usefixtures("memory_database")]

ADDRESS = "10.0.0.5"
ORDER = omg_o19(PATIENT, EXAM, envelope("M1"))


def accept(raw: bytes, damage: Damage | None = None) -> AckResult:
    return acknowledge.parse(inbox.accept(Frame(raw, damage), ADDRESS))


def rows() -> list[InboundMessage]:
    return list(InboundMessage.select().order_by(InboundMessage.id))


def test_message_is_stored_sealed_with_its_work_and_acknowledged() -> None:
    assert accept(ORDER) == AckResult("AA", "M1")
    (row,) = rows()
    assert (row.peer, row.control_id, row.message_type) == ("HIS|HOSPITAL", "M1", "OMG^O19")
    assert (row.state, row.charset, row.body, row.error) == ("received", "gb18030", ORDER, "")
    (stored,) = database.execute_sql("SELECT body FROM inbound_message").fetchone()
    assert "珅東".encode("gb18030") not in bytes(stored)
    (work,) = outbox.claim(10)
    assert (work.kind, work.payload) == ("hl7_received", {"message_id": row.id})


def test_commit_comes_before_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int, int]] = []
    inside: dict[str, Any] = {}

    def spy(name: str) -> None:
        inside[name] = database.in_transaction()
        seen.append((name, InboundMessage.select().count(), OutboxEvent.select().count()))

    def build(*arguments: Any) -> bytes:
        spy("answer")
        return b""

    monkeypatch.setattr(failpoints, "passing", spy)
    monkeypatch.setattr(acknowledge, "build", build)
    inbox.accept(Frame(ORDER), ADDRESS)
    assert seen == [("hl7.before_commit", 1, 1), ("hl7.before_ack", 1, 1), ("answer", 1, 1)]
    assert inside == {"hl7.before_commit": True, "hl7.before_ack": False, "answer": False}


def test_death_before_the_commit_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(name: str) -> None:
        raise SystemExit(name)

    monkeypatch.setattr(failpoints, "passing", die)
    with pytest.raises(SystemExit, match="before_commit"):
        inbox.accept(Frame(ORDER), ADDRESS)
    assert rows() == []
    assert OutboxEvent.select().count() == 0


@pytest.mark.parametrize(
    "repeated",
    [ORDER, ORDER.replace(b"20261124120000+0800", b"20261124130000+0800"), ORDER.replace(b"\r", b"\r\n")],
    ids=["the same bytes", "sent anew with another MSH-7", "other line ends"],
)
def test_repetition_is_acknowledged_and_not_stored_again(repeated: bytes) -> None:
    accept(ORDER)
    InboundMessage.update(state="handled").execute()
    assert accept(repeated) == AckResult("AA", "M1")
    (row,) = rows()
    assert row.state == "handled"
    assert OutboxEvent.select().count() == 1


def test_reused_control_id_with_another_content_is_another_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    accept(ORDER)
    accept(omg_o19(PATIENT, EXAM, envelope("M1"), control="XO"))
    assert len(rows()) == 2
    assert "control_id_reused" in "".join(capsys.readouterr())


def test_same_control_id_of_another_sender_is_another_message() -> None:
    accept(ORDER)
    accept(ORDER.replace(b"|HIS|HOSPITAL|", b"|RIS|HOSPITAL|"))
    assert [row.peer for row in rows()] == ["HIS|HOSPITAL", "RIS|HOSPITAL"]


def test_messages_of_one_order_are_handled_in_order_and_others_beside_them() -> None:
    accept(ORDER)
    accept(omg_o19(PATIENT, EXAM, envelope("M2"), control="XO"))
    accept(adt_a04(PATIENT, envelope("M3")))
    first, other = outbox.claim(10)
    assert (first.payload["message_id"], other.payload["message_id"]) == (1, 3)
    outbox.finish(first.id)
    (second,) = outbox.claim(10)
    assert second.payload["message_id"] == 2
    streams = [row.stream for row in OutboxEvent.select()]
    assert not any("SQ1" in stream or "0001234567" in stream for stream in streams)


@pytest.mark.parametrize(
    ("raw", "damage", "code", "control_id", "peer", "error"),
    [
        (b"", None, "AR", "", ADDRESS, "does not begin with an MSH"),
        (b"HELLO", None, "AR", "", ADDRESS, "does not begin with an MSH"),
        (ORDER[:200], Damage.NO_END, "AR", "M1", "HIS|HOSPITAL", "has no end"),
        (ORDER[:200], Damage.TOO_LONG, "AR", "M1", "HIS|HOSPITAL", "longer than"),
        (ORDER + b"\xff\xff", None, "AE", "M1", "HIS|HOSPITAL", "neither UTF-8 nor GB18030"),
        (ORDER + b"\x00", None, "AE", "M1", "HIS|HOSPITAL", "NUL"),
        (ORDER.replace(b"|M1|", b"||"), None, "AE", "", "HIS|HOSPITAL", "MSH-10, the control id, is missing"),
        (ORDER.replace(b"OMG^O19^OMG_O19", b""), None, "AE", "M1", "HIS|HOSPITAL", "MSH-9, the message type"),
    ],
    ids=["empty", "no header", "no end", "too long", "characters", "NUL", "no control id", "no type"],
)
def test_what_is_refused_is_kept_and_says_why(
    raw: bytes, damage: Damage | None, code: str, control_id: str, peer: str, error: str
) -> None:
    answer = accept(raw, damage)
    assert (answer.code, answer.control_id) == (code, control_id)
    assert error in answer.text
    accept(raw, damage)
    (row,) = rows()
    assert (row.state, row.peer, row.control_id, row.body) == ("refused", peer, control_id, raw)
    assert error in row.error
    assert OutboxEvent.select().count() == 0


def test_answer_is_addressed_to_the_sender_in_its_own_characters() -> None:
    raw = ORDER.replace(b"|HIS|HOSPITAL|", "|HIS|珅東医院|".encode("gb18030"))
    answer = inbox.accept(Frame(raw), ADDRESS)
    text, used = charset.decode(answer)
    message = Message.parse(text)
    assert used == "gb18030"
    assert [message.get(f"MSH-{place}") for place in (3, 4, 5, 6)] == [
        "CLOUDFILM",
        "CLOUDFILM",
        "HIS",
        "珅東医院",
    ]
    assert message.get("MSH-9") == "ACK^O19^ACK"
    assert message.get("MSH-18") == "GB 18030-2000"
    assert message.get("MSH-10") not in ("", "M1")
    assert InboundMessage.get().peer == "HIS|珅東医院"


def test_answer_uses_the_separators_of_the_sender() -> None:
    answer = inbox.accept(Frame(b"MSH!@*%$!HIS!A!B!C!20261124!!ORM@O01!M7!P!2.3\r"), ADDRESS)
    assert answer.startswith(b"MSH!@*%$!B!C!HIS!A!")
    assert b"\rMSA!AA!M7\r" in answer
    assert b"!ACK@O01@ACK!" in answer


def test_refusal_carries_an_err_segment() -> None:
    answer = Message.parse(inbox.accept(Frame(ORDER.replace(b"|M1|", b"||")), ADDRESS).decode())
    assert answer.get("ERR-3") == "101^Required field missing^HL70357"
    assert (answer.get("ERR-4"), answer.get("MSA-3")) == ("E", answer.get("ERR-8"))


def test_answer_when_nothing_could_be_stored() -> None:
    answer = acknowledge.parse(inbox.unavailable(Frame(ORDER), ADDRESS))
    assert (answer.code, answer.control_id) == ("AR", "M1")
    assert "send it again" in answer.text


def test_overlong_names_of_the_peer_are_cut_for_the_row_and_echoed_whole() -> None:
    long_id = "X" * 100
    assert accept(ORDER.replace(b"|M1|", f"|{long_id}|".encode())).control_id == long_id
    assert rows()[0].control_id == long_id[:64]
