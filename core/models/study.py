"""Received DICOM: study, series, instance (PS3.3 §A.1.2), each by its UID."""

import peewee

from core.fields import SealedTextField, UtcDateTimeField
from core.models.base import Record
from core.models.exam import Exam


class Study(Record):
    """One Study Instance UID. `exam` stays empty until the join is certain."""

    study_uid = peewee.CharField(max_length=64, unique=True)
    exam = peewee.ForeignKeyField(Exam, null=True, backref="studies")
    exam_id: int | None
    accession_number = peewee.CharField(max_length=64, default="", index=True)
    patient_id = peewee.CharField(max_length=64, default="", index=True)
    patient_name = SealedTextField(default="")
    description = peewee.CharField(max_length=128, default="")
    study_date = peewee.CharField(max_length=16, default="")
    last_received_at = UtcDateTimeField()


class Series(Record):
    """One Series Instance UID."""

    series_uid = peewee.CharField(max_length=64, unique=True)
    study = peewee.ForeignKeyField(Study, backref="series", on_delete="CASCADE")
    modality = peewee.CharField(max_length=16, default="")
    number = peewee.IntegerField(null=True)
    description = peewee.CharField(max_length=128, default="")
    last_received_at = UtcDateTimeField()


class Pack(Record):
    """One sealed object: generation n of a series (design: docs/sealed-pack.md). State: sealed → stored."""

    series = peewee.ForeignKeyField(Series, backref="packs")
    generation = peewee.IntegerField()
    object_id = peewee.CharField(max_length=32, unique=True)
    state = peewee.CharField(max_length=8, default="sealed", index=True)
    header = peewee.BlobField()
    wrapped_key = peewee.BlobField()
    kek_version = peewee.IntegerField()
    key_commitment = peewee.BlobField()
    plain_length = peewee.BigIntegerField()
    sealed_length = peewee.BigIntegerField()
    sealed_sm3 = peewee.CharField(max_length=64)
    store_key = peewee.CharField(max_length=128)
    local_path = peewee.CharField(max_length=255, null=True)
    stored_at = UtcDateTimeField(null=True)

    class Meta:
        """One pack per generation."""

        indexes = ((("series", "generation"), True),)


class Instance(Record):
    """One SOP Instance UID; the received file lies in the spool until its pack is verified in the store."""

    sop_uid = peewee.CharField(max_length=64, unique=True)
    series = peewee.ForeignKeyField(Series, backref="instances", on_delete="CASCADE")
    sop_class_uid = peewee.CharField(max_length=64)
    transfer_syntax_uid = peewee.CharField(max_length=64)
    number = peewee.IntegerField(null=True)
    byte_size = peewee.BigIntegerField()
    dataset_sm3 = peewee.CharField(max_length=64)
    file_sm3 = peewee.CharField(max_length=64)
    spool_name = peewee.CharField(max_length=80, null=True)
    pack = peewee.ForeignKeyField(Pack, null=True, backref="instances")
