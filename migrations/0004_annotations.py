"""Annotations: frozen when it was written, independent of the models."""

from peewee import *
from core.fields import SealedTextField
from core.fields import UtcDateTimeField

def up(migrator, db):
    class Exam(Model):
        id = BigAutoField()
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'exam'

    class Staff(Model):
        id = BigAutoField()
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'staff'

    class Annotation(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        exam = ForeignKeyField(Exam, on_delete='CASCADE')
        uid = CharField(max_length=64)
        revision = IntegerField()
        body = SealedTextField()
        author = ForeignKeyField(Staff)
        changed_at = UtcDateTimeField()
        removed_at = UtcDateTimeField(null=True)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'annotation'
            indexes = ((('exam', 'uid'), True),)
    db.create_tables([Annotation])


def down(migrator, db):
    migrator.migrate(migrator.drop_table('annotation'))
