"""A person as the hospital knows them; identity sealed, found by blind index (E7, H2, decision 13)."""

import peewee

from core.fields import SealedTextField
from core.models.base import Record


class Patient(Record):
    """One master record. `sex` is M, F, O or U (HL7 table 0001); `birth_date` is YYYY-MM-DD or empty.

    A record that was merged into another one keeps its row and is found no more.
    """

    name = SealedTextField(default="")
    name_index = peewee.CharField(max_length=64, default="", index=True)
    id_number = SealedTextField(default="")
    id_number_index = peewee.CharField(max_length=64, default="", index=True)
    phone = SealedTextField(default="")
    phone_index = peewee.CharField(max_length=64, default="", index=True)
    sex = peewee.CharField(max_length=1, default="U")
    birth_date = peewee.CharField(max_length=10, default="")
    merged_into = peewee.ForeignKeyField("self", null=True, backref="merged")


class PatientIdentifier(Record):
    """A number under which one system knows the patient (PID-3 with its assigner; DICOM PatientID)."""

    patient = peewee.ForeignKeyField(Patient, backref="identifiers", on_delete="CASCADE")
    assigner = peewee.CharField(max_length=64)
    value = peewee.CharField(max_length=64, index=True)

    class Meta:
        """One patient per number and assigner."""

        indexes = ((("assigner", "value"), True),)
