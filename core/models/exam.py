"""One examination: the join of order, images, money and report (ARCHITECTURE §1)."""

import peewee

from core.fields import UtcDateTimeField
from core.models.base import Record
from core.models.patient import Patient


class Exam(Record):
    """Known by its accession number. A time stays empty until that thing happened; a placeholder has no `ordered_at`."""

    accession_number = peewee.CharField(max_length=64, unique=True)
    placer_order_number = peewee.CharField(max_length=64, default="", index=True)
    patient = peewee.ForeignKeyField(Patient, null=True, backref="exams")
    item_code = peewee.CharField(max_length=64, default="")
    item_name = peewee.CharField(max_length=128, default="")
    modality = peewee.CharField(max_length=16, default="")
    department = peewee.CharField(max_length=64, default="")
    visit_number = peewee.CharField(max_length=64, default="")
    patient_class = peewee.CharField(max_length=4, default="")
    ordered_at = UtcDateTimeField(null=True)
    scheduled_at = UtcDateTimeField(null=True)
    # When the appointment was last spoken of: of two news the later said one counts, not the later heard one.
    scheduled_said_at = UtcDateTimeField(null=True)
    arrived_at = UtcDateTimeField(null=True)
    performed_at = UtcDateTimeField(null=True)
    cancelled_at = UtcDateTimeField(null=True)
    reported_at = UtcDateTimeField(null=True)
    published_at = UtcDateTimeField(null=True, index=True)


class ExamStudy(Record):
    """A StudyInstanceUID that RIS declared to belong to an exam (IHE RAD ZDS, OBX 113014), before or after the images."""

    exam = peewee.ForeignKeyField(Exam, backref="declared_studies", on_delete="CASCADE")
    study_uid = peewee.CharField(max_length=64, unique=True)
    completed_at = UtcDateTimeField(null=True)
