"""Shapes of the JSON API. Times are ISO 8601 with zone, money is integer fen, unknown fields are refused."""

from apiflask import Schema
from apiflask.fields import Boolean, DateTime, Dict, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range, Regexp

PHONE = Regexp(r"1[3-9]\d{9}\Z", error="手机号应为 11 位数字")
CODE = Regexp(r"\d{6}\Z", error="验证码为 6 位数字")


class PhoneIn(Schema):
    """Whom to send a code."""

    phone = String(required=True, validate=PHONE)


class SignInIn(PhoneIn):
    """Phone and the code that it received."""

    code = String(required=True, validate=CODE)


class SessionOut(Schema):
    """A new session. Browsers keep the cookie; tools send `token` as Bearer."""

    token = String()
    csrf_token = String(
        metadata={"description": "goes into X-CSRF-Token with the cookie; not needed with Bearer"}
    )
    expires_at = DateTime()


class ExamOut(Schema):
    """One exam of a list. `amount_fen` is what is owed while `state` is awaiting_payment."""

    exam_id = Integer()
    accession_number = String()
    item_name = String()
    modality = String()
    hospital = String()
    exam_at = DateTime()
    state = String(
        validate=OneOf(["published", "awaiting_payment", "awaiting_report", "awaiting_images", "cancelled"])
    )
    amount_fen = Integer(allow_none=True)
    patient = String(metadata={"description": "masked name, sex, age"})
    thumbnail = String(allow_none=True, metadata={"description": "data address of a WebP"})


class ExamsOut(Schema):
    """Exams, newest first."""

    exams = List(Nested(ExamOut))


class ReportOut(Schema):
    """The report as text; its document is at `document_url`. Of a withdrawn one only when that was."""

    findings = String()
    impression = String()
    reporter = String()
    approver = String()
    approved_at = DateTime()
    status = String(metadata={"description": "HL7 table 0085: F final, C corrected, X withdrawn"})
    document_url = String(allow_none=True)


class ExamDetailOut(ExamOut):
    """One exam with its report, when the caller may see it."""

    department = String()
    report = Nested(ReportOut, allow_none=True)
    has_film = Boolean()
    image_count = Integer()


class FilmOut(Schema):
    """The film manifest, version 2: frame tables and the pixel keys of this exam's packs."""

    title = String()
    manifest = Dict()


class LiveRoomOut(Schema):
    """A room just opened. `room` is its token: who has it, and may open the exam, may enter."""

    room = String()
    url = String(metadata={"description": "the page to invite to, with the token in its fragment"})
    socket = String(metadata={"description": "ws(s) address; the token follows it"})


class LiveAddressOut(Schema):
    """Where rooms are entered."""

    socket = String()


class LiveRoomIn(Schema):
    """Which room."""

    room = String(required=True, validate=Length(1, 64))


class MessageReceiptOut(Schema):
    """A message that is committed. `known`: the same one came before and nothing follows again."""

    id = Integer(metadata={"description": "ours; operators find the message by it"})
    state = String(validate=OneOf(["stored", "known"]))


class ChargeQuery(Schema):
    """At least one of the numbers."""

    placer_order_number = String(load_default="", validate=Length(max=64))
    accession_number = String(load_default="", validate=Length(max=64))
    fee_line_id = String(load_default="", validate=Length(max=64))


class ChargeOut(Schema):
    """A fee line. `choice`: charge | waived | included; `state`: unpaid | paid | cancelled."""

    fee_line_id = String()
    placer_order_number = String()
    accession_number = String()
    item_code = String()
    item_name = String()
    amount_fen = Integer()
    choice = String()
    state = String()
    patient_name = String(metadata={"description": "masked"})


class ChargesOut(Schema):
    """Fee lines."""

    charges = List(Nested(ChargeOut))


class IdempotencyHeader(Schema):
    """Names the payment once and for all; the same key again gives the same verdict."""

    idempotency_key = String(
        required=True, data_key="Idempotency-Key", validate=Regexp(r"[0-9A-Za-z._:-]{1,64}\Z")
    )


class SettlementIn(Schema):
    """A fee that was collected."""

    fee_line_id = String(required=True, validate=Length(1, 64))
    amount_fen = Integer(required=True, strict=True, validate=Range(min=1, max=10_000_000))
    paid_at = DateTime(required=True, format="iso", metadata={"description": "with zone"})
    channel = String(required=True, validate=Length(1, 16))
    external_number = String(load_default="", validate=Length(max=64))


class SettlementOut(Schema):
    """The verdict: accepted, already (told before), or parked for a person, with the reason."""

    state = String(validate=OneOf(["accepted", "already", "parked"]))
    fee_line_id = String()
    reason = String()
