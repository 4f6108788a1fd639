"""Commands as JSON: every one there and back, every mistake told by its field and without its value."""

import json
from base64 import b64encode
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from core import commands
from core.commands import (
    CancelOrder,
    CancelVisit,
    CompleteExam,
    DeliverReport,
    FeeLine,
    MergePatients,
    NoteProgress,
    PatientFacts,
    PlaceOrder,
    ReceiveInstance,
    RefundFee,
    RegisterPatient,
    ScheduleExam,
    SettleFee,
    UpdateDictionary,
    WaiveFee,
    WithdrawReport,
)
from hl7_engine import documents, json_commands, json_shape
from hl7_engine.errors import Unreadable, Unsupported
from tests.unit.hl7_engine.samples import NOON, PATIENT, PDF

pytestmark = pytest.mark.requirement("P2", "P6")

FILM = FeeLine("FY0002", "SQ1", "YYX0001", 2000, True, "charge", paid=True, paid_at=NOON, channel="kiosk")
ALL: list[object] = [
    RegisterPatient(PATIENT, NOON),
    MergePatients(PATIENT, (("HIS", "0009"), ("HIS", "0010")), NOON),
    CancelVisit(PATIENT, "MZ1", NOON),
    PlaceOrder("CT1", "SQ1", PATIENT, "2103", "胸部CT平扫", "CT", "心内科", "MZ1", "O", NOON, (FILM,)),
    CancelOrder("", "SQ1", NOON),
    ScheduleExam("", "SQ1", PATIENT, "booked", NOON, NOON),
    ScheduleExam("", "SQ1", PATIENT, "cancelled", None, NOON),
    NoteProgress("CT1", "", PATIENT, "in_progress", NOON),
    CompleteExam("CT1", "SQ1", PATIENT, ("1.2.156.1", "1.2.156.2"), NOON),
    DeliverReport("CT1", "SQ1", PATIENT, "F", "所见\n二", "诊断", "赵", "王", NOON, (), PDF, "application/pdf"),
    WithdrawReport("CT1", "SQ1", NOON),
    SettleFee("his", "FY0002", "FY0002", 2000, NOON, "cashier", "T1"),
    RefundFee("his", "FY0012", "FY0002", 2000, NOON, "cashier"),
    WaiveFee("FY0002", "SQ1", NOON),
    UpdateDictionary("item", "2103", "胸部CT平扫", True, NOON),
]  # fmt: skip


