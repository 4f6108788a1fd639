"""Opaque server-side sessions (decision 12): the browser holds a random token, we hold its SM3."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.clock import now
from core.db import transaction
from core.models import Session, Staff
from core.personal_data import blind_index
from crypto.sm3 import sm3

TOKEN_BYTES = 32


@dataclass(frozen=True)
class Visitor:
    """Who is asking. `kind` is patient or staff; `role` only for staff."""

    session_id: int
    kind: str
    phone_index: str
    staff_id: int | None
    role: str
    csrf_token: str
    expires_at: datetime

    @property
    def is_staff(self) -> bool:
        """Whether this is a staff member."""
        return self.kind == "staff"

    @property
    def actor(self) -> str:
        """The name in the audit chain: an id, no personal data."""
        return f"staff:{self.staff_id}" if self.is_staff else f"session:{self.session_id}"


@dataclass(frozen=True)
class NewSession:
    """A session just opened: the token goes to the browser once and is kept nowhere."""

    token: str = field(repr=False)
    visitor: Visitor


def open_patient_session(phone: str, openid: str, hours: int) -> NewSession:
    """Begin a session for a phone that has proven itself."""
    return _open(hours, kind="patient", phone=phone, phone_index=blind_index("phone", phone), openid=openid)


def open_staff_session(person: Staff, hours: int) -> NewSession:
    """Begin a session for a staff member."""
    return _open(hours, kind="staff", staff=person)


def visitor_of(token: str) -> Visitor | None:
    """The visitor whose token this is, or None when it is unknown, expired or revoked."""
    row = Session.get_or_none(Session.token_sm3 == _digest(token))
    if row is None or row.revoked_at is not None or row.expires_at <= now():
        return None
    return _visitor(row)


def close_session(token: str) -> None:
    """End a session; a token that is not known changes nothing."""
    with transaction():
        Session.update(revoked_at=now()).where(
            Session.token_sm3 == _digest(token), Session.revoked_at.is_null()
        ).execute()


def _open(hours: int, **columns: object) -> NewSession:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with transaction():
        row = Session.create(
            token_sm3=_digest(token),
            csrf_token=secrets.token_urlsafe(TOKEN_BYTES),
            expires_at=now() + timedelta(hours=hours),
            **columns,
        )
    return NewSession(token, _visitor(row))


def _visitor(row: Session) -> Visitor:
    person = row.staff
    staff_id, role = (person.id, person.role) if person else (None, "")
    return Visitor(row.id, row.kind, row.phone_index, staff_id, role, row.csrf_token, row.expires_at)


def _digest(token: str) -> str:
    return sm3(token.encode()).hex()
