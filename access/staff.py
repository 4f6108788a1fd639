"""Staff accounts: argon2id passwords (P5▲ doctors). TOTP and lock-out come with the roles."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.db import transaction
from core.errors import Refused
from core.models import Staff

ROLES = frozenset({"doctor", "operator"})
_hasher = PasswordHasher()


class WrongPassword(Refused):
    """User name or password is wrong; which one is not told."""


def create_staff(username: str, display_name: str, role: str, password: str) -> Staff:
    """Add an account. Raises `Refused` for an unknown role."""
    if role not in ROLES:
        raise Refused(f"role {role!r}: use one of {', '.join(sorted(ROLES))}")
    with transaction():
        row: Staff = Staff.create(
            username=username, display_name=display_name, role=role, password_hash=_hasher.hash(password)
        )
        return row


def verify_password(username: str, password: str) -> Staff:
    """The staff member. Raises `WrongPassword`; an unknown name costs the same work as a wrong password."""
    person: Staff | None = Staff.get_or_none(Staff.username == username)
    try:
        _hasher.verify(person.password_hash if person else _nobody(), password)
    except (VerificationError, InvalidHashError):
        raise WrongPassword("用户名或密码不正确") from None
    if person is None:
        raise WrongPassword("用户名或密码不正确")
    return person


@cache
def _nobody() -> str:
    return _hasher.hash("no such person")
