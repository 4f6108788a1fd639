"""The diagnostic report as approved (E1), text and document."""

import peewee

from core.fields import SealedBytesField, SealedTextField, UtcDateTimeField
from core.models.base import Record
from core.models.exam import Exam


class Report(Record):
    """The current report of an exam. `status` is F (final), C (corrected) or X (withdrawn: nobody is shown it) — HL7
    table 0085."""

    exam = peewee.ForeignKeyField(Exam, unique=True, backref="report", on_delete="CASCADE")
    status = peewee.CharField(max_length=1)
    findings = SealedTextField(default="")
    impression = SealedTextField(default="")
    reporter = peewee.CharField(max_length=64, default="")
    approver = peewee.CharField(max_length=64, default="")
    approved_at = UtcDateTimeField()
    source_at = UtcDateTimeField()


class ReportDocument(Record):
    """The signed document that came with a report."""

    report = peewee.ForeignKeyField(Report, unique=True, backref="document", on_delete="CASCADE")
    media_type = peewee.CharField(max_length=64)
    content = SealedBytesField()
    sm3 = peewee.CharField(max_length=64)
