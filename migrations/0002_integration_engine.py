"""Integration engine: frozen when it was written, independent of the models."""

from peewee import *
from core.fields import UtcDateTimeField


def up(migrator, db):
    class Patient(Model):
        id = BigAutoField()
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'patient'

    class Alarm(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        kind = CharField(max_length=32)
        subject = CharField(max_length=96)
        text = CharField(max_length=500)
        open_key = CharField(unique=True, null=True, max_length=130)
        ended_at = UtcDateTimeField(null=True)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'alarm'
    db.create_tables([Alarm])

    class ConnectorPosition(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        name = CharField(unique=True, max_length=64)
        position = TextField(default='')
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'connector_position'
    db.create_tables([ConnectorPosition])

    class DictionaryItem(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        kind = CharField(max_length=16)
        code = CharField(max_length=64)
        name = CharField(max_length=128, default='')
        is_active = BooleanField(default=True)
        said_at = UtcDateTimeField()
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'dictionary_item'
            indexes = ((('kind', 'code'), True),)
    db.create_tables([DictionaryItem])

    class MessageCount(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        peer = CharField(max_length=64)
        channel = CharField(max_length=16)
        hour = UtcDateTimeField()
        message_type = CharField(max_length=32)
        outcome = CharField(max_length=10)
        count = IntegerField(default=0)
        last_at = UtcDateTimeField()
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'message_count'
            indexes = ((('hour', 'peer', 'channel', 'message_type', 'outcome'), True),)
    db.create_tables([MessageCount])

    migrator.migrate(migrator.drop_index('inbound_message', 'inbound_message_state'))
    migrator.migrate(migrator.add_column('patient', 'merged_into_id', ForeignKeyField(Patient, field=Patient.id, null=True)))
    migrator.migrate(migrator.add_column('exam', 'scheduled_at', UtcDateTimeField(null=True)))
    migrator.migrate(migrator.add_column('exam', 'scheduled_said_at', UtcDateTimeField(null=True)))
    migrator.migrate(migrator.add_column('exam', 'arrived_at', UtcDateTimeField(null=True)))
    migrator.migrate(migrator.add_column('charge', 'refunded_fen', BigIntegerField(default=0)))
    migrator.migrate(migrator.add_column('inbound_message', 'channel', CharField(max_length=16, default='mllp')))
    migrator.migrate(migrator.add_column('inbound_message', 'format', CharField(max_length=4, default='er7')))
    migrator.migrate(migrator.add_column('inbound_message', 'address', CharField(max_length=64, default='')))
    migrator.migrate(migrator.add_column('inbound_message', 'attempts', IntegerField(default=0)))
    migrator.migrate(migrator.add_column('inbound_message', 'next_at', UtcDateTimeField(null=True)))
    migrator.migrate(migrator.add_column('inbound_message', 'stream', CharField(max_length=40, default='')))
    migrator.migrate(migrator.add_column('inbound_message', 'order_number', CharField(null=True, max_length=64)))
    migrator.migrate(migrator.add_column('inbound_message', 'accession_number', CharField(null=True, max_length=64)))
    migrator.migrate(migrator.add_column('inbound_message', 'patient_number', CharField(null=True, max_length=64)))
    migrator.migrate(migrator.add_column('inbound_message', 'outcome', CharField(max_length=128, default='')))
    migrator.migrate(migrator.add_column('inbound_message', 'origin_id', BigIntegerField(null=True)))
    migrator.migrate(migrator.add_column('settlement', 'kind', CharField(max_length=7, default='payment')))
    migrator.migrate(migrator.add_column('outbound_message', 'error', CharField(max_length=500, default='')))
    migrator.migrate(migrator.add_index('inbound_message', ('state', 'id')))
    for column in ('order_number', 'accession_number', 'patient_number'):
        db.execute_sql(
            f'CREATE INDEX inbound_message_{column} ON inbound_message ({column}) WHERE {column} IS NOT NULL'
        )
    # What was owed to the one HIS there was is now owed to a peer by name: one key per peer.
    db.execute_sql("UPDATE outbound_message SET key = key || '@' || peer")
    db.execute_sql("UPDATE outbox_event SET key = key || '@HIS' WHERE kind = 'send_his'")
    # Messages are no longer outbox work: the inbox is its own queue.
    db.execute_sql("DELETE FROM outbox_event WHERE kind = 'hl7_received'")


def down(migrator, db):
    db.execute_sql("UPDATE outbox_event SET key = replace(key, '@HIS', '') WHERE kind = 'send_his'")
    db.execute_sql("UPDATE outbound_message SET key = replace(key, '@' || peer, '')")
    for column in ('order_number', 'accession_number', 'patient_number'):
        db.execute_sql(f'DROP INDEX inbound_message_{column}')
    migrator.migrate(migrator.drop_index('inbound_message', 'inbound_message_state_id'))
    migrator.migrate(migrator.drop_index('patient', 'patient_merged_into_id'))
    migrator.migrate(migrator.drop_column('outbound_message', 'error'))
    migrator.migrate(migrator.drop_column('settlement', 'kind'))
    migrator.migrate(migrator.drop_column('inbound_message', 'origin_id'))
    migrator.migrate(migrator.drop_column('inbound_message', 'outcome'))
    migrator.migrate(migrator.drop_column('inbound_message', 'patient_number'))
    migrator.migrate(migrator.drop_column('inbound_message', 'accession_number'))
    migrator.migrate(migrator.drop_column('inbound_message', 'order_number'))
    migrator.migrate(migrator.drop_column('inbound_message', 'stream'))
    migrator.migrate(migrator.drop_column('inbound_message', 'next_at'))
    migrator.migrate(migrator.drop_column('inbound_message', 'attempts'))
    migrator.migrate(migrator.drop_column('inbound_message', 'address'))
    migrator.migrate(migrator.drop_column('inbound_message', 'format'))
    migrator.migrate(migrator.drop_column('inbound_message', 'channel'))
    migrator.migrate(migrator.drop_column('charge', 'refunded_fen'))
    migrator.migrate(migrator.drop_column('exam', 'arrived_at'))
    migrator.migrate(migrator.drop_column('exam', 'scheduled_said_at'))
    migrator.migrate(migrator.drop_column('exam', 'scheduled_at'))
    migrator.migrate(migrator.drop_column('patient', 'merged_into_id'))
    migrator.migrate(migrator.add_index('inbound_message', ('state',)))
    migrator.migrate(migrator.drop_table('message_count'))
    migrator.migrate(migrator.drop_table('dictionary_item'))
    migrator.migrate(migrator.drop_table('connector_position'))
    migrator.migrate(migrator.drop_table('alarm'))
