"""`./cloudfilm hl7 stats|messages|show|replay-stored|prune`: what they print, and what they leave on record."""

import json
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from app.cli import cli
from app.commands import hl7_store
from core import alarms
from core.config import Settings
from core.models import AuditEvent, InboundMessage
from simulators.his_messages import adt_a04
from tests.unit.hl7_engine.samples import PATIENT, envelope
from tests.unit.hl7_engine.stored import NOW, SITE, counted, inbound, owed

pytestmark = [pytest.mark.requirement("P6", "S5", "F10"), pytest.mark.usefixtures("memory_database")]

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
RAW = adt_a04(PATIENT, envelope())


@pytest.fixture(autouse=True)
def installation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's database at the test's moment."""
    platform = SimpleNamespace(settings=Settings(), site=SITE)
    monkeypatch.setattr(hl7_store, "build_platform", lambda _settings: platform)
    monkeypatch.setattr(hl7_store, "now", lambda: NOW)


def run(*arguments: object) -> str:
    found = CliRunner().invoke(cli, ["hl7", *map(str, arguments)], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


def test_stats_tell_counts_depth_debts_and_alarms() -> None:
    assert "HIS: nothing in 24 hours" in run("stats")
    counted(HOUR, number=3)
    inbound(7 * timedelta(minutes=1), state="received")
    owed(HOUR, work="parked")
    alarms.begin("peer_silent", "RIS", "RIS is silent")
    output = run("stats")
    assert "peer_silent RIS: RIS is silent" in output
    assert "waiting 1 (the oldest for 7 min)" in output
    assert "HIS|SZSRMYY by mllp: today handled 3; 24 hours 3" in output
    assert "parked 1" in output


def test_stats_for_programs_are_json() -> None:
    counted(HOUR, number=3)
    alarms.begin("peer_silent", "RIS", "RIS is silent")
    found = json.loads(run("stats", "--json"))
    his = found["peers"][0]
    assert (his["name"], his["channels"][0]["day"], his["owed"]["parked"]) == ("HIS", {"handled": 3}, 0)
    assert datetime.fromisoformat(his["last_at"]) == NOW - HOUR
    assert found["alarms"][0]["subject"] == "RIS"


def test_list_filters_pages_and_masks() -> None:
    old = inbound(3 * DAY, state="parked", error="call 13800138000")
    new = inbound(HOUR, accession_number="CT1")
    assert [line.split()[0] for line in run("messages").splitlines()] == [str(new.id), str(old.id)]
    assert "CT1" in run("messages", "--accession", "CT1")
    parked = run("messages", "--state", "problem")
    assert "138****8000" in parked and str(new.id) not in parked.split()
    assert run("messages", "--hours", 24).split()[0] == str(new.id)
    assert f"--before {new.id}" in run("messages", "--limit", 1)
    assert "looked into 2 messages" in run("messages", "--text", "张")


def test_message_is_shown_masked_and_in_full_only_on_record() -> None:
    row = inbound(body=RAW, charset="gb18030")
    output = run("show", row.id)
    assert "PID-5 姓名: PID-5.1=***" in output
    assert PATIENT.phone not in output and PATIENT.id_number not in output
    assert not AuditEvent.select().exists()
    assert PATIENT.id_number in run("show", row.id, "--plain")
    (event,) = AuditEvent.select()
    assert (event.action, event.subject, event.actor[:4]) == ("read_message", f"message:{row.id}", "cli:")


def test_messages_are_replayed_each_by_itself_with_one_reason() -> None:
    first, waiting, last = inbound(), inbound(state="received"), inbound(state="parked")
    output = run("replay-stored", first.id, waiting.id, last.id, "--reason", "dictionary filled").splitlines()
    assert output[0] == f"{first.id}: stored"
    assert output[1].startswith(f"{waiting.id}: 这条消息正在等待处理")
    assert {row.state for row in InboundMessage.select()} == {"received"}
    assert AuditEvent.select().count() == 2


def test_pruning_tells_before_it_deletes() -> None:
    inbound(181 * DAY)
    kept = inbound(179 * DAY)
    assert "1 handled or ignored, 0 parked or refused" in run("prune", "--dry-run")
    assert InboundMessage.select().count() == 2
    assert "deleted: 1" in run("prune")
    assert [row.id for row in InboundMessage.select()] == [kept.id]
