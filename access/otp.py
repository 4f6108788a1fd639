"""One-time codes by SMS (E6): six digits, short life, few tries, one use; kept only as HMAC-SM3.

Every decision is one conditional UPDATE, so that fifty guesses at once have five tries like one. A phone that
no patient has gets the same answer after the same work, and no SMS.

Refused
├── BadPhone           not a mainland mobile number
├── TooMany            asked for too often
└── WrongCode          not the code that was sent, or none was
    └── CodeExpired    its time, its tries or its one use are over
"""

import base64
import hmac as constant_time
import json
import re
import secrets
from datetime import timedelta
from typing import Any

from core import db, outbox, personal_data
from core.clock import now
from core.config import Settings
from core.errors import Refused
from core.logs import get_logger
from core.models import OtpChallenge, Patient
from core.personal_data import blind_index
from crypto.sm3 import hmac_sm3

CONTEXT = "otp.message"
_PHONE = re.compile(r"1[3-9]\d{9}")
_log = get_logger("access")


class BadPhone(Refused):
    """Not a mainland mobile number."""


class TooMany(Refused):
    """Codes are asked for too often."""


class WrongCode(Refused):
    """The code is not the one that was sent, or there is none."""


class CodeExpired(WrongCode):
    """Its time or its tries are used up: ask for another."""


def request_code(phone: str, address: str, settings: Settings) -> None:
    """Begin a challenge; the SMS goes out through the outbox. Raises `BadPhone` or `TooMany`."""
    if not _PHONE.fullmatch(phone):
        raise BadPhone("请输入11位手机号码")
    index = blind_index("phone", phone)
    code = f"{secrets.randbelow(10**6):06d}"
    with db.transaction():
        # Always in this order, so that two requests never wait for each other.
        for name in filter(None, (address, index)):
            db.lock_name(f"otp:{name}")
        _require_rate(index, address, settings)
        challenge = OtpChallenge.create(
            phone_index=index,
            address=address,
            code_hmac="",
            tries_left=settings.otp_tries,
            expires_at=now() + timedelta(minutes=settings.otp_minutes),
        )
        OtpChallenge.update(code_hmac=_hmac(challenge.id, index, code)).where(
            OtpChallenge.id == challenge.id
        ).execute()
        sealed = personal_data.seal_text(json.dumps([phone, code]), CONTEXT)
        payload = {"challenge_id": challenge.id, "sealed": base64.b64encode(sealed).decode()}
        if Patient.select().where(Patient.phone_index == index).exists():
            outbox.record("send_otp", str(challenge.id), payload)


def verify_code(phone: str, code: str, address: str) -> None:
    """Use the newest code of this phone. Raises `CodeExpired` or `WrongCode`."""
    index = blind_index("phone", phone)
    moment = now()
    with db.transaction():
        challenge = (
            OtpChallenge.select()
            .where(OtpChallenge.phone_index == index)
            .order_by(OtpChallenge.id.desc())
            .first()
        )
        if challenge is None:
            raise WrongCode("验证码不正确，请重新获取")
        is_right = constant_time.compare_digest(challenge.code_hmac, _hmac(challenge.id, index, code))
        alive = (
            (OtpChallenge.id == challenge.id)
            & OtpChallenge.used_at.is_null()
            & (OtpChallenge.expires_at > moment)
            & (OtpChallenge.tries_left > 0)
        )
        change: dict[str, Any] = {"tries_left": OtpChallenge.tries_left - 1}
        if is_right:
            change["used_at"] = moment
        taken = OtpChallenge.update(**change).where(alive).execute()
    # Raised outside the transaction: the try that was used stays used.
    if not taken:
        raise CodeExpired("验证码已失效，请重新获取")
    if not is_right:
        _log.info("wrong_code", challenge=challenge.id, address=address)
        raise WrongCode("验证码不正确")


def sealed_message(payload: dict[str, Any]) -> tuple[str, str]:
    """Phone and code of an outbox row, for the step that sends it."""
    phone, code = json.loads(personal_data.open_text(base64.b64decode(payload["sealed"]), CONTEXT))
    return phone, code


def note_refused(challenge_id: int, why: str) -> None:
    """The provider refuses this message for good: logged for operators; the person asks for another code."""
    _log.warning("code_not_sent", challenge=challenge_id, why=why)


def _require_rate(index: str, address: str, settings: Settings) -> None:
    moment = now()
    recent = OtpChallenge.select().where(
        OtpChallenge.phone_index == index,
        OtpChallenge.created_at > moment - timedelta(seconds=settings.otp_resend_seconds),
    )
    if recent.exists():
        raise TooMany(f"请在{settings.otp_resend_seconds}秒后重新获取验证码")
    hour = OtpChallenge.created_at > moment - timedelta(hours=1)
    of_phone = OtpChallenge.select().where(OtpChallenge.phone_index == index, hour).count()
    of_address = OtpChallenge.select().where(OtpChallenge.address == address, hour).count()
    if of_phone >= settings.otp_per_phone_hour or (address and of_address >= settings.otp_per_address_hour):
        raise TooMany("获取验证码过于频繁，请一小时后再试")


def _hmac(challenge_id: int, index: str, code: str) -> str:
    key = personal_data.keyring().derive("otp")
    return hmac_sm3(key, f"{challenge_id}:{index}:{code}".encode()).hex()
