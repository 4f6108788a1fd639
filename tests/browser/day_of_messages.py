"""A hospital's day as the operators' pages show it: real messages through inbox and drain, debts, alarms, an audit."""

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from app.bindings import bind_commands
from core import alarms
from core.bus import InProcessBus
from core.commands import PatientFacts
from core.config import Settings
from core.models import Alarm, InboundMessage
from hl7_engine import inbox, watch
from hl7_engine.drain import Drain
from hl7_engine.incoming import Incoming
from hl7_engine.site import Peer, Site
from simulators.his_messages import Envelope, ExamFacts, ReportFacts, adt_a04, dft_cg, omg_o19, oru_r01
from tests.unit.hl7_engine.stored import counted, owed
from workflow.context import Platform

SITE = Site(
    peers=(
        Peer(name="HIS", sender="HIS|HOSPITAL", silent_minutes=60),
        Peer(name="RIS", sender="RIS|HOSPITAL", silent_minutes=120),
        Peer(name="医院集成平台", sender="ESB|HOSPITAL", silent_minutes=30),
    )
)
_PEOPLE = (
    ("张珅東", "330683198506151230", "13800138000", "M"),
    ("欧阳晓雯", "330102199202283321", "13900139000", "F"),
    ("李建国", "330122195011073317", "13700137000", "M"),
)
_ITEMS = (("CT", "胸部CT平扫"), ("MR", "颅脑MR平扫+增强"), ("DX", "左膝关节正侧位"))
_REPORT = ReportFacts(
    findings="右肺上叶见一磨玻璃结节，大小约6mm×5mm，边界清楚。\n余肺野清晰，纵隔未见肿大淋巴结。",
    impression="右肺上叶磨玻璃结节，建议6个月后复查。",
    reporter="赵文",
    approver="王建平",
)
_MINUTE = timedelta(minutes=1)


def fill(settings: Settings, moment: datetime) -> None:
    """Write the day before `moment` into the database that is connected."""
    bus = InProcessBus()
    platform = cast(Platform, SimpleNamespace(settings=settings, site=SITE))
    bind_commands(bus, platform)
    inbox.accept(_incoming(moment), SITE)
    Drain(bus, SITE, lambda *_: None).run_once()
    inbox.accept([Incoming(_adt("W1", 2, moment), "10.20.1.5")], SITE)
    rows = list(InboundMessage.select(InboundMessage.id).order_by(InboundMessage.id))
    for place, row in enumerate(reversed(rows)):
        at = moment - place * 2 * _MINUTE - timedelta(seconds=20)
        handled: dict[str, Any] = {"handled_at": at + timedelta(seconds=1)} if place else {}
        InboundMessage.update(created_at=at, **handled).where(InboundMessage.id == row.id).execute()
    _count_traffic(moment)
    _owe_and_alarm(moment)


def _incoming(moment: datetime) -> list[Incoming]:
    ris = "10.20.1.8"
    taken = []
    for number, (modality, name) in enumerate(_ITEMS):
        patient, exam = _patient(number), _exam(number, modality, name)
        taken += [
            Incoming(_adt(f"A{number}", number, moment), "10.20.1.5"),
            Incoming(omg_o19(patient, exam, _envelope(f"O{number}", moment)), "10.20.1.5"),
            Incoming(dft_cg(patient, exam, f"JS{number}", _envelope(f"D{number}", moment)), "10.20.1.5"),
        ]
    report = oru_r01(_patient(0), _exam(0, *_ITEMS[0]), _REPORT, _envelope("R0", moment))
    other = oru_r01(_patient(1), _exam(1, *_ITEMS[1]), _REPORT, _envelope("R1", moment))
    query = b'{"action": "RegisterPatient", "id": "1", "data": {}}'
    return [
        *taken,
        Incoming(report, ris),
        Incoming(report.replace(b"|R0|", b"|R2|").replace(b"||||||F\r", b"||||||F\r", 1), ris),
        Incoming(_with_bad_time(other), ris),
        Incoming(other.replace(b"ORU^R01^ORU_R01", b"VXU^V04").replace(b"|R1|", b"|R4|"), ris),
        Incoming(_adt("A9", 1, moment).replace(b"|A9|", b"||"), "10.20.1.5"),
        Incoming("EHLO 测试".encode("gb18030"), "10.20.9.77"),
        Incoming(
            query,
            "10.20.1.9",
            channel="rest",
            format="json",
            peer="自助机一号",
            message_type="RegisterPatient",
        ),
    ]


