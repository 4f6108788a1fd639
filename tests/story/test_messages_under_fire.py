"""Receiver and drain are killed under the load of eight senders: nothing acknowledged is lost, nothing is done twice.

Thirty thousand acknowledgements take minutes: `./cloudfilm hl7 crash-test` collects them; here are fewer of them.
"""

from pathlib import Path

import pytest

from app.commands.hl7_crash import run_crash_test

ACKS = 1600
KILLS = 2


@pytest.mark.requirement("P2", "P6", "S5")
def test_nothing_acknowledged_is_lost_or_done_twice(tmp_path: Path, bare_database_url: str) -> None:
    told = run_crash_test(tmp_path, ACKS, KILLS, bare_database_url)
    assert told["kills"] == 2 * KILLS
    assert told["acknowledged"] == told["stored"] == told["exams"] == ACKS
