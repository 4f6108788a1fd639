"""PID and ADT: who is meant, with the personal numbers kept apart from the hospital's."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.commands import PatientFacts, RegisterPatient
from hl7_engine.errors import Unreadable
from hl7_engine.reading import adt
from hl7_engine.reading.patient import read_patient
from hl7_engine.times import format_moment, parse_date, parse_moment
from simulators.his_messages import adt_a04
from tests.unit.hl7_engine.samples import NOON, PATIENT, envelope, opened, with_segments

pytestmark = pytest.mark.requirement("P6", "E7")


def facts(pid: str) -> PatientFacts:
    return read_patient(with_segments("ADT^A04", f"PID|1||{pid}"))


@pytest.mark.parametrize("charset", ["gb18030", "utf-8"])
@pytest.mark.parametrize("name", ["张珅東", "瑋璡", "欧阳|^&~\\"])
def test_registered_patient(charset: str, name: str) -> None:
    patient = replace(PATIENT, name=name)
    assert adt.read(opened(adt_a04(patient, envelope(charset=charset)))) == [RegisterPatient(patient, NOON)]


def test_identity_numbers_are_kept_apart_from_hospital_numbers() -> None:
    found = facts("1^^^HIS&1.2&ISO^PI~330683198506151230^^^GA^NI~E1^^^^PPN~A9^^^YBJ^HC~1^^^HIS^PI~5^^^^MR")
    assert found.identifiers == (("HIS", "1"), ("YBJ", "A9"), ("HIS", "5"))
    assert found.id_number == "330683198506151230"
    assert facts("E1^^^^PPN").id_number == "E1"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("张^珅東^^^^^L^I~ZHANG^SHENDONG^^^^^L^A", "张珅東"),
        ("ZHANG^SHENDONG^^^^^L^A~张^珅東^^^^^L^I", "张珅東"),
        ("张珅東", "张珅東"),
        ("SMITH^ANN", "SMITH ANN"),
        ('""', ""),
        ("", ""),
    ],
)
def test_name(name: str, expected: str) -> None:
    assert facts(f"1^^^HIS||{name}").name == expected


@pytest.mark.parametrize(
    ("phone", "expected"),
    [
        ("^PRN^CP^^86^^13800138000", "13800138000"),
        ("057583338329~^PRN^CP^^^^138-0013-8000", "13800138000"),
        ("+86 13800138000", "13800138000"),
        ("057583338329", "057583338329"),
        ("", ""),
    ],
)
def test_phone(phone: str, expected: str) -> None:
    assert facts(f"1^^^HIS||||||||||{phone}").phone == expected


@pytest.mark.parametrize(
    ("born", "sex", "expected"),
    [("19850615", "m", ("1985-06-15", "M")), ("19850231", "男", ("", "U")), ("1985", "F", ("", "F"))],
)
def test_birth_and_sex_that_are_not_understood_are_not_told(
    born: str, sex: str, expected: tuple[str, str]
) -> None:
    found = facts(f"1^^^HIS||||{born}|{sex}")
    assert (found.birth_date, found.sex) == expected


def test_nobody_and_oversized_numbers_are_unreadable() -> None:
    with pytest.raises(Unreadable, match="PID-3 has no patient number"):
        adt.read(with_segments("ADT^A04", "EVN|A04"))
    with pytest.raises(Unreadable, match="PID-3 repetition 1"):
        facts("9" * 65)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20261124101530+0800", datetime(2026, 11, 24, 2, 15, 30, tzinfo=UTC)),
        ("20261124101530", datetime(2026, 11, 24, 2, 15, 30, tzinfo=UTC)),
        ("20261124101530.123-0500", datetime(2026, 11, 24, 15, 15, 30, 123000, tzinfo=UTC)),
        ("202611241015", datetime(2026, 11, 24, 2, 15, tzinfo=UTC)),
        ("20261124", datetime(2026, 11, 23, 16, tzinfo=UTC)),
        ("2026", datetime(2025, 12, 31, 16, tzinfo=UTC)),
    ],
)
def test_moments(text: str, moment: datetime) -> None:
    assert parse_moment(text, "ORC-9") == moment


@pytest.mark.parametrize("text", ["20261301", "20261124250000", "2026-11-24", "0001", "20261124+9900", "x"])
def test_moments_that_are_none(text: str) -> None:
    with pytest.raises(Unreadable, match="ORC-9 is"):
        parse_moment(text, "ORC-9")


def test_writing_and_reading_a_moment() -> None:
    assert format_moment(NOON) == "20261124120000+0800"
    assert parse_moment(format_moment(NOON), "MSH-7") == NOON
    assert parse_date("20261124120000") == "2026-11-24"