def _with_bad_time(report: bytes) -> bytes:
    """OBR-22 as a person would write it."""
    lines = report.split(b"\r")
    place = next(at for at, line in enumerate(lines) if line.startswith(b"OBR|"))
    fields = lines[place].split(b"|")
    fields[22] = "昨天下午".encode("gb18030")
    lines[place] = b"|".join(fields)
    return b"\r".join(lines)


def _count_traffic(moment: datetime) -> None:
    for hour in range(1, 24):
        busy = 5 + 40 * (8 <= (moment - hour * 60 * _MINUTE).hour % 24 <= 18) + (hour * 7) % 23
        counted_at = moment - hour * 60 * _MINUTE
        for peer, part in (("HIS|HOSPITAL", 1), ("RIS|HOSPITAL", 3)):
            counted(timedelta(), number=busy // part, peer=peer, created_at=counted_at, **_at(counted_at))
    counted(timedelta(), "parked", 2, peer="RIS|HOSPITAL", **_at(moment - 60 * _MINUTE))
    counted(timedelta(), "handled", 12, peer="ESB|HOSPITAL", channel="soap", **_at(moment - 300 * _MINUTE))


def _at(moment: datetime) -> dict[str, Any]:
    return {"hour": moment.replace(minute=0, second=0, microsecond=0), "last_at": moment}


def _owe_and_alarm(moment: datetime) -> None:
    owed(
        key="payment:FY0001",
        state="sent",
        ack_code="AA",
        created_at=moment - 90 * _MINUTE,
        sent_at=moment - 89 * _MINUTE,
    )
    owed(
        key="payment:FY0002",
        work="parked",
        created_at=moment - 40 * _MINUTE,
        error="Rejected: HIS answered AE to CF2: 收费单 FY0002 不存在",
    )
    owed(key="payment:FY0003", created_at=moment - 3 * _MINUTE)
    watch.look(SITE, moment)
    for kind, subject, text, began, ended in (
        ("outgoing_late", "HIS", "HIS 有 7 条外发消息未送达，最早的已等待 16 分钟", 700, 640),
        ("message_backlog", "inbox", "有 1,482 条消息等待处理，最早的已等待 6 分钟", 1500, 1489),
        (
            "control_id_reused",
            "RIS|HOSPITAL",
            "RIS|HOSPITAL gave the control id R7 to two different messages",
            2900,
            2840,
        ),
    ):
        alarms.begin(kind, subject, text)
        alarms.end(kind, subject)
        newest = Alarm.select().order_by(Alarm.id.desc()).first()
        Alarm.update(created_at=moment - began * _MINUTE, ended_at=moment - ended * _MINUTE).where(
            Alarm.id == newest.id
        ).execute()
    Alarm.update(created_at=moment - 25 * _MINUTE).where(Alarm.open_key.is_null(False)).execute()


def _patient(number: int) -> PatientFacts:
    name, id_number, phone, sex = _PEOPLE[number % len(_PEOPLE)]
    return PatientFacts(
        identifiers=(("HIS", f"000123456{number}"),),
        name=name,
        id_number=id_number,
        phone=phone,
        sex=sex,
        birth_date=f"{id_number[6:10]}-{id_number[10:12]}-{id_number[12:14]}",
    )


def _exam(number: int, modality: str, name: str) -> ExamFacts:
    return ExamFacts(
        accession_number=f"{modality}2026112400{number:02}",
        placer_order_number=f"SQ2026112400{number:02}",
        item_code=f"2103000{number:02}",
        item_name=name,
        modality=modality,
        fee_line_id=f"FY{number:04}",
        amount_fen=2000,
    )


def _adt(control_id: str, number: int, moment: datetime) -> bytes:
    return adt_a04(_patient(number), _envelope(control_id, moment))


def _envelope(control_id: str, moment: datetime) -> Envelope:
    return replace(Envelope(control_id, moment), control_id=control_id)