def as_json(value: Any) -> Any:
    """A value as a sender writes it."""
    if is_dataclass(value):
        return {part.name: as_json(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, tuple):
        return [as_json(part) for part in value]
    if isinstance(value, datetime):
        return value.astimezone(timezone(timedelta(hours=8))).isoformat()
    return b64encode(value).decode() if isinstance(value, bytes) else value


def envelope(command: object, **changes: Any) -> dict[str, Any]:
    return {"action": type(command).__name__, "id": "M1", "data": {**as_json(command), **changes}}


def sent(told: Any) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode()


@pytest.mark.parametrize("command", ALL, ids=lambda command: type(command).__name__)
def test_every_command_comes_as_json_and_fits_the_schema(command: object) -> None:
    told = envelope(command)
    assert json_commands.read(sent(told)) == [command]
    Draft202012Validator(json_commands.schema()).validate(told)


def test_every_command_but_images_may_be_sent() -> None:
    told = {
        name
        for name, kind in vars(commands).items()
        if isinstance(kind, type) and kind.__module__ == "core.commands"
    }
    inner = {PatientFacts.__name__, FeeLine.__name__}
    assert set(json_shape.ACTIONS) == told - inner - {ReceiveInstance.__name__}
    assert {type(command).__name__ for command in ALL} == set(json_shape.ACTIONS)


def test_a_list_keeps_its_order() -> None:
    content = sent([envelope(command) for command in ALL])
    assert json_commands.read(content) == ALL
    Draft202012Validator(json_commands.schema()).validate(json.loads(content))


def test_what_has_a_default_may_be_left_out() -> None:
    told = envelope(ALL[3])
    for name in ("phone", "sex", "birth_date", "name", "id_number"):
        del told["data"]["patient"][name]
    del told["data"]["fee_lines"]
    (command,) = json_commands.read(sent(told))
    assert isinstance(command, PlaceOrder)
    assert command.patient == PatientFacts(PATIENT.identifiers)
    assert command.fee_lines == ()


def test_gb18030_is_read() -> None:
    content = json.dumps(envelope(ALL[0]), ensure_ascii=False).encode("gb18030")
    assert json_commands.read(content) == [ALL[0]]


def test_times_are_kept_as_utc() -> None:
    (command,) = json_commands.read(sent(envelope(ALL[4], said_at="2026-11-24T12:00:00+08:00")))
    assert command == CancelOrder("", "SQ1", datetime(2026, 11, 24, 4, 0, tzinfo=UTC))


REFUSED: list[tuple[int, dict[str, Any], str]] = [
    (4, {"said_at": "2026-11-24T12:00:00"}, "data.said_at"),
    (4, {"said_at": "yesterday"}, "data.said_at"),
    (4, {"said_at": "0001-01-01T00:00:00+08:00"}, "data.said_at"),
    (4, {"said_at": 5}, "data.said_at"),
    (4, {"accession_number": 7}, "data.accession_number"),
    (4, {"accession_number": None}, "data.accession_number"),
    (4, {"accession_number": "7" * 65}, "data.accession_number"),
    (4, {"accession_number": "7\x00"}, "data.accession_number"),
    (4, {"accession_number": "\ud800"}, "data.accession_number"),
    (4, {"note": "x"}, "data.note"),
    (0, {"patient": {"identifiers": [["HIS", ""]]}}, "data.patient.identifiers[0][1]"),
    (0, {"patient": {"identifiers": [["HIS"]]}}, "data.patient.identifiers[0]"),
    (0, {"patient": {"identifiers": "0001"}}, "data.patient.identifiers"),
    (0, {"patient": {"identifiers": [], "sex": "男"}}, "data.patient.sex"),
    (0, {"patient": {"identifiers": [], "birth_date": "19850615"}}, "data.patient.birth_date"),
    (0, {"patient": {"identifiers": [], "birth_date": "1985-02-30"}}, "data.patient.birth_date"),
    (0, {"patient": {"name": "张珅東"}}, "data.patient.identifiers"),
    (0, {"patient": "张珅東"}, "data.patient"),
    (3, {"fee_lines": [{}]}, "data.fee_lines[0].fee_line_id"),
    (3, {"patient_class": "OUTPATIENT"}, "data.patient_class"),
    (5, {"status": "arrived"}, "data.status"),
    (8, {"study_uids": ["1.2.x"]}, "data.study_uids[0]"),
    (9, {"document": "JVBERi0x*"}, "data.document"),
    (9, {"document": b64encode(b"no pdf").decode()}, "data.document"),
    (9, {"document_type": ""}, "document_type"),
    (9, {"document": None}, "document_type"),
    (9, {"status": "P"}, "data.status"),
    (11, {"amount_fen": 20.0}, "data.amount_fen"),
    (11, {"amount_fen": "2000"}, "data.amount_fen"),
    (11, {"amount_fen": True}, "data.amount_fen"),
    (11, {"amount_fen": -1}, "data.amount_fen"),
    (11, {"amount_fen": 10**12}, "data.amount_fen"),
    (11, {"key": ""}, "data.key"),
    (14, {"is_active": 1}, "data.is_active"),
]


@pytest.mark.parametrize(("place", "changes", "field"), REFUSED, ids=lambda told: str(told)[:40])
def test_mistakes_are_told_by_their_field(place: int, changes: dict[str, Any], field: str) -> None:
    told = envelope(ALL[place], **changes)
    content = json.dumps(told).encode()
    with pytest.raises(Unreadable) as refused:
        json_commands.read(content)
    assert field in str(refused.value)
    for value in ("张", "男", "19850615", "0001", "77777", "yesterday", "OUTPATIENT"):
        assert value not in str(refused.value)


def test_a_field_that_is_missing_is_named() -> None:
    told = envelope(ALL[11])
    del told["data"]["paid_at"]
    with pytest.raises(Unreadable, match=r"data\.paid_at is missing"):
        json_commands.read(sent(told))


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"{", "no JSON"),
        (b"", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"1" * 5000, "no JSON"),
        (b"7", "is an object, or a list"),
        (b"[]", "1 to 1000"),
        (b"[7]", r"\[0\] is no object"),
        (b'{"data": {}}', "action"),
        (b'{"action": 7, "data": {}}', "action"),
        (b'{"action": "CancelOrder"}', "data is missing"),
        (b'{"action": "CancelOrder", "data": []}', "data is no object"),
        (b'{"action": "CancelOrder", "id": 7, "data": {}}', "id"),
        (b'{"action": "CancelOrder", "data": {}, "data": {}}', "twice"),
        (b'{"action": "CancelOrder", "data": {"said_at": NaN}}', "NaN"),
        ('{"action": "CancelOrder", "张三": 1, "data": {}}'.encode(), "a field is not known"),
    ],
)
def test_what_is_no_message_is_refused(content: bytes, match: str) -> None:
    with pytest.raises(Unreadable, match=match):
        json_commands.read(content)


