"""The tables, one file per aggregate. Rows are the model: no mappers."""

from core.models.access import OtpChallenge, Session, Staff, WechatBinding
from core.models.alarm import Alarm
from core.models.annotation import Annotation
from core.models.audit_event import AuditEvent, AuditHead
from core.models.base import Record
from core.models.charge import Charge, LedgerEntry, PriceItem, Settlement
from core.models.dictionary import DictionaryItem
from core.models.exam import Exam, ExamStudy
from core.models.film import PackView
from core.models.live_room import LiveRoom
from core.models.message import (
    ConnectorPosition,
    InboundMessage,
    IntakeProblem,
    MessageCount,
    OutboundMessage,
)
from core.models.notification import Notification
from core.models.outbox_event import OutboxEvent
from core.models.patient import Patient, PatientIdentifier
from core.models.report import Report, ReportDocument
from core.models.study import Instance, Pack, Series, Study

# In the order of their foreign keys, so that create and drop work as listed.
ALL_MODELS: tuple[type[Record], ...] = (
    Patient,
    PatientIdentifier,
    Exam,
    ExamStudy,
    Study,
    Series,
    Pack,
    Instance,
    PackView,
    Report,
    ReportDocument,
    PriceItem,
    Charge,
    Settlement,
    LedgerEntry,
    OtpChallenge,
    Staff,
    Session,
    WechatBinding,
    Annotation,
    LiveRoom,
    InboundMessage,
    OutboundMessage,
    IntakeProblem,
    MessageCount,
    ConnectorPosition,
    DictionaryItem,
    Alarm,
    Notification,
    OutboxEvent,
    AuditEvent,
    AuditHead,
)

__all__ = [
    "ALL_MODELS",
    "Alarm",
    "Annotation",
    "AuditEvent",
    "AuditHead",
    "Charge",
    "ConnectorPosition",
    "DictionaryItem",
    "Exam",
    "ExamStudy",
    "InboundMessage",
    "Instance",
    "IntakeProblem",
    "LedgerEntry",
    "LiveRoom",
    "MessageCount",
    "Notification",
    "OtpChallenge",
    "OutboundMessage",
    "OutboxEvent",
    "Pack",
    "PackView",
    "Patient",
    "PatientIdentifier",
    "PriceItem",
    "Record",
    "Report",
    "ReportDocument",
    "Series",
    "Session",
    "Settlement",
    "Staff",
    "Study",
    "WechatBinding",
]
