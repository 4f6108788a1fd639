"""Alarms about the flow of messages: each begins once when something is wrong and ends once when it is not any more."""

from datetime import datetime, timedelta

import pytest

from core import alarms
from core.models import Alarm, InboundMessage, OutboxEvent
from hl7_engine import watch
from hl7_engine.drain import REUSED_CONTROL_ID
from hl7_engine.site import Peer, Site
from tests.unit.hl7_engine.stored import HIS, NOW, SITE, counted, inbound, owed

pytestmark = [pytest.mark.requirement("S5", "P6"), pytest.mark.usefixtures("database")]

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
QUIET = Site(peers=(Peer(name="HIS", sender=HIS),))


def open_now(kind: str) -> list[str]:
    return [alarm.subject for alarm in alarms.open_alarms(kind)]


def episodes(kind: str) -> int:
    return Alarm.select().where(Alarm.kind == kind).count()


def test_nothing_is_wrong_with_an_empty_installation() -> None:
    watch.look(QUIET, NOW)
    assert alarms.open_alarms() == []


@pytest.mark.parametrize("heard", ["handled", "refused", "waiting"])
def test_peer_is_silent_until_anything_comes_from_it(heard: str) -> None:
    watch.look(SITE, NOW)
    watch.look(SITE, NOW)
    assert (open_now(watch.PEER_SILENT), episodes(watch.PEER_SILENT)) == (["HIS"], 1)
    if heard == "waiting":
        inbound(59 * MINUTE, state="received")
    else:
        counted(59 * MINUTE, heard)
    watch.look(SITE, NOW)
    assert open_now(watch.PEER_SILENT) == []
    watch.look(SITE, NOW + 2 * MINUTE)
    assert (open_now(watch.PEER_SILENT), episodes(watch.PEER_SILENT)) == (["HIS"], 2)


def test_other_senders_and_replays_of_old_messages_do_not_count_as_hearing_from_the_peer() -> None:
    counted(MINUTE, peer="RIS|X")
    counted(30 * HOUR, last_at=NOW - MINUTE)
    watch.look(SITE, NOW)
    assert open_now(watch.PEER_SILENT) == ["HIS"]


def test_peer_of_all_others_is_heard_by_any_sender_that_has_no_name() -> None:
    others = Site(peers=(Peer(name="HIS", sender=HIS), Peer(name="其他", sender="*", silent_minutes=10)))
    counted(MINUTE)
    watch.look(others, NOW)
    assert open_now(watch.PEER_SILENT) == ["其他"]
    counted(MINUTE, peer="LIS|Y")
    watch.look(others, NOW)
    assert open_now(watch.PEER_SILENT) == []


def test_receiver_that_never_sends_is_not_silent() -> None:
    watch.look(Site(peers=(Peer(name="ESB", send_to="10.0.0.1:1", silent_minutes=5),)), NOW)
    assert alarms.open_alarms() == []


def test_backlog_begins_by_age_and_ends_when_the_inbox_is_empty() -> None:
    row = inbound(5 * MINUTE, state="received")
    watch.look(QUIET, NOW)
    assert open_now(watch.BACKLOG) == []
    watch.look(QUIET, NOW + MINUTE)
    assert open_now(watch.BACKLOG) == [watch.INBOX]
    assert "6 分钟" in alarms.open_alarms()[0].text
    InboundMessage.update(state="handled").where(InboundMessage.id == row.id).execute()
    watch.look(QUIET, NOW + MINUTE)
    assert (open_now(watch.BACKLOG), episodes(watch.BACKLOG)) == ([], 1)


def test_backlog_begins_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "BACKLOG_MESSAGES", 2)
    for number in range(3):
        watch.look(QUIET, NOW)
        assert open_now(watch.BACKLOG) == [], number
        inbound(state="received")
    watch.look(QUIET, NOW)
    assert open_now(watch.BACKLOG) == [watch.INBOX]


def test_parked_outgoing_is_an_alarm_of_its_peer_until_the_last_has_gone() -> None:
    rows = [owed(work="parked"), owed(work="parked"), owed(peer="RIS")]
    watch.look(QUIET, NOW)
    assert open_now(watch.OUTGOING_PARKED) == ["HIS"]
    for row in rows[:2]:
        watch.look(QUIET, NOW)
        assert open_now(watch.OUTGOING_PARKED) == ["HIS"]
        OutboxEvent.update(state="pending").where(OutboxEvent.key == row.key).execute()
    watch.look(QUIET, NOW)
    assert (open_now(watch.OUTGOING_PARKED), episodes(watch.OUTGOING_PARKED)) == ([], 1)


def test_outgoing_is_late_after_a_quarter_of_an_hour() -> None:
    owed(14 * MINUTE)
    watch.look(QUIET, NOW)
    assert open_now(watch.OUTGOING_LATE) == []
    watch.look(QUIET, NOW + MINUTE)
    assert open_now(watch.OUTGOING_LATE) == ["HIS"]


def test_reused_control_id_is_shown_for_an_hour_and_other_rooms_alarms_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def at(moment: datetime) -> None:
        monkeypatch.setattr(alarms, "now", lambda: moment)

    at(NOW)
    alarms.begin(REUSED_CONTROL_ID, HIS, "twice")
    alarms.begin("connector_away", "ris-folder", "away")
    watch.look(QUIET, NOW + 59 * MINUTE)
    assert open_now(REUSED_CONTROL_ID) == [HIS]
    watch.look(QUIET, NOW + HOUR)
    assert (open_now(REUSED_CONTROL_ID), open_now("connector_away")) == ([], ["ris-folder"])
