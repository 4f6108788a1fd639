"""One-time codes: who gets one, how often, and that guessing does not pay, not even fifty at once."""

import json
import threading
from dataclasses import replace
from datetime import timedelta

import peewee
import pytest

from access import otp
from core import db
from core.clock import now
from core.config import Settings
from core.models import OtpChallenge, OutboxEvent, Patient
from core.personal_data import blind_index

PHONE, ADDRESS = "13800138000", "127.0.0.9"
GUESSERS = 50

pytestmark = pytest.mark.requirement("E6")


def know(phone: str = PHONE) -> None:
    Patient.create(name="珅東", phone=phone, phone_index=blind_index("phone", phone), sex="M")


def code_of(settings: Settings, phone: str = PHONE) -> str:
    """Ask for a code and read it where the sending step does."""
    otp.request_code(phone, ADDRESS, settings)
    row = OutboxEvent.select().order_by(OutboxEvent.id.desc()).get()
    told_phone, code = otp.sealed_message(json.loads(row.payload))
    assert told_phone == phone
    return code


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_right_code_works_once(memory_database: peewee.Database, settings: Settings) -> None:
    know()
    code = code_of(settings)
    otp.verify_code(PHONE, code, ADDRESS)
    with pytest.raises(otp.CodeExpired):
        otp.verify_code(PHONE, code, ADDRESS)


def test_neither_code_nor_phone_lies_open(memory_database: peewee.Database, settings: Settings) -> None:
    know()
    code = code_of(settings)
    kept = OtpChallenge.get().code_hmac + OutboxEvent.get().payload
    assert code not in kept
    rows = [
        memory_database.execute_sql(f"SELECT * FROM {t}").fetchall()
        for t in ("otp_challenge", "outbox_event")
    ]
    assert PHONE not in str(rows)


def test_unknown_phone_gets_the_same_answer_and_no_sms(
    memory_database: peewee.Database, settings: Settings
) -> None:
    otp.request_code(PHONE, ADDRESS, settings)
    assert OtpChallenge.select().count() == 1
    assert OutboxEvent.select().count() == 0


@pytest.mark.parametrize("phone", ["", "12345678901", "1380013800", "+8613800138000", "13800138000 "])
def test_what_is_no_mobile_number_is_refused(
    memory_database: peewee.Database, settings: Settings, phone: str
) -> None:
    with pytest.raises(otp.BadPhone):
        otp.request_code(phone, ADDRESS, settings)


def test_wrong_code_costs_a_try_and_the_last_try_ends_it(
    memory_database: peewee.Database, settings: Settings
) -> None:
    know()
    code = code_of(settings)
    for _ in range(settings.otp_tries):
        with pytest.raises(otp.WrongCode) as told:
            otp.verify_code(PHONE, wrong(code), ADDRESS)
        assert not isinstance(told.value, otp.CodeExpired)
    with pytest.raises(otp.CodeExpired):
        otp.verify_code(PHONE, code, ADDRESS)


def test_code_of_another_phone_does_not_fit(memory_database: peewee.Database, settings: Settings) -> None:
    know()
    code = code_of(settings)
    with pytest.raises(otp.WrongCode):
        otp.verify_code("13900139000", code, ADDRESS)


def test_code_expires(memory_database: peewee.Database, settings: Settings) -> None:
    know()
    code = code_of(settings)
    OtpChallenge.update(expires_at=now() - timedelta(seconds=1)).execute()
    with pytest.raises(otp.CodeExpired):
        otp.verify_code(PHONE, code, ADDRESS)


def test_new_code_ends_the_earlier_one(memory_database: peewee.Database, settings: Settings) -> None:
    know()
    hurried = replace(settings, otp_resend_seconds=0)
    first, second = code_of(hurried), code_of(hurried)
    if first != second:
        with pytest.raises(otp.WrongCode):
            otp.verify_code(PHONE, first, ADDRESS)
    otp.verify_code(PHONE, second, ADDRESS)


def test_codes_are_not_sent_too_often(memory_database: peewee.Database, settings: Settings) -> None:
    otp.request_code(PHONE, ADDRESS, settings)
    with pytest.raises(otp.TooMany):
        otp.request_code(PHONE, ADDRESS, settings)
    hurried = replace(settings, otp_resend_seconds=0, otp_per_phone_hour=2, otp_per_address_hour=3)
    otp.request_code(PHONE, ADDRESS, hurried)
    with pytest.raises(otp.TooMany):
        otp.request_code(PHONE, "127.0.0.10", hurried)
    otp.request_code("13900139000", ADDRESS, hurried)
    with pytest.raises(otp.TooMany):
        otp.request_code("13700137000", ADDRESS, hurried)


def at_once(work: list[str]) -> list[str]:
    """Verify every code of `work` in a thread of its own; the names of the outcomes."""
    start, outcomes = threading.Barrier(len(work)), []

    def guess(code: str) -> None:
        with db.database.connection_context():
            start.wait(30)
            try:
                otp.verify_code(PHONE, code, ADDRESS)
                outcomes.append("in")
            except otp.WrongCode as error:
                outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=guess, args=(code,)) for code in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return outcomes


def test_fifty_wrong_guesses_at_once_have_five_tries(database: peewee.Database, settings: Settings) -> None:
    know()
    code = code_of(settings)
    outcomes = at_once([wrong(code)] * GUESSERS)
    assert outcomes.count("WrongCode") == settings.otp_tries
    assert outcomes.count("CodeExpired") == GUESSERS - settings.otp_tries
    assert OtpChallenge.get().tries_left == 0


def test_right_code_fifty_times_at_once_lets_one_in(database: peewee.Database, settings: Settings) -> None:
    know()
    code = code_of(settings)
    outcomes = at_once([code] * GUESSERS)
    assert (outcomes.count("in"), outcomes.count("CodeExpired")) == (1, GUESSERS - 1)


def test_one_phone_asked_for_at_once_gets_one_code(database: peewee.Database, settings: Settings) -> None:
    start, outcomes = threading.Barrier(8), []

    def ask() -> None:
        with db.database.connection_context():
            start.wait(30)
            try:
                otp.request_code(PHONE, ADDRESS, settings)
                outcomes.append("sent")
            except otp.TooMany:
                outcomes.append("too many")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (outcomes.count("sent"), outcomes.count("too many")) == (1, 7)
