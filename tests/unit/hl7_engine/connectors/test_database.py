"""What is said to databases that we cannot run here, as they understand it."""

import sqlite3
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from core.errors import Unavailable
from hl7_engine.connectors.database import Source

pytestmark = pytest.mark.requirement("P2", "P6")


class Cursor:
    """Remembers what it was asked."""

    description = (("sqdh",), ("XGSJ",))

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def execute(self, *asked: Any) -> None:
        self.asked.extend(asked)

    def fetchall(self) -> list[tuple[str, int]]:
        return [("SQ1", 7)]


@pytest.mark.parametrize(
    ("limit_style", "paramstyle", "statement", "values"),
    [
        ("limit", "format", "SELECT * FROM v WHERE t >= %s ORDER BY t LIMIT 5", (7,)),
        ("limit", "pyformat", "SELECT * FROM v WHERE t >= %(value)s ORDER BY t LIMIT 5", {"value": 7}),
        ("top", "qmark", "SELECT TOP 5 * FROM v WHERE t >= ? ORDER BY t", (7,)),
        (
            "rownum",
            "named",
            "SELECT * FROM (SELECT * FROM v WHERE t >= :value ORDER BY t) WHERE ROWNUM <= 5",
            {"value": 7},
        ),
    ],
)
def test_each_database_is_asked_in_its_own_way(
    limit_style: str, paramstyle: str, statement: str, values: Any
) -> None:
    module = ModuleType("driver")
    module.paramstyle, module.Error = paramstyle, sqlite3.Error  # type: ignore[attr-defined]
    cursor = Cursor()
    connection = SimpleNamespace(cursor=lambda: cursor)
    source = Source("HIS", module, lambda: connection, limit_style)
    assert source.rows(connection, "v", "t >= {}", "t", 5, 7) == [{"SQDH": "SQ1", "XGSJ": 7}]
    assert cursor.asked == [statement, values]


@pytest.mark.parametrize("error", [sqlite3.OperationalError, OSError, ValueError])
def test_what_a_driver_says_when_it_cannot_connect_is_not_repeated(error: type[Exception]) -> None:
    def refuse() -> None:
        raise error("cannot connect with password=s3cret\nat all")

    source = Source("HIS", sqlite3, refuse, "limit")
    with pytest.raises(Unavailable) as raised, source.connected():
        pass
    assert str(raised.value) == f"no connection to the database HIS: {error.__name__}"
