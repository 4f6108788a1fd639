"""People and exams for the tests of the pages: rows as the workflow leaves them, one state at a time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from flask.testing import FlaskClient

from access import hospital_peers, sessions
from access import staff as staff_accounts
from access.sessions import NewSession
from api.cookies import SESSION
from core.config import Settings
from core.models import Charge, Exam, Pack, Patient, Report, ReportDocument, Series, Study
from core.personal_data import blind_index
from crypto.keyring import Keyring
from hl7_engine.site import STANDARD_SITE
from workflow.context import Platform

PHONE = "13800138000"
OTHER_PHONE = "13900139000"
MORNING = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
PDF = b"%PDF-1.7\n%%EOF\n"


@dataclass
class WechatFollower:
    """Stands for wechat.oauth.OAuth: one follower who always agrees."""

    openid: str = "o-follower"

    def authorize_url(self, redirect_uri: str, state: str) -> str:
        return f"https://wechat.invalid/authorize?redirect_uri={redirect_uri}&state={state}"

    def exchange(self, code: str) -> str:
        return f"{self.openid}-{code}"


def platform(settings: Settings, keyring: Keyring, **parts: Any) -> Platform:
    """Only what HTTP itself needs of a platform."""
    usual = {
        "wechat_oauth": WechatFollower(),
        "machine_keys": {},
        "hospital_peers": hospital_peers.load(settings.http_peers),
        "site": STANDARD_SITE,
    }
    return cast(Platform, SimpleNamespace(settings=settings, keyring=keyring, **(usual | parts)))


def patient(phone: str = PHONE, name: str = "张珅東") -> Patient:
    index = blind_index("phone", phone)
    found = Patient.get_or_none(Patient.phone_index == index)
    return found or Patient.create(
        name=name,
        name_index=blind_index("name", name),
        phone=phone,
        phone_index=index,
        sex="M",
        birth_date="1985-02-03",
    )


def exam(number: str = "CT1", *, phone: str = PHONE, at: datetime = MORNING, **columns: Any) -> Exam:
    """An ordered exam; neither paid nor anything else."""
    usual = {"item_name": "胸部CT平扫", "modality": "CT", "department": "呼吸内科", "performed_at": at}
    return Exam.create(accession_number=number, patient=patient(phone), ordered_at=at, **(usual | columns))


def fee_line(exam: Exam, **columns: Any) -> Charge:
    usual = {"item_code": "YYX0001", "amount_fen": 2500, "placer_order_number": exam.placer_order_number}
    return Charge.create(exam=exam, fee_line_id=f"FY-{exam.accession_number}", **(usual | columns))


def report(exam: Exam, *, document: bytes | None = PDF, **columns: Any) -> Report:
    usual = {"status": "F", "findings": "双肺纹理清晰。", "impression": "未见异常。", "reporter": "报告甲"}
    made = Report.create(
        exam=exam, approver="审核乙", approved_at=MORNING, source_at=MORNING, **(usual | columns)
    )
    if document is not None:
        ReportDocument.create(report=made, media_type="application/pdf", content=document, sm3="0" * 64)
    return made


def pack(exam: Exam, object_id: str = "ab" * 16) -> Pack:
    study = Study.create(study_uid=f"1.2.{exam.id}", exam=exam, last_received_at=MORNING)
    series = Series.create(series_uid=f"1.2.{exam.id}.1", study=study, number=1, last_received_at=MORNING)
    return Pack.create(
        series=series,
        generation=0,
        object_id=object_id,
        state="stored",
        header=b"h",
        wrapped_key=b"w",
        kek_version=1,
        key_commitment=b"c",
        plain_length=1000,
        sealed_length=1080,
        sealed_sm3="0" * 64,
        store_key=f"packs/{object_id}",
    )


def published(number: str = "CT1", *, phone: str = PHONE, at: datetime = MORNING, **columns: Any) -> Exam:
    """Everything has come: the patient may see it."""
    made = exam(number, phone=phone, at=at, reported_at=at, published_at=at + timedelta(hours=1), **columns)
    fee_line(made, state="paid", paid_at=at)
    report(made)
    return made


def sign_in(client: FlaskClient, phone: str = PHONE) -> NewSession:
    """A patient's session in this browser, without the code."""
    return _enter(client, sessions.open_patient_session(phone, "", 12))


def sign_in_staff(client: FlaskClient, role: str = "doctor") -> NewSession:
    person = staff_accounts.create_staff(f"{role}-1", "医生甲", role, "correct horse battery")
    return _enter(client, sessions.open_staff_session(person, 12))


def _enter(client: FlaskClient, new: NewSession) -> NewSession:
    client.set_cookie(SESSION, new.token)
    return new
