"""Columns on both databases: times come back aware and exact; personal data lies sealed and comes back."""

from datetime import UTC, datetime, timedelta, timezone

import peewee
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import personal_data
from core.errors import Misconfigured
from core.models import InboundMessage, OutboxEvent, Patient
from crypto.errors import CryptoError
from crypto.keyring import Keyring

NAME = "張珅東"

times = st.datetimes(datetime(1970, 1, 2), datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def event(moment: datetime) -> OutboxEvent:
    return OutboxEvent.create(kind="k", key=str(OutboxEvent.select().count()), payload="", next_at=moment)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moment=times, hours=st.integers(-12, 14))
def test_time_comes_back_exact_and_aware(database: peewee.Database, moment: datetime, hours: int) -> None:
    row = event(moment.astimezone(timezone(timedelta(hours=hours))))
    back = OutboxEvent.get_by_id(row.id).next_at
    assert (back, back.tzinfo) == (moment, UTC)


@pytest.mark.usefixtures("database")
def test_times_are_compared_and_sorted_as_times() -> None:
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    moments = [
        noon,
        noon + timedelta(microseconds=1),
        noon + timedelta(seconds=1),
        noon - timedelta(days=9999),
    ]
    for moment in moments:
        event(moment)
    assert [row.next_at for row in OutboxEvent.select().order_by(OutboxEvent.next_at)] == sorted(moments)
    shanghai = noon.astimezone(timezone(timedelta(hours=8)))
    assert OutboxEvent.select().where(OutboxEvent.next_at <= shanghai).count() == 2


@pytest.mark.usefixtures("memory_database")
def test_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="next_at"):
        event(datetime(2026, 11, 24))  # noqa: DTZ001


@pytest.mark.usefixtures("database")
@pytest.mark.requirement("K5", "H2")
def test_personal_data_lies_sealed_and_comes_back(database: peewee.Database) -> None:
    patient = Patient.create(name=NAME, phone="13800138000", id_number="330683198506151234")
    message = InboundMessage.create(
        peer="his", control_id="1", body=NAME.encode("gb18030"), body_sm3="0" * 64
    )
    stored = b"".join(
        bytes(value)
        for table, columns in {"patient": "name, phone, id_number", "inbound_message": "body"}.items()
        for row in database.execute_sql(f"SELECT {columns} FROM {table}").fetchall()
        for value in row
    )
    for clear in (NAME.encode(), NAME.encode("gb18030"), b"13800138000", b"330683198506151234"):
        assert clear not in stored
    back = Patient.get_by_id(patient.id)
    assert (back.name, back.phone, back.id_number) == (NAME, "13800138000", "330683198506151234")
    assert InboundMessage.get_by_id(message.id).body == NAME.encode("gb18030")


@pytest.mark.usefixtures("memory_database")
@pytest.mark.requirement("H2")
def test_sealed_value_opens_only_in_its_own_column(memory_database: peewee.Database) -> None:
    Patient.create(name=NAME)
    memory_database.execute_sql("UPDATE patient SET phone = name")
    moved = Patient.get()
    with pytest.raises(CryptoError):
        _ = moved.phone


@pytest.mark.usefixtures("memory_database")
def test_columns_are_opened_when_they_are_read_and_go_back_as_they_came(
    memory_database: peewee.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Patient.create(name=NAME, phone="13800138000")
    opened: list[str] = []
    real = personal_data.open_text
    monkeypatch.setattr(
        personal_data, "open_text", lambda blob, context: opened.append(context) or real(blob, context)
    )
    row = Patient.get_by_id(made.id)
    assert opened == []
    assert (row.phone, row.phone) == ("13800138000", "13800138000")
    assert opened == ["patient.phone"]
    before = memory_database.execute_sql("SELECT name FROM patient").fetchone()
    row.sex = "M"
    row.save(only=[Patient.name, Patient.sex])
    assert memory_database.execute_sql("SELECT name FROM patient").fetchone() == before
    other = Patient.get_by_id(made.id)
    Patient.update(name=other.__data__["name"]).where(Patient.id == made.id).execute()
    assert Patient.get_by_id(made.id).name == NAME


@pytest.mark.usefixtures("database")
def test_empty_sealed_columns_stay_empty() -> None:
    patient = Patient.create()
    back = Patient.get_by_id(patient.id)
    assert (back.name, back.phone) == ("", "")


def test_blind_index_finds_equal_values_of_one_kind(keyring: Keyring) -> None:
    index = personal_data.blind_index("phone", "13800138000")
    assert index == personal_data.blind_index("phone", "13800138000")
    assert index != personal_data.blind_index("id_number", "13800138000")
    assert index != personal_data.blind_index("phone", "13800138001")
    assert len(index) == 64


def test_without_a_keyring_the_text_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personal_data, "_keyring", None)
    with pytest.raises(Misconfigured, match="cloudfilm setup"):
        personal_data.seal_text("x", "patient.name")
