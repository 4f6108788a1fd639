"""A view of a HIS's database, SQLite and a real PostgreSQL: every row becomes a command, whenever it becomes visible."""

import json
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest

from core import alarms
from core.bus import MemoryBus
from core.commands import PlaceOrder
from core.errors import Misconfigured, Unavailable
from core.models import ConnectorPosition, InboundMessage
from hl7_engine import connector
from hl7_engine.connectors import registry, view
from hl7_engine.connectors.view import ViewConnector
from hl7_engine.drain import Drain
from hl7_engine.incoming import Receipt
from hl7_engine.site import Site
from tests.fixtures.taking import MemoryInbox

pytestmark = [pytest.mark.requirement("P2", "P6"), pytest.mark.usefixtures("memory_database")]

Build = Callable[..., ViewConnector]
TABLE = (
    "CREATE TABLE jc_sqd (sqdh VARCHAR(20), xm VARCHAR(40), je DECIMAL(10, 2), xgsj TIMESTAMP, xh INTEGER)"
)


class His:
    """The other side of the view."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection: Any = (
            sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
            if url.startswith("sqlite")
            else psycopg.connect(url, autocommit=True)
        )
        self.execute(TABLE)
        self.execute("CREATE VIEW v_sqd AS SELECT * FROM jc_sqd")

    def execute(self, statement: str) -> None:
        self._connection.execute(statement)

    def order(self, number: int, at: str | None = None, count: int | None = None) -> None:
        moment = f"'2026-11-24 {at}'" if at else "NULL"
        self.execute(
            f"INSERT INTO jc_sqd VALUES ('SQ{number}', '张三', 20.10, {moment}, {'NULL' if count is None else count})"
        )

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def his(bare_database_url: str) -> Iterator[His]:
    his = His(bare_database_url)
    yield his
    his.close()


@pytest.fixture
def build(his: His) -> Build:
    table = {
        "kind": "view",
        "name": "his-view",
        "url": his.url,
        "view": "v_sqd",
        "watermark": "xgsj",
        "start": "2026-11-01 00:00:00",
        "action": "PlaceOrder",
        "columns": {
            "placer_order_number": "SQDH",
            "patient.name": "xm",
            "fee_lines.0.amount_fen": {"column": "je", "unit": "yuan"},
        },
        "constants": {"modality": "CT"},
    }
    return lambda **others: registry.build({**table, **others})  # type: ignore[return-value]


@pytest.fixture
def by_number(build: Build) -> Build:
    """The same view read by a number that grows."""
    return lambda **others: build(watermark="xh", watermark_type="number", start="0", **others)


def look(reader: ViewConnector, accept: Any) -> int:
    return reader.look(accept, threading.Event())


def numbers(inbox: MemoryInbox) -> list[str]:
    return [json.loads(content)["data"]["placer_order_number"] for content in inbox.contents]


def test_rows_become_commands_once(his: His, build: Build, memory_inbox: MemoryInbox) -> None:
    reader = build()
    his.order(1, "09:00:00")
    his.order(2, "09:00:01")
    assert look(reader, memory_inbox.accept) == 2
    item = memory_inbox.taken[0]
    data = json.loads(item.content)["data"]
    assert (data["placer_order_number"], data["patient"]["name"], data["modality"]) == ("SQ1", "张三", "CT")
    assert data["fee_lines"][0]["amount_fen"] == 2010
    assert (item.format, item.channel, item.peer, item.message_type) == (
        "json",
        "view",
        "his-view",
        "PlaceOrder",
    )
    assert look(reader, memory_inbox.accept) == 0
    his.order(3, "09:00:02")
    assert look(reader, memory_inbox.accept) == 1
    assert numbers(memory_inbox) == ["SQ1", "SQ2", "SQ3"]


def test_row_that_is_changed_is_told_again(his: His, build: Build, memory_inbox: MemoryInbox) -> None:
    reader = build()
    his.order(1, "09:00:00")
    look(reader, memory_inbox.accept)
    for name, minute in (("李四", 1), ("张三", 2)):
        his.execute(f"UPDATE jc_sqd SET xm = '{name}', xgsj = '2026-11-24 09:0{minute}:00'")
        assert look(reader, memory_inbox.accept) == 1
    names = [json.loads(content)["data"]["patient"]["name"] for content in memory_inbox.contents]
    assert names == ["张三", "李四", "张三"]


def test_row_with_the_watermark_of_the_last_one_is_not_lost(
    his: His, build: Build, memory_inbox: MemoryInbox
) -> None:
    reader = build()
    his.order(1, "09:00:00")
    look(reader, memory_inbox.accept)
    his.order(2, "09:00:00")
    look(reader, memory_inbox.accept)
    assert numbers(memory_inbox) == ["SQ1", "SQ2"]


@pytest.mark.parametrize("count", [5, 6, 7, 40])
def test_more_rows_with_one_watermark_than_are_read_at_once(
    his: His, by_number: Build, memory_inbox: MemoryInbox, count: int
) -> None:
    his.order(0, count=1)
    for number in range(1, count + 1):
        his.order(number, count=2)
    his.order(99, count=3)
    look(by_number(batch=3), memory_inbox.accept)
    assert sorted(numbers(memory_inbox)) == sorted(["SQ0", *(f"SQ{n}" for n in range(1, count + 1)), "SQ99"])
    assert set(memory_inbox.states) == {"stored"}


def test_watermark_that_tells_nothing_apart_is_told(
    his: His, by_number: Build, memory_inbox: MemoryInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "_MOST_ROWS", 20)
    for number in range(30):
        his.order(number, count=2)
    with pytest.raises(Unavailable, match="more than 12 rows have one xh: choose a column"):
        look(by_number(batch=3), memory_inbox.accept)


@pytest.mark.parametrize(("overlap", "found"), [(0, []), (60, ["SQ2"])])
def test_row_that_becomes_visible_late_is_found_within_the_overlap(
    his: His, build: Build, memory_inbox: MemoryInbox, overlap: int, found: list[str]
) -> None:
    reader = build(overlap=overlap)
    his.order(1, "09:01:00")
    look(reader, memory_inbox.accept)
    his.order(2, "09:00:30")
    look(reader, memory_inbox.accept)
    look(reader, memory_inbox.accept)
    assert numbers(memory_inbox) == ["SQ1", *found]
    assert set(memory_inbox.states) == {"stored"}, "what is known here is not asked of the inbox again"


def test_position_survives_a_restart(his: His, by_number: Build, memory_inbox: MemoryInbox) -> None:
    for number in range(1, 8):
        his.order(number, count=number)
    look(by_number(batch=2), memory_inbox.accept)
    assert ConnectorPosition.get().position == "7"
    memory_inbox.calls.clear()
    look(by_number(batch=2), memory_inbox.accept)
    ((again,),) = memory_inbox.calls
    assert json.loads(again.content)["data"]["placer_order_number"] == "SQ7"
    assert memory_inbox.states[-1] == "known"


def test_position_moves_only_when_the_rows_are_stored(
    his: His, build: Build, memory_inbox: MemoryInbox
) -> None:
    his.order(1, "09:00:00")
    memory_inbox.failures = 1
    with pytest.raises(Unavailable, match="could not be stored"):
        look(build(), memory_inbox.accept)
    assert ConnectorPosition.select().count() == 0
    look(build(), memory_inbox.accept)
    assert numbers(memory_inbox) == ["SQ1"]
    assert ConnectorPosition.get().position == "2026-11-24 09:00:00"


def test_killed_between_commit_and_position_the_rows_are_recognised(his: His, build: Build) -> None:
    his.order(1, "09:00:00")
    states: list[str] = []
    into_inbox = connector.into_inbox(Site())

    def accept(items: Any) -> list[Receipt]:
        receipts = into_inbox(items)
        states.extend(receipt.state for receipt in receipts)
        if len(states) == 1:
            raise KeyboardInterrupt
        return receipts

    with pytest.raises(KeyboardInterrupt):
        look(build(), accept)
    look(build(), accept)
    assert states == ["stored", "known"]
    row = InboundMessage.get()
    assert (row.peer, row.channel, row.format, row.message_type) == ("his-view", "view", "json", "PlaceOrder")


def test_rows_take_effect_like_any_other_message(his: His, build: Build) -> None:
    reader = build(
        columns={
            "placer_order_number": "SQDH",
            "patient.name": "xm",
            "patient.identifiers.0.1": "sqdh",
            "ordered_at": "xgsj",
            "fee_lines.0.fee_line_id": "sqdh",
            "fee_lines.0.amount_fen": {"column": "je", "unit": "yuan"},
        },
        constants={
            "patient.identifiers.0.0": "HIS",
            "fee_lines.0.choice": "charge",
            "fee_lines.0.collect_on_behalf": True,
        },
    )
    his.order(1, "09:00:00")
    look(reader, connector.into_inbox(Site()))
    bus = MemoryBus()
    assert Drain(bus, Site(), lambda *_: None).run_once() == 1
    (order,) = bus.submitted
    assert isinstance(order, PlaceOrder)
    assert (order.placer_order_number, order.patient.name) == ("SQ1", "张三")
    assert order.ordered_at == datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
    assert order.fee_lines[0].amount_fen == 2010
    row = InboundMessage.get()
    assert (row.state, row.order_number, row.error) == ("handled", "SQ1", "")


def test_rows_without_watermark_raise_an_alarm_that_ends(
    his: His, build: Build, memory_inbox: MemoryInbox
) -> None:
    his.order(1)
    his.order(2, "09:00:00")
    look(build(), memory_inbox.accept)
    assert numbers(memory_inbox) == ["SQ2"]
    (alarm,) = alarms.open_alarms(view.WITHOUT_WATERMARK)
    assert alarm.text == "1 rows of view v_sqd have no xgsj and are not read"
    his.execute("UPDATE jc_sqd SET xgsj = '2026-11-24 10:00:00' WHERE sqdh = 'SQ1'")
    look(build(), memory_inbox.accept)
    assert numbers(memory_inbox) == ["SQ2", "SQ1"]
    assert alarms.open_alarms() == []


def test_view_that_is_away_is_unavailable_and_comes_back(
    his: His, build: Build, memory_inbox: MemoryInbox
) -> None:
    reader = build()
    his.execute("DROP VIEW v_sqd")
    with pytest.raises(Unavailable, match=r"UndefinedTable|OperationalError"):
        look(reader, memory_inbox.accept)
    his.execute("CREATE VIEW v_sqd AS SELECT * FROM jc_sqd")
    his.order(1, "09:00:00")
    assert look(reader, memory_inbox.accept) == 1


def test_column_that_is_missing_is_named(his: His, build: Build, memory_inbox: MemoryInbox) -> None:
    his.order(1, "09:00:00")
    with pytest.raises(Misconfigured, match="view v_sqd has no column SBLX"):
        look(build(columns={"modality": "SBLX"}), memory_inbox.accept)


def test_nothing_can_be_written(his: His, build: Build) -> None:
    reader = build()
    with (
        pytest.raises(Unavailable, match=r"ReadOnlySqlTransaction|SQLITE_READONLY"),
        reader._source.connected() as connection,
    ):
        connection.cursor().execute("DELETE FROM jc_sqd")


def test_it_tells_that_it_is_up_and_stops(build: Build, memory_inbox: MemoryInbox) -> None:
    stop = threading.Event()
    build().run(memory_inbox.accept, stop, is_up=stop.set)
    assert stop.is_set()


@pytest.mark.parametrize("bare_database_url", ["postgresql"], indirect=True)
def test_times_with_a_zone_are_the_hospitals(his: His, build: Build, memory_inbox: MemoryInbox) -> None:
    his.execute("CREATE VIEW v_zone AS SELECT sqdh, xm, je, xgsj AT TIME ZONE 'UTC' AS xgsj FROM jc_sqd")
    reader = build(view="v_zone")
    his.order(1, "09:00:00")
    his.order(2, "10:00:00")
    assert look(reader, memory_inbox.accept) == 2
    assert ConnectorPosition.get().position == "2026-11-24 18:00:00"
    assert look(reader, memory_inbox.accept) == 0


@pytest.mark.parametrize("bare_database_url", ["postgresql"], indirect=True)
def test_statement_that_takes_too_long_is_ended(his: His, build: Build, memory_inbox: MemoryInbox) -> None:
    his.execute(
        "CREATE VIEW v_slow AS SELECT sqdh, xm, je, xgsj FROM jc_sqd, (SELECT pg_sleep(60)) AS nothing"
    )
    his.order(1, "09:00:00")
    with pytest.raises(Unavailable, match="QueryCanceled 57014"):
        look(build(view="v_slow", timeout_seconds=1), memory_inbox.accept)


@pytest.mark.parametrize("bare_database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("paramstyle", ["qmark", "named", "numeric"])
def test_any_driver_is_used_by_its_name(
    his: His,
    build: Build,
    memory_inbox: MemoryInbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    paramstyle: str,
) -> None:
    """SQLite, which understands three ways of writing a parameter, in the place of a driver that we do not have."""
    seen: list[dict[str, Any]] = []

    def connect(**arguments: Any) -> sqlite3.Connection:
        seen.append(arguments)
        return sqlite3.connect(his.url.removeprefix("sqlite:///"))

    driver = ModuleType("hospitaldb")
    driver.paramstyle, driver.Error, driver.connect = paramstyle, sqlite3.Error, connect  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "hospitaldb", driver)
    password = tmp_path / "password"
    password.write_text("s3cret\n")
    his.order(1, "09:00:00")
    reader = build(
        driver="hospitaldb",
        url="",
        connect={"host": "10.1.2.3", "user": "cloudfilm"},
        password_file=str(password),
        on_connect=["PRAGMA query_only = 1"],
    )
    assert look(reader, memory_inbox.accept) == 1
    assert seen == [{"host": "10.1.2.3", "user": "cloudfilm", "password": "s3cret"}]


@pytest.mark.parametrize("bare_database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("others", "text"),
    [
        (
            {"driver": "oracledb_of_tomorrow"},
            "driver oracledb_of_tomorrow is not installed: `.venv/bin/pip install",
        ),
        ({"driver": "json"}, "json is no DB-API driver"),
        ({"driver": "sqlite3", "connect": {"password": "x"}}, "no password in connect"),
        ({"url": "oracle://his/orcl"}, "url: sqlite:/// or postgresql://"),
        ({"url": "postgresql://a:b@his/db"}, "no password in url"),
        ({"view": "v; DROP TABLE x"}, "view is 'v; DROP TABLE x'"),
        ({"watermark": "a b"}, "watermark is 'a b'"),
        ({"watermark_type": "float"}, "watermark_type is 'float': use time, number, text"),
        ({"start": "gestern"}, "start is 'gestern', which is no time"),
        ({"overlap": 5, "watermark_type": "text"}, "overlap is for times"),
        ({"limit_style": "first"}, "limit_style is 'first': use limit, rownum, top"),
        ({"batch": 0}, "batch is 0"),
    ],
)
def test_wrong_settings_are_told_by_name(build: Build, others: dict[str, Any], text: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        build(**others)
    assert str(raised.value).startswith(f"connector his-view: {text}")
