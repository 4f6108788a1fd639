"""When a person proves to be who they are, then a session begins (E6, K5); every attempt is on record."""

from access import otp, sessions, staff, wechat_binding
from core import audit, failpoints
from core.db import transaction
from core.errors import Refused
from core.personal_data import blind_index
from workflow.context import Platform


def request_code(platform: Platform, phone: str, address: str) -> None:
    """Send a one-time code to `phone`. The answer is the same whether the phone is known or not."""
    otp.request_code(phone, address, platform.settings)


def sign_in(platform: Platform, phone: str, code: str, address: str, openid: str = "") -> sessions.NewSession:
    """Open a patient's session with the code. `openid` of a WeChat visitor is bound to the phone by the way."""
    subject = f"phone:{blind_index('phone', phone)[:16]}"
    try:
        otp.verify_code(phone, code, address)
    except Refused as error:
        audit.append(
            "anonymous", "sign_in_refused", subject, address=address, detail={"why": type(error).__name__}
        )
        raise
    with transaction():
        new = sessions.open_patient_session(phone, openid, platform.settings.session_hours)
        if openid:
            wechat_binding.bind(openid, new.visitor.phone_index)
        audit.append(new.visitor.actor, "sign_in", subject, address=address)
    failpoints.passing("otp.before_answer")
    return new


def sign_in_staff(platform: Platform, username: str, password: str, address: str) -> sessions.NewSession:
    """Open a staff member's session. Raises access.staff.WrongPassword."""
    try:
        person = staff.verify_password(username, password)
    except Refused:
        audit.append("anonymous", "sign_in_refused", "staff", address=address)
        raise
    with transaction():
        new = sessions.open_staff_session(person, platform.settings.session_hours)
        audit.append(new.visitor.actor, "sign_in", new.visitor.actor, address=address)
        return new


def sign_out(visitor: sessions.Visitor, token: str, address: str) -> None:
    """End the session."""
    with transaction():
        sessions.close_session(token)
        audit.append(visitor.actor, "sign_out", visitor.actor, address=address)


def bind_wechat(visitor: sessions.Visitor, openid: str, address: str) -> None:
    """Let this WeChat follower receive the messages of the signed-in phone (E2)."""
    if visitor.is_staff:
        raise Refused("sign in as a patient first")
    with transaction():
        wechat_binding.bind(openid, visitor.phone_index)
        audit.append(visitor.actor, "bind_wechat", visitor.actor, address=address)
