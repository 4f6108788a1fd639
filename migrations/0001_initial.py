"""Initial: frozen when it was written, independent of the models."""

from peewee import *
from core.fields import SealedBytesField
from core.fields import SealedTextField
from core.fields import UtcDateTimeField

def up(migrator, db):
    class AuditEvent(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        seq = BigIntegerField(unique=True)
        at = UtcDateTimeField(index=True)
        actor = CharField(max_length=96)
        action = CharField(max_length=32)
        subject = CharField(index=True, max_length=96)
        address = CharField(max_length=64, default='')
        detail = TextField(default='{}')
        previous_hash = CharField(max_length=64)
        row_hash = CharField(max_length=64)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'audit_event'
    db.create_tables([AuditEvent])

    class AuditHead(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        seq = BigIntegerField()
        row_hash = CharField(max_length=64)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'audit_head'
    db.create_tables([AuditHead])

    class Patient(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        name = SealedTextField(default='')
        name_index = CharField(index=True, max_length=64, default='')
        id_number = SealedTextField(default='')
        id_number_index = CharField(index=True, max_length=64, default='')
        phone = SealedTextField(default='')
        phone_index = CharField(index=True, max_length=64, default='')
        sex = CharField(max_length=1, default='U')
        birth_date = CharField(max_length=10, default='')
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'patient'
    db.create_tables([Patient])

    class Exam(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        accession_number = CharField(unique=True, max_length=64)
        placer_order_number = CharField(index=True, max_length=64, default='')
        patient = ForeignKeyField(Patient, null=True)
        item_code = CharField(max_length=64, default='')
        item_name = CharField(max_length=128, default='')
        modality = CharField(max_length=16, default='')
        department = CharField(max_length=64, default='')
        visit_number = CharField(max_length=64, default='')
        patient_class = CharField(max_length=4, default='')
        ordered_at = UtcDateTimeField(null=True)
        performed_at = UtcDateTimeField(null=True)
        cancelled_at = UtcDateTimeField(null=True)
        reported_at = UtcDateTimeField(null=True)
        published_at = UtcDateTimeField(index=True, null=True)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'exam'
    db.create_tables([Exam])

    class Charge(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        fee_line_id = CharField(unique=True, max_length=64)
        placer_order_number = CharField(index=True, max_length=64, default='')
        exam = ForeignKeyField(Exam, null=True)
        item_code = CharField(max_length=32)
        amount_fen = BigIntegerField()
        collect_on_behalf = BooleanField(default=True)
        choice = CharField(max_length=8, default='charge')
        state = CharField(index=True, max_length=10, default='unpaid')
        paid_at = UtcDateTimeField(null=True)
        channel = CharField(max_length=16, default='')
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'charge'
    db.create_tables([Charge])

    class ExamStudy(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        exam = ForeignKeyField(Exam, on_delete='CASCADE')
        study_uid = CharField(unique=True, max_length=64)
        completed_at = UtcDateTimeField(null=True)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'exam_study'
    db.create_tables([ExamStudy])

    class InboundMessage(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        peer = CharField(max_length=64)
        control_id = CharField(max_length=64)
        message_type = CharField(max_length=32, default='')
        charset = CharField(max_length=16, default='')
        body = SealedBytesField()
        body_sm3 = CharField(max_length=64)
        state = CharField(index=True, max_length=10, default='received')
        error = CharField(max_length=500, default='')
        handled_at = UtcDateTimeField(null=True)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'inbound_message'
            indexes = ((('peer', 'control_id', 'body_sm3'), True),)
    db.create_tables([InboundMessage])

    class Study(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        study_uid = CharField(unique=True, max_length=64)
        exam = ForeignKeyField(Exam, null=True)
        accession_number = CharField(index=True, max_length=64, default='')
        patient_id = CharField(index=True, max_length=64, default='')
        patient_name = SealedTextField(default='')
        description = CharField(max_length=128, default='')
        study_date = CharField(max_length=16, default='')
        last_received_at = UtcDateTimeField()
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'study'
    db.create_tables([Study])

    class Series(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        series_uid = CharField(unique=True, max_length=64)
        study = ForeignKeyField(Study, on_delete='CASCADE')
        modality = CharField(max_length=16, default='')
        number = IntegerField(null=True)
        description = CharField(max_length=128, default='')
        last_received_at = UtcDateTimeField()
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'series'
    db.create_tables([Series])

    class Pack(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        series = ForeignKeyField(Series)
        generation = IntegerField()
        object_id = CharField(unique=True, max_length=32)
        state = CharField(index=True, max_length=8, default='sealed')
        header = BlobField()
        wrapped_key = BlobField()
        kek_version = IntegerField()
        key_commitment = BlobField()
        plain_length = BigIntegerField()
        sealed_length = BigIntegerField()
        sealed_sm3 = CharField(max_length=64)
        store_key = CharField(max_length=128)
        local_path = CharField(null=True)
        stored_at = UtcDateTimeField(null=True)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'pack'
            indexes = ((('series', 'generation'), True),)
    db.create_tables([Pack])

    class Instance(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        sop_uid = CharField(unique=True, max_length=64)
        series = ForeignKeyField(Series, on_delete='CASCADE')
        sop_class_uid = CharField(max_length=64)
        transfer_syntax_uid = CharField(max_length=64)
        number = IntegerField(null=True)
        byte_size = BigIntegerField()
        dataset_sm3 = CharField(max_length=64)
        file_sm3 = CharField(max_length=64)
        spool_name = CharField(null=True, max_length=80)
        pack = ForeignKeyField(Pack, null=True)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'instance'
    db.create_tables([Instance])

    class IntakeProblem(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        source = CharField(max_length=16)
        reference = CharField(max_length=128)
        peer = CharField(max_length=64, default='')
        text = CharField(max_length=500)
        kept_at = CharField(default='')
        resolved_at = UtcDateTimeField(null=True)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'intake_problem'
            indexes = ((('source', 'reference'), True),)
    db.create_tables([IntakeProblem])

    class Settlement(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        source = CharField(max_length=32)
        key = CharField(max_length=64)
        fee_line_id = CharField(index=True, max_length=64)
        amount_fen = BigIntegerField()
        channel = CharField(max_length=16, default='')
        external_number = CharField(max_length=64, default='')
        paid_at = UtcDateTimeField()
        state = CharField(max_length=10)
        reason = CharField(max_length=200, default='')
        body_sm3 = CharField(max_length=64)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'settlement'
            indexes = ((('source', 'key'), True),)
    db.create_tables([Settlement])

    class LedgerEntry(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        settlement = ForeignKeyField(Settlement)
        account = CharField(max_length=32)
        debit_fen = BigIntegerField(default=0)
        credit_fen = BigIntegerField(default=0)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'ledger_entry'
    db.create_tables([LedgerEntry])

    class Notification(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        exam = ForeignKeyField(Exam)
        kind = CharField(max_length=16)
        channel = CharField(max_length=16)
        state = CharField(max_length=8, default='queued')
        provider_reference = CharField(max_length=96, default='')
        error = CharField(max_length=300, default='')
        sent_at = UtcDateTimeField(null=True)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'notification'
            indexes = ((('exam', 'kind', 'channel'), True),)
    db.create_tables([Notification])

    class OtpChallenge(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        phone_index = CharField(index=True, max_length=64)
        address = CharField(index=True, max_length=64, default='')
        code_hmac = CharField(max_length=64)
        tries_left = IntegerField()
        expires_at = UtcDateTimeField()
        used_at = UtcDateTimeField(null=True)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'otp_challenge'
    db.create_tables([OtpChallenge])

    class OutboundMessage(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        peer = CharField(max_length=64)
        key = CharField(unique=True, max_length=96)
        message_type = CharField(max_length=32)
        control_id = CharField(unique=True, max_length=20)
        body = SealedBytesField()
        state = CharField(index=True, max_length=10, default='queued')
        ack_code = CharField(max_length=2, default='')
        sent_at = UtcDateTimeField(null=True)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'outbound_message'
    db.create_tables([OutboundMessage])

    class OutboxEvent(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        kind = CharField(max_length=32)
        key = CharField(max_length=128)
        payload = TextField()
        stream = CharField(index=True, max_length=96, default='')
        state = CharField(max_length=8, default='pending')
        attempts = IntegerField(default=0)
        next_at = UtcDateTimeField()
        lease_until = UtcDateTimeField(null=True)
        last_error = CharField(max_length=500, default='')
        done_at = UtcDateTimeField(null=True)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'outbox_event'
            indexes = ((('kind', 'key'), True), (('state', 'next_at'), False))
    db.create_tables([OutboxEvent])

    class PackView(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        pack = ForeignKeyField(Pack, unique=True, on_delete='CASCADE')
        manifest = SealedBytesField()
        preview = SealedBytesField(null=True)
        thumbnail = SealedBytesField(null=True)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'pack_view'
    db.create_tables([PackView])

    class PatientIdentifier(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        patient = ForeignKeyField(Patient, on_delete='CASCADE')
        assigner = CharField(max_length=64)
        value = CharField(index=True, max_length=64)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'patient_identifier'
            indexes = ((('assigner', 'value'), True),)
    db.create_tables([PatientIdentifier])

    class PriceItem(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        code = CharField(max_length=32)
        name = CharField(max_length=64)
        amount_fen = BigIntegerField()
        valid_from = UtcDateTimeField()
        valid_to = UtcDateTimeField(null=True)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'price_item'
            indexes = ((('code', 'valid_from'), True),)
    db.create_tables([PriceItem])

    class Report(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        exam = ForeignKeyField(Exam, unique=True, on_delete='CASCADE')
        status = CharField(max_length=1)
        findings = SealedTextField(default='')
        impression = SealedTextField(default='')
        reporter = CharField(max_length=64, default='')
        approver = CharField(max_length=64, default='')
        approved_at = UtcDateTimeField()
        source_at = UtcDateTimeField()
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'report'
    db.create_tables([Report])

    class ReportDocument(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        report = ForeignKeyField(Report, unique=True, on_delete='CASCADE')
        media_type = CharField(max_length=64)
        content = SealedBytesField()
        sm3 = CharField(max_length=64)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'report_document'
    db.create_tables([ReportDocument])

    class Staff(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        username = CharField(unique=True, max_length=64)
        display_name = CharField(max_length=64)
        role = CharField(max_length=16)
        password_hash = CharField(max_length=200)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'staff'
    db.create_tables([Staff])

    class Session(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        token_sm3 = CharField(unique=True, max_length=64)
        kind = CharField(max_length=8)
        phone = SealedTextField(default='')
        phone_index = CharField(index=True, max_length=64, default='')
        staff = ForeignKeyField(Staff, null=True)
        openid = CharField(max_length=64, default='')
        csrf_token = CharField(max_length=64)
        expires_at = UtcDateTimeField()
        revoked_at = UtcDateTimeField(null=True)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'session'
    db.create_tables([Session])

    class WechatBinding(Model):
        id = BigAutoField()
        created_at = UtcDateTimeField()
        openid = CharField(unique=True, max_length=64)
        phone_index = CharField(index=True, max_length=64)
        class Meta:
            legacy_table_names = False
            database = db
            table_name = 'wechat_binding'
    db.create_tables([WechatBinding])


def down(migrator, db):
    migrator.migrate(migrator.drop_table('wechat_binding'))
    migrator.migrate(migrator.drop_table('session'))
    migrator.migrate(migrator.drop_table('staff'))
    migrator.migrate(migrator.drop_table('report_document'))
    migrator.migrate(migrator.drop_table('report'))
    migrator.migrate(migrator.drop_table('price_item'))
    migrator.migrate(migrator.drop_table('patient_identifier'))
    migrator.migrate(migrator.drop_table('pack_view'))
    migrator.migrate(migrator.drop_table('outbox_event'))
    migrator.migrate(migrator.drop_table('outbound_message'))
    migrator.migrate(migrator.drop_table('otp_challenge'))
    migrator.migrate(migrator.drop_table('notification'))
    migrator.migrate(migrator.drop_table('ledger_entry'))
    migrator.migrate(migrator.drop_table('settlement'))
    migrator.migrate(migrator.drop_table('intake_problem'))
    migrator.migrate(migrator.drop_table('instance'))
    migrator.migrate(migrator.drop_table('pack'))
    migrator.migrate(migrator.drop_table('series'))
    migrator.migrate(migrator.drop_table('study'))
    migrator.migrate(migrator.drop_table('inbound_message'))
    migrator.migrate(migrator.drop_table('exam_study'))
    migrator.migrate(migrator.drop_table('charge'))
    migrator.migrate(migrator.drop_table('exam'))
    migrator.migrate(migrator.drop_table('patient'))
    migrator.migrate(migrator.drop_table('audit_head'))
    migrator.migrate(migrator.drop_table('audit_event'))
