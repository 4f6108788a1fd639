"""`./cloudfilm run connectors`: what the site file names is read; one that fails does not disturb another."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.installation import set_up
from app.preflight import examine
from core import alarms, db
from core.config import Settings, foreign_environment
from core.models import Alarm, InboundMessage
from simulators.his_messages import omg_o19
from tests.fixtures.waiting import wait_until
from tests.unit.hl7_engine.samples import EXAM, PATIENT, envelope

pytestmark = pytest.mark.requirement("P2", "P6")

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 60


@pytest.fixture
def site(settings: Settings, tmp_path: Path) -> Settings:
    """An installation with two folders, of which one does not exist."""
    path = tmp_path / "site.toml"
    (tmp_path / "in").mkdir()
    path.write_text(
        f"""
        [[connector]]
        kind = "folder"
        name = "missing"
        path = "{tmp_path / "nowhere"}"
        [[connector]]
        kind = "folder"
        name = "ris"
        path = "{tmp_path / "in"}"
        poll_seconds = 0.1
        """,
        encoding="utf-8",
    )
    site = replace(settings, hl7_site=str(path))
    set_up(site)
    return site


@pytest.fixture
def process(site: Settings) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**foreign_environment(), "CLOUDFILM_HOME": site.home, "CLOUDFILM_HL7_SITE": site.hl7_site}
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "run", "connectors"], cwd=ROOT, env=environment, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_files_are_taken_although_another_connector_fails(
    site: Settings, process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    (tmp_path / "in" / "a.hl7").write_bytes(omg_o19(PATIENT, EXAM, envelope("M1")))
    with db.connect(site.database).connection_context():
        wait_until(lambda: list((tmp_path / "in" / "done").rglob("a.hl7")), WAIT_SECONDS, "the file in done")
        row = InboundMessage.get()
        assert (row.peer, row.channel, row.address, row.control_id) == ("HIS|HOSPITAL", "folder", "ris", "M1")
        wait_until(lambda: Alarm.select().count(), WAIT_SECONDS, "the alarm")
        (alarm,) = alarms.open_alarms()
        assert (alarm.kind, alarm.subject) == ("connector_away", "missing")
        assert alarm.text == f"connector missing: folder {tmp_path / 'nowhere'}: No such file or directory"
        (tmp_path / "nowhere").mkdir()
        wait_until(lambda: not alarms.open_alarms(), WAIT_SECONDS, "the end of the alarm")
    process.send_signal(signal.SIGTERM)
    assert process.wait(WAIT_SECONDS) == 0


def test_mistake_in_the_site_file_is_told_before_anything_runs(site: Settings) -> None:
    with Path(site.hl7_site).open("a", encoding="utf-8") as file:
        file.write('[[connector]]\nkind = "redis"\nname = "his"\nstrem = "out"\n')
    (finding,) = [one for one in examine(site) if one.subject == "connectors"]
    assert not finding.is_ok
    assert finding.text.startswith("connector his: unknown strem; known: batch")
