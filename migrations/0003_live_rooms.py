"""Live rooms: frozen when it was written, independent of the models."""

from peewee import *
from core.fields import UtcDateTimeField


def up(migrator, db):
    class Exam(Model):
        id = BigAutoField()
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'exam'

    class Session(Model):
        id = BigAutoField()
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'session'

    class LiveRoom(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        token_sm3 = CharField(unique=True, max_length=64)
        exam = ForeignKeyField(column_name='exam_id', field='id', model=Exam, on_delete='CASCADE')
        owner = ForeignKeyField(column_name='owner_id', field='id', model=Session, on_delete='CASCADE')
        used_at = UtcDateTimeField()
        expires_at = UtcDateTimeField()
        closed_at = UtcDateTimeField(null=True)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'live_room'
    db.create_tables([LiveRoom])


def down(migrator, db):
    migrator.migrate(migrator.drop_table('live_room'))
