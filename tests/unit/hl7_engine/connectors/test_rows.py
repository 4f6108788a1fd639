"""Rows become commands as the site's table says; the same row always the same bytes, and the reader understands them."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest

from core.commands import FeeLine, PlaceOrder
from core.errors import Misconfigured
from hl7_engine import json_commands
from hl7_engine.connectors.rows import RowMapping
from hl7_engine.errors import Unreadable

pytestmark = pytest.mark.requirement("P2", "P6")

SHANGHAI = timezone(timedelta(hours=8))
COLUMNS = {
    "accession_number": "JCH",
    "ordered_at": "KDSJ",
    "patient.name": "XM",
    "patient.birth_date": "CSRQ",
    "patient.identifiers.0.1": "BRH",
    "patient.identifiers.1.1": "YBH",
    "fee_lines.0.fee_line_id": "FYID",
    "fee_lines.0.amount_fen": {"column": "JE", "unit": "yuan"},
    "fee_lines.0.paid": "SF",
}
CONSTANTS = {
    "modality": "CT",
    "patient.identifiers.0.0": "HIS",
    "patient.identifiers.1.0": "YB",
    "fee_lines.0.choice": "charge",
    "fee_lines.0.collect_on_behalf": True,
}
ROW = {
    "JCH": "CT1",
    "KDSJ": datetime(2026, 11, 24, 9, 30),  # noqa: DTZ001 — as databases give it
    "XM": "张珅東  ",
    "CSRQ": datetime(1985, 6, 15),  # noqa: DTZ001
    "BRH": Decimal("1234567"),
    "YBH": None,
    "FYID": "F1",
    "JE": Decimal("20.10"),
    "SF": 0,
}


def command(changes: dict[str, Any] | None = None) -> PlaceOrder:
    mapping = RowMapping("connector v", "PlaceOrder", COLUMNS, CONSTANTS)
    (found,) = json_commands.read(mapping.command(ROW | (changes or {}), 7))
    assert isinstance(found, PlaceOrder)
    return found


def value(path: str, told: Any, found: Any, action: str = "PlaceOrder") -> Any:
    """What one column becomes."""
    data = json.loads(RowMapping("v", action, {path: told}, {}).command({"C": found}, 7))["data"]
    for part in path.split("."):
        data = data[int(part) if part.isdigit() else part]
    return data


def test_row_is_understood_as_the_command() -> None:
    order = command()
    assert (order.accession_number, order.modality, order.department) == ("CT1", "CT", "")
    assert order.ordered_at == datetime(2026, 11, 24, 9, 30, tzinfo=SHANGHAI)
    assert order.patient.identifiers == (("HIS", "1234567"),)
    assert (order.patient.name, order.patient.birth_date, order.patient.sex) == ("张珅東", "1985-06-15", "U")
    assert order.fee_lines == (FeeLine("F1", "", "", 2010, True, "charge", False),)


def test_item_of_a_list_of_which_the_row_tells_nothing_is_not_there() -> None:
    assert command({"FYID": " ", "JE": None, "SF": None}).fee_lines == ()


def test_what_must_be_told_and_is_not_is_named_by_the_reader() -> None:
    for column, place in (("KDSJ", "data.ordered_at"), ("JE", r"data.fee_lines\[0\].amount_fen")):
        with pytest.raises(Unreadable, match=f"{place} is missing"):
            command({column: None})


def test_constant_stands_for_what_the_row_does_not_tell() -> None:
    mapping = RowMapping("v", "PlaceOrder", {"modality": "SBLX"}, {"modality": "CT"})
    found = [json.loads(mapping.command({"SBLX": told}, 7))["data"]["modality"] for told in (None, "MR")]
    assert found == ["CT", "MR"]


TEXT, MONEY, MOMENT, TRUTH = "item_name", "fee_lines.0.amount_fen", "ordered_at", "fee_lines.0.paid"


@pytest.mark.parametrize(
    ("path", "told", "found", "expected"),
    [
        (TEXT, "C", "  胸部CT ", "胸部CT"),
        (TEXT, "C", 1234567, "1234567"),
        (TEXT, "C", 1234567.0, "1234567"),
        (TEXT, "C", float("nan"), "nan"),
        (TEXT, "C", date(1985, 6, 15), "1985-06-15"),
        (TEXT, "C", StringIO("影像所见"), "影像所见"),
        (TEXT, {"column": "C", "format": "%Y%m%d"}, "19850615", "1985-06-15"),
        (TEXT, {"column": "C", "values": {"男": "M", "*": "U"}}, "男", "M"),
        (TEXT, {"column": "C", "values": {"男": "M", "*": "U"}}, "?", "U"),
        (TEXT, {"column": "C", "values": {"1": "M"}}, Decimal(2), "2"),
        (MOMENT, "C", datetime(2026, 11, 24, 1, 30, tzinfo=UTC), "2026-11-24T01:30:00+00:00"),
        (MOMENT, "C", "2026-11-24 09:30:00", "2026-11-24T09:30:00+08:00"),
        (MOMENT, "C", date(2026, 11, 24), "2026-11-24T00:00:00+08:00"),
        (MOMENT, {"column": "C", "format": "%Y%m%d%H%M"}, "202611240930", "2026-11-24T09:30:00+08:00"),
        (MOMENT, {"column": "C", "format": "%Y%m%d%H%M"}, "gestern", "gestern"),
        (MONEY, {"column": "C", "unit": "yuan"}, 0.29, 29),
        (MONEY, {"column": "C", "unit": "yuan"}, "180", 18000),
        (MONEY, "C", 2000, 2000),
        (MONEY, {"column": "C", "unit": "yuan"}, "20.005", "20.005"),
        (MONEY, {"column": "C", "unit": "yuan"}, "免费", "免费"),
        (MONEY, {"column": "C", "unit": "yuan"}, "NaN", "NaN"),
        (TRUTH, "C", True, True),
        (TRUTH, "C", Decimal(1), True),
        (TRUTH, "C", "0", False),
        (TRUTH, {"column": "C", "values": {"已收": True, "*": False}}, "未收", False),
        (TRUTH, "C", "也许", "也许"),
    ],
)
def test_values_become_what_commands_have(path: str, told: Any, found: Any, expected: Any) -> None:
    got = value(path, told, found)
    assert (got, type(got)) == (expected, type(expected))


def test_what_may_be_open_is_null() -> None:
    mapping = RowMapping("v", "ScheduleExam", {"accession_number": "JCH"}, {})
    data = json.loads(mapping.command({"JCH": "CT1"}, 7))["data"]
    assert data["scheduled_at"] is None
    assert data["patient"] == {"identifiers": []}


def test_id_follows_from_the_watermark_too() -> None:
    mapping = RowMapping("v", "CancelOrder", {"accession_number": "JCH"}, {})
    first, again = mapping.command({"JCH": "CT1"}, 7), mapping.command({"JCH": "CT1"}, 7)
    assert first == again
    changed_back = mapping.command({"JCH": "CT1"}, 9)
    assert json.loads(changed_back)["data"] == json.loads(first)["data"]
    assert changed_back != first


@pytest.mark.parametrize(
    ("columns", "constants", "text"),
    [
        ({}, {}, "columns is empty"),
        ({"modality": 1}, {}, "columns: modality: the name of a column"),
        ({"modality": {"column": "A", "size": 1}}, {}, "columns: modality: unknown size"),
        ({"modality": {"unit": "fen"}}, {}, "columns: modality: column missing"),
        ({MONEY: {"column": "A", "unit": "jiao"}}, {}, "columns: fee_lines.0.amount_fen: unit is 'jiao'"),
        ({"modalty": "A"}, {}, "modalty is no field of PlaceOrder"),
        ({"modality": "A"}, {"patient.nam": "B"}, "patient.nam is no field of PlaceOrder"),
        ({"fee_lines.x.paid": "A"}, {}, "fee_lines.x.paid is no field of PlaceOrder"),
        ({"modality.0": "A"}, {}, "modality.0 is no field of PlaceOrder"),
        ({"patient.identifiers.0.2": "A"}, {}, "patient.identifiers.0.2 is no field of PlaceOrder"),
        ({"patient": "A"}, {}, "patient of PlaceOrder cannot be one column"),
    ],
)
def test_wrong_tables_are_told_by_name(columns: Any, constants: Any, text: str) -> None:
    with pytest.raises(Misconfigured, match=f"connector v: {text}"):
        RowMapping("connector v", "PlaceOrder", columns, constants)


def test_unknown_action_is_told() -> None:
    with pytest.raises(Misconfigured, match="action is 'PlaceOrders': use one of RegisterPatient, "):
        RowMapping("connector v", "PlaceOrders", {"modality": "A"}, {})
