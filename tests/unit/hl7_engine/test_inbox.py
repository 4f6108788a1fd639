"""What comes in is stored before it is answered, once, and whatever it is it can be seen."""

from typing import Any

import pytest

from core import failpoints
from core.db import database
from core.models import InboundMessage
from hl7_engine import acknowledge, charset, inbox, profile
from hl7_engine.acknowledge import AckResult
from hl7_engine.er7 import Message
from hl7_engine.framing import Damage
from hl7_engine.incoming import Incoming, Receipt
from hl7_engine.site import Peer, Site
from simulators.his_messages import omg_o19
from tests.unit.hl7_engine.samples import EXAM, PATIENT, envelope

pytestmark = [pytest.mark.requirement("P6", "P2"), pytest.mark.usefixtures("memory_database")]

ADDRESS = "10.0.0.5"
ORDER = omg_o19(PATIENT, EXAM, envelope("M1"))


def take(raw: bytes, damage: Damage | None = None) -> Receipt:
    (receipt,) = inbox.accept([Incoming(raw, ADDRESS, damage=damage)])
    return receipt


def accept(raw: bytes, damage: Damage | None = None) -> AckResult:
    return acknowledge.parse(take(raw, damage).answer)


def rows() -> list[InboundMessage]:
    return list(InboundMessage.select().order_by(InboundMessage.id))


def test_message_is_stored_sealed_with_its_work_and_acknowledged() -> None:
    assert accept(ORDER) == AckResult("CA", "M1")
    (row,) = rows()
    assert (row.peer, row.control_id, row.message_type) == ("HIS|HOSPITAL", "M1", "OMG^O19")
    assert (row.state, row.charset, row.body, row.error) == ("received", "gb18030", ORDER, "")
    (stored,) = database.execute_sql("SELECT body FROM inbound_message").fetchone()
    assert "珅東".encode("gb18030") not in bytes(stored)
    assert (row.channel, row.format, row.address) == ("mllp", "er7", ADDRESS)


def test_large_message_is_stored_whole_and_once() -> None:
    large = ORDER + b"OBX|1|ED|||^^^Base64^" + b"QUJD" * 500_000 + b"\r"
    assert [take(large).state, take(large).state] == ["stored", "known"]
    assert [row.body for row in rows()] == [large]


def test_commit_comes_before_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int]] = []
    inside: dict[str, Any] = {}

    def spy(name: str) -> None:
        inside[name] = database.in_transaction()
        seen.append((name, InboundMessage.select().count()))

    def fill(*arguments: Any) -> bytes:
        spy("answer")
        return b""

    monkeypatch.setattr(failpoints, "passing", spy)
    monkeypatch.setattr(acknowledge.Template, "fill", fill)
    take(ORDER)
    assert seen == [("hl7.before_commit", 1), ("hl7.before_ack", 1), ("answer", 1)]
    assert inside == {"hl7.before_commit": True, "hl7.before_ack": False, "answer": False}


def test_death_before_the_commit_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(name: str) -> None:
        raise SystemExit(name)

    monkeypatch.setattr(failpoints, "passing", die)
    with pytest.raises(SystemExit, match="before_commit"):
        take(ORDER)
    assert rows() == []


@pytest.mark.parametrize(
    "repeated",
    [ORDER, ORDER.replace(b"20261124120000+0800", b"20261124130000+0800"), ORDER.replace(b"\r", b"\r\n")],
    ids=["the same bytes", "sent anew with another MSH-7", "other line ends"],
)
def test_repetition_is_acknowledged_and_not_stored_again(repeated: bytes) -> None:
    accept(ORDER)
    InboundMessage.update(state="handled").execute()
    assert accept(repeated) == AckResult("CA", "M1")
    (row,) = rows()
    assert row.state == "handled"


def test_reused_control_id_with_another_content_is_another_message() -> None:
    accept(ORDER)
    accept(omg_o19(PATIENT, EXAM, envelope("M1"), control="XO"))
    assert len(rows()) == 2


def test_same_control_id_of_another_sender_is_another_message() -> None:
    accept(ORDER)
    accept(ORDER.replace(b"|HIS|HOSPITAL|", b"|RIS|HOSPITAL|"))
    assert [row.peer for row in rows()] == ["HIS|HOSPITAL", "RIS|HOSPITAL"]


def test_batch_is_stored_in_its_order_and_each_message_has_its_own_receipt() -> None:
    accept(ORDER)
    other = omg_o19(PATIENT, EXAM, envelope("M2"), control="XO")
    found = inbox.accept([Incoming(raw, ADDRESS) for raw in (ORDER, other, b"HELLO", other)])
    assert [receipt.state for receipt in found] == ["known", "stored", "refused", "known"]
    assert [receipt.message_id for receipt in found] == [1, 2, 3, 2]
    assert [row.state for row in rows()] == ["received", "received", "refused"]


