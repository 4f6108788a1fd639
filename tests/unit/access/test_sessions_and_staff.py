"""Sessions, staff passwords and WeChat bindings."""

from datetime import timedelta

import peewee
import pytest

from access import sessions, staff, wechat_binding
from core.clock import now
from core.errors import Refused
from core.models import Session
from core.personal_data import blind_index

PHONE = "13800138000"
PASSWORD = "correct horse battery"


@pytest.mark.requirement("E6")
def test_patient_session_is_found_by_its_token_only(memory_database: peewee.Database) -> None:
    new = sessions.open_patient_session(PHONE, "o-1", 12)
    assert sessions.visitor_of(new.token) == new.visitor
    assert new.visitor.phone_index == blind_index("phone", PHONE) and not new.visitor.is_staff
    assert new.visitor.actor == f"session:{new.visitor.session_id}"
    assert sessions.visitor_of("") is None and sessions.visitor_of(new.token + "x") is None
    stored = str(memory_database.execute_sql("SELECT * FROM session").fetchall())
    assert new.token not in stored and PHONE not in stored and new.token not in repr(new)


@pytest.mark.requirement("E6")
def test_closed_or_expired_session_is_none(memory_database: peewee.Database) -> None:
    closed, expired = (sessions.open_patient_session(PHONE, "", 12) for _ in range(2))
    assert closed.visitor.csrf_token != expired.visitor.csrf_token
    sessions.close_session(closed.token)
    assert sessions.visitor_of(closed.token) is None and sessions.visitor_of(expired.token) is not None
    Session.update(expires_at=now() - timedelta(seconds=1)).execute()
    assert sessions.visitor_of(expired.token) is None


@pytest.mark.requirement("K5")
def test_staff_sign_in(memory_database: peewee.Database) -> None:
    person = staff.create_staff("d1", "医生甲", "doctor", PASSWORD)
    assert person.password_hash.startswith("$argon2id$")
    assert staff.verify_password("d1", PASSWORD) == person
    visitor = sessions.open_staff_session(person, 12).visitor
    assert (visitor.is_staff, visitor.role, visitor.actor) == (True, "doctor", f"staff:{person.id}")


@pytest.mark.requirement("K5")
@pytest.mark.parametrize(("name", "password"), [("d1", "wrong"), ("nobody", PASSWORD), ("", ""), ("d1", "")])
def test_wrong_name_and_wrong_password_say_the_same(
    memory_database: peewee.Database, name: str, password: str
) -> None:
    staff.create_staff("d1", "医生甲", "doctor", PASSWORD)
    with pytest.raises(staff.WrongPassword, match=r"^用户名或密码不正确$"):
        staff.verify_password(name, password)


def test_unknown_role_is_refused(memory_database: peewee.Database) -> None:
    with pytest.raises(Refused, match="doctor, operator"):
        staff.create_staff("x", "甲", "root", PASSWORD)


@pytest.mark.requirement("E2")
def test_follower_moves_to_the_phone_that_bound_last(memory_database: peewee.Database) -> None:
    for openid, phone_index in [("o-1", "a"), ("o-2", "a"), ("o-1", "a"), ("o-2", "b")]:
        wechat_binding.bind(openid, phone_index)
    assert wechat_binding.openids_of("a") == ["o-1"]
    assert wechat_binding.openids_of("b") == ["o-2"]
    assert wechat_binding.openids_of("c") == []
