"""Stored messages are found by their numbers, sender, type, state, time, and by a text in their sealed bodies."""

from datetime import timedelta
from typing import Any

import pytest

from core.db import database
from core.errors import NotFound
from core.models import InboundMessage
from hl7_engine import message_store
from hl7_engine.message_store import PROBLEM, Criteria, search
from tests.unit.hl7_engine.stored import BODY, NOW, inbound

pytestmark = [pytest.mark.requirement("P6", "S3"), pytest.mark.usefixtures("database")]

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def found(**criteria: Any) -> list[int]:
    return [row.id for row in search(Criteria(**criteria)).rows]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("patient_number", "0001234567"),
        ("order_number", "SQ1"),
        ("accession_number", "CT1"),
        ("number", "CT1"),
        ("peer", "RIS|X"),
        ("channel", "soap"),
        ("message_type", "ORU^R01"),
        ("state", "parked"),
    ],
)
def test_each_column_finds_its_message_alone(column: str, value: str) -> None:
    inbound()
    wanted = inbound(**{"accession_number" if column == "number" else column: value})
    inbound(control_id="M3")
    assert found(**{column: value}) == [wanted.id]


def test_type_without_its_event_finds_all_events_and_no_other_type() -> None:
    wanted = [inbound(message_type=kind).id for kind in ("ADT^A04", "ADT^A40", "ADT")]
    inbound(message_type="ADTX^A04")
    assert found(message_type="ADT") == wanted[::-1]


def test_problems_are_the_parked_and_the_refused() -> None:
    rows = {state: inbound(state=state).id for state in message_store.STATES}
    assert found(state=PROBLEM) == [rows["refused"], rows["parked"]]


def test_time_range_is_exact_whatever_the_gaps() -> None:
    rows = [inbound(HOUR * hours) for hours in range(60, 0, -1)]
    InboundMessage.delete().where(InboundMessage.id.in_([row.id for row in rows[5:20]])).execute()
    since, until = NOW - 30 * HOUR, NOW - 10 * HOUR
    expected = [row.id for row in rows if since <= row.created_at < until]
    assert found(since=since, until=until) == expected[::-1]
    assert found(since=NOW) == []
    assert found(until=NOW - 61 * HOUR) == []


def test_rows_stored_in_another_order_than_they_came_are_found() -> None:
    late = inbound(10 * MINUTE)
    early = inbound(11 * MINUTE)
    assert set(found(since=NOW - 10 * MINUTE)) == {late.id}
    assert set(found(until=NOW - 10 * MINUTE)) == {early.id}


def test_pages_follow_each_other_without_gap_or_overlap() -> None:
    ids = [inbound().id for _ in range(7)]
    seen, before = [], 0
    while True:
        page = search(Criteria(), before=before, limit=3)
        seen += [row.id for row in page.rows]
        inbound()  # what comes meanwhile does not shift the pages
        before = page.next_before
        if not before:
            break
    assert [number for number in seen if number <= ids[-1]] == ids[::-1]
    assert len(seen) == len(set(seen))


def test_rows_come_without_their_bodies() -> None:
    inbound()
    (row,) = search(Criteria()).rows
    assert "body" not in row.__data__
    assert message_store.find(row.id).body == BODY


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
@pytest.mark.parametrize("text", ["珅東", "张^珅", "张珅東", "m1|p"])
def test_text_is_found_in_sealed_bodies_in_any_characters(charset: str, text: str) -> None:
    inbound(body=BODY.replace("珅東".encode(), "四".encode()).replace(b"M1", b"M2"))
    wanted = inbound(body=BODY.decode().encode(charset), charset=charset)
    page = search(Criteria(text=text))
    assert ([row.id for row in page.rows], page.looked, page.next_before) == ([wanted.id], 2, 0)


def test_text_that_only_the_bytes_of_two_characters_hold_is_not_found() -> None:
    body = "MSH|^~\\&|HIS||||||ADT^A04|M1|P|2.5\rPID|1||7||珅東".encode("gb18030")
    pieces = "珅東".encode("gb18030")[1:3]
    inbound(body=body, charset="gb18030")
    assert pieces.decode("gb18030", "ignore")
    assert found(text=pieces.decode("latin-1")) == []


def test_escaped_json_is_found() -> None:
    wanted = inbound(format="json", body=b'{"name": "\\u5f20\\u73c5\\u6771"}')
    assert found(text="张珅東") == [wanted.id]


def test_search_for_text_says_how_far_it_looked_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = inbound(body=BODY + b"NTE|1||needle\r")
    for _ in range(5):
        inbound()
    monkeypatch.setattr(message_store, "TEXT_CANDIDATES", 4)
    first = search(Criteria(text="needle"))
    assert (first.rows, first.looked, bool(first.next_before)) == ([], 4, True)
    second = search(Criteria(text="needle"), before=first.next_before)
    assert ([row.id for row in second.rows], second.looked, second.next_before) == ([wanted.id], 2, 0)


def test_search_for_text_stops_when_it_has_read_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        inbound()
    monkeypatch.setattr(message_store, "TEXT_BYTES", 2 * len(BODY))
    assert search(Criteria(text="needle")).looked == 3


def test_body_that_cannot_be_opened_does_not_end_the_search() -> None:
    wanted = inbound()
    broken = inbound()
    mark = database.param
    statement = f"UPDATE inbound_message SET body = {mark} WHERE id = {mark}"
    database.execute_sql(statement, (b"not sealed", broken.id))
    assert found(text="珅東") == [wanted.id]


def test_missing_message_is_told_by_its_number() -> None:
    with pytest.raises(NotFound, match="77"):
        message_store.find(77)