@pytest.mark.parametrize(
    ("told", "code", "refused"),
    [
        ("|||AL|NE", "CA", "CE"),
        ("|||AL|AL", "CA", "CE"),
        ("|||ER|NE", "", "CE"),
        ("|||SU|NE", "CA", ""),
        ("|||NE|NE", "", ""),
        ("|||NE|AL", "AA", "AE"),
        ("||||AL", "AA", "AE"),
        ("|||||", "AA", "AE"),
    ],
)
def test_answer_is_the_one_that_the_header_asks_for(told: str, code: str, refused: str) -> None:
    header = f"MSH|^~\\&|HIS|A|B|C|20261124||ADT^A04|M1|P|2.5.1{told}"
    assert _code(take(header.encode() + b"\rPID|1||7")) == code
    assert _code(take(header.replace("|M1|", "||").encode() + b"\rPID|1||7")) == refused


def _code(receipt: Receipt) -> str:
    return acknowledge.parse(receipt.answer).code if receipt.answer else ""


def test_profile_forces_a_mode_whatever_the_header_says() -> None:
    site = Site(peers=(Peer(name="RIS", sender="HIS|HOSPITAL", profile=profile.load("dragonris_23")),))
    (receipt,) = inbox.accept([Incoming(ORDER, ADDRESS)], site)
    assert _code(receipt) == "AA"


@pytest.mark.parametrize(
    ("form", "content", "state"),
    [
        ("json", b'{"action": "PlaceOrder"}', "stored"),
        ("json", '{"action": "瑋"}'.encode("gb18030"), "stored"),
        ("json", b"{", "refused"),
        ("json", b"7", "refused"),
        ("json", b"[" * 100_000, "refused"),
        ("v3", b"<a/>", "stored"),
        ("v3", '<?xml version="1.0" encoding="GBK"?><a>瑋</a>'.encode("gbk"), "stored"),
        ("v3", b"<a>", "refused"),
        ("v3", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "refused"),
    ],
)
def test_xml_and_json_are_only_checked_at_the_door(form: str, content: bytes, state: str) -> None:
    item = Incoming(content, ADDRESS, "soap", format=form, peer="his-web", message_type="CheckAppInfoAdd")
    first, second = inbox.accept([item, item])
    assert (first.state, first.answer) == (state, b"")
    assert second.state == ("known" if state == "stored" else "refused")
    (row,) = rows()
    assert (row.peer, row.message_type, row.format, row.body) == ("his-web", "CheckAppInfoAdd", form, content)
    assert bool(first.reason) == (state == "refused")


@pytest.mark.parametrize(
    ("raw", "damage", "code", "control_id", "peer", "error"),
    [
        (b"", None, "AR", "", ADDRESS, "does not begin with an MSH"),
        (b"HELLO", None, "AR", "", ADDRESS, "does not begin with an MSH"),
        (ORDER[:200], Damage.NO_END, "CR", "M1", "HIS|HOSPITAL", "has no end"),
        (ORDER[:200], Damage.TOO_LONG, "CR", "M1", "HIS|HOSPITAL", "longer than"),
        (ORDER + b"\xff\xff", None, "CE", "M1", "HIS|HOSPITAL", "neither UTF-8 nor GB18030"),
        (ORDER + b"\x00", None, "CE", "M1", "HIS|HOSPITAL", "NUL"),
        (ORDER.replace(b"|M1|", b"||"), None, "CE", "", "HIS|HOSPITAL", "MSH-10, the control id, is missing"),
        (ORDER.replace(b"OMG^O19^OMG_O19", b""), None, "CE", "M1", "HIS|HOSPITAL", "MSH-9, the message type"),
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


def test_answer_is_addressed_to_the_sender_in_its_own_characters() -> None:
    raw = ORDER.replace(b"|HIS|HOSPITAL|", "|HIS|珅東医院|".encode("gb18030"))
    answer = take(raw).answer
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
    answer = take(b"MSH!@*%$!HIS!A!B!C!20261124!!ORM@O01!M7!P!2.3\r").answer
    assert answer.startswith(b"MSH!@*%$!B!C!HIS!A!")
    assert b"\rMSA!AA!M7\r" in answer
    assert b"!ACK@O01@ACK!" in answer


def test_refusal_carries_an_err_segment() -> None:
    answer = Message.parse(charset.decode(take(ORDER.replace(b"|M1|", b"||")).answer).text)
    assert answer.get("ERR-3") == "101^Required field missing^HL70357"
    assert (answer.get("ERR-4"), answer.get("MSA-3")) == ("E", answer.get("ERR-8"))


def test_answer_when_nothing_could_be_stored() -> None:
    answer = acknowledge.parse(inbox.unavailable(Incoming(ORDER, ADDRESS)).answer)
    assert (answer.code, answer.control_id) == ("CR", "M1")
    assert "send it again" in answer.text


def test_overlong_names_of_the_peer_are_cut_for_the_row_and_echoed_whole() -> None:
    long_id = "X" * 100
    assert accept(ORDER.replace(b"|M1|", f"|{long_id}|".encode())).control_id == long_id
    assert rows()[0].control_id == long_id[:64]