@pytest.mark.parametrize(
    "content", [b"[" + b"{}," * 200_000 + b"{}]", b"[" * 200_001, b"[" + b"0," * 500_001 + b"0]"]
)
def test_what_would_cost_too_much_is_refused_unparsed(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json, "loads", lambda *_, **__: pytest.fail("it was parsed"))
    for read in (json_commands.read, lambda content: documents.require_well_formed("json", content)):
        with pytest.raises(Unreadable, match="more than 200000 objects and lists"):
            read(content)
    assert json_commands.heading(content) == ("", "")


def test_the_marks_are_counted_in_characters_not_in_bytes() -> None:
    # The second byte of this character is a bracket in GB18030.
    told = {"text": "乕" * 300_000}
    content = json.dumps(told, ensure_ascii=False).encode("gb18030")
    assert content.count(b"[") > 200_000
    assert json_commands.load(content) == (told, "gb18030")


@pytest.mark.parametrize(
    "content", [b'{"action": "CancelOrder", "action": "x", "data": {}}', b'{"action": NaN}', b"7"]
)
def test_the_door_refuses_what_no_reader_would_take(content: bytes) -> None:
    with pytest.raises(Unreadable):
        documents.require_well_formed("json", content)


def test_a_text_is_measured_before_it_is_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_through: list[int] = []
    spy = SimpleNamespace(search=lambda text: looked_through.append(len(text)))
    monkeypatch.setattr(json_commands, "_UNWRITABLE", spy)
    with pytest.raises(Unreadable, match=r"data\.placer_order_number has more than 64 characters"):
        json_commands.read(sent(envelope(ALL[4], placer_order_number="\x00" * 1_000_000)))
    assert max(looked_through, default=0) <= 64


@pytest.mark.parametrize("action", ["ReceiveInstance", "PatientFacts", "__class__", "DropTables"])
def test_other_actions_are_unsupported(action: str) -> None:
    with pytest.raises(Unsupported, match="RegisterPatient, MergePatients"):
        json_commands.read(sent({"action": action, "data": {}}))


def test_one_mistake_in_a_list_refuses_all_of_it() -> None:
    with pytest.raises(Unreadable, match=r"\[1\]\.data\.said_at"):
        json_commands.read(sent([envelope(ALL[0]), envelope(ALL[4], said_at="")]))


def test_the_schema_refuses_what_the_reader_refuses() -> None:
    validator = Draft202012Validator(json_commands.schema(), format_checker=None)
    Draft202012Validator.check_schema(json_commands.schema())
    by_schema = [
        changes for place, changes, _ in REFUSED if not validator.is_valid(envelope(ALL[place], **changes))
    ]
    # What a schema cannot say: times, calendars, PDFs, NUL, and that two fields belong together.
    assert len(by_schema) >= len(REFUSED) - 12


def test_the_heading_of_a_message_that_need_not_be_right() -> None:
    assert json_commands.heading(sent(envelope(ALL[4]))) == ("M1", "CancelOrder")
    assert json_commands.heading(sent([envelope(ALL[4]), envelope(ALL[5])])) == ("M1", "CancelOrder")
    for content in (b"{", b"[]", b"7", b'{"id": 7, "action": "x"}'):
        assert json_commands.heading(content) == ("", "")
