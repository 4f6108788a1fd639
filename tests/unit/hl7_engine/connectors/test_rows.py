"""Rows become commands as the site's table says; the same row always the same bytes."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest

from core.errors import Misconfigured
from hl7_engine.connectors.rows import RowMapping

pytestmark = pytest.mark.requirement("P2", "P6")


def data_of(columns: dict[str, Any], row: dict[str, Any], constants: dict[str, Any] | None = None) -> Any:
    mapping = RowMapping("connector v", "PlaceOrder", columns, constants or {})
    told = json.loads(mapping.command(row, 7))
    assert told["action"] == "PlaceOrder"
    return told["data"]


def test_paths_make_tables_and_lists() -> None:
    columns = {
        "accession_number": "JCH",
        "patient.name": "XM",
        "patient.identifiers.0.1": "BRH",
        "patient.identifiers.1.1": "YBH",
        "fee_lines.0.fee_line_id": "FYID",
    }
    constants = {
        "patient.identifiers.0.0": "HIS",
        "patient.identifiers.1.0": "YB",
        "fee_lines.0.choice": "charge",
        "modality": "CT",
    }
    row = {"JCH": "CT1", "XM": "张珅東", "BRH": "0001", "YBH": None, "FYID": "F1"}
    assert data_of(columns, row, constants) == {
        "accession_number": "CT1",
        "modality": "CT",
        "patient": {"name": "张珅東", "identifiers": [["HIS", "0001"]]},
        "fee_lines": [{"fee_line_id": "F1", "choice": "charge"}],
    }


def test_item_of_a_list_of_which_the_row_tells_nothing_is_not_there() -> None:
    columns = {"accession_number": "JCH", "fee_lines.0.fee_line_id": "FYID"}
    constants = {"fee_lines.0.choice": "charge"}
    assert data_of(columns, {"JCH": "CT1", "FYID": " "}, constants) == {"accession_number": "CT1"}


def test_constant_stands_for_what_the_row_does_not_tell() -> None:
    assert data_of({"modality": "SBLX"}, {"SBLX": None}, {"modality": "CT"}) == {"modality": "CT"}
    assert data_of({"modality": "SBLX"}, {"SBLX": "MR"}, {"modality": "CT"}) == {"modality": "MR"}


@pytest.mark.parametrize(
    ("told", "value", "expected"),
    [
        ("C", "  张三 ", "张三"),
        ("C", 1234567, "1234567"),
        ("C", Decimal("1234567"), "1234567"),
        ("C", 1234567.0, "1234567"),
        ("C", date(1985, 6, 15), "1985-06-15"),
        ("C", float("nan"), "nan"),
        ("C", datetime(2026, 11, 24, 9, 30), "2026-11-24T09:30:00+08:00"),  # noqa: DTZ001 — as databases give it
        ("C", datetime(2026, 11, 24, 1, 30, tzinfo=UTC), "2026-11-24T01:30:00+00:00"),
        ("C", True, True),
        ("C", StringIO("影像所见"), "影像所见"),
        ({"column": "C", "format": "%Y%m%d%H%M%S"}, "20261124093000", "2026-11-24T09:30:00+08:00"),
        ({"column": "C", "format": "%Y-%m-%d"}, "gestern", "gestern"),
        ({"column": "C", "values": {"男": "M", "*": "U"}}, "男", "M"),
        ({"column": "C", "values": {"男": "M", "*": "U"}}, "?", "U"),
        ({"column": "C", "values": {"1": True}}, 1, True),
        ({"column": "C", "values": {"1": "M"}}, "2", "2"),
        ({"column": "C", "unit": "yuan"}, Decimal("20.10"), 2010),
        ({"column": "C", "unit": "yuan"}, 0.29, 29),
        ({"column": "C", "unit": "yuan"}, "180", 18000),
        ({"column": "C", "unit": "fen"}, 2000, 2000),
        ({"column": "C", "unit": "yuan"}, "20.005", "20.005"),
        ({"column": "C", "unit": "yuan"}, "免费", "免费"),
        ({"column": "C", "unit": "yuan"}, "NaN", "NaN"),
    ],
)
def test_values_become_what_commands_have(told: Any, value: Any, expected: Any) -> None:
    found = data_of({"field": told}, {"C": value})["field"]
    assert (found, type(found)) == (expected, type(expected))


def test_id_follows_from_the_watermark_too() -> None:
    mapping = RowMapping("connector v", "PlaceOrder", {"accession_number": "JCH"}, {})
    first, again = mapping.command({"JCH": "CT1"}, 7), mapping.command({"JCH": "CT1"}, 7)
    assert first == again
    changed_back = mapping.command({"JCH": "CT1"}, 9)
    assert json.loads(changed_back)["data"] == json.loads(first)["data"]
    assert changed_back != first


@pytest.mark.parametrize(
    ("columns", "constants", "text"),
    [
        ({}, {}, "columns is empty"),
        ({"a": 1}, {}, "columns: a: the name of a column"),
        ({"a": {"column": "A", "size": 1}}, {}, "columns: a: unknown size"),
        ({"a": {"unit": "fen"}}, {}, "columns: a: column missing"),
        ({"a": {"column": "A", "unit": "jiao"}}, {}, "columns: a: unit is 'jiao'"),
        ({"patient": "A"}, {"patient.name": "B"}, "patient.name is inside patient"),
    ],
)
def test_wrong_tables_are_told_by_name(columns: Any, constants: Any, text: str) -> None:
    with pytest.raises(Misconfigured, match=f"connector v: {text}"):
        RowMapping("connector v", "PlaceOrder", columns, constants)
