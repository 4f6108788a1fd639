"""Processes are killed, Redis forgets everything, again and again: nothing is lost, nothing done twice."""

import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from billing import charges, ledger
from core import outbox
from core.commands import FeeLine
from core.models import Charge, Exam, IntakeProblem, OutboxEvent, Settlement
from tests.fixtures.waiting import wait_until
from tests.wire.outbox_processes import AMOUNT_FEN

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 6
LINES_PER_ROUND = 12

pytestmark = pytest.mark.usefixtures("database")


class Processes:
    """Named processes in groups of their own; a dead one is started again, as a supervisor does."""

    def __init__(self, database_url: str, redis_url: str, home: Path) -> None:
        self._arguments = [database_url, redis_url, str(home)]
        self._log = home.parent / "processes.log"
        self._running: dict[str, subprocess.Popen] = {}

    def start(self, role: str, fail: str = "") -> subprocess.Popen:
        command = [sys.executable, "-m", "tests.wire.outbox_processes", role, *self._arguments, fail]
        with self._log.open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        self._running[role] = process
        return process

    def kill(self, role: str) -> None:
        """SIGKILL it and the process that rq forked for the job."""
        process = self._running[role]
        children = (
            Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        )
        for pid in [process.pid, *map(int, children)]:
            # It may have ended by itself just now.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()

    def restart_dead(self) -> None:
        for role, process in list(self._running.items()):
            if process.poll() is not None:
                self.start(role)

    def end(self) -> None:
        for role, process in self._running.items():
            if process.poll() is None:
                self.kill(role)


@pytest.fixture
def processes(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Processes]:
    url = request.getfixturevalue("redis_url") if "redis_url" in request.fixturenames else ""
    processes = Processes(database_url, url, tmp_path / "home")
    try:
        yield processes
    finally:
        processes.end()


def owe(numbers: range) -> None:
    """Fee lines, and the outbox rows that will pay them."""
    exam = Exam.get_or_none() or Exam.create(accession_number="CT1")
    for number in numbers:
        line = FeeLine(f"F{number}", "SQ1", "YYX0001", AMOUNT_FEN, collect_on_behalf=True, choice="charge")
        charges.record_fee_line(line, exam)
        outbox.record("upload_pack", line.fee_line_id, {"fee_line_id": line.fee_line_id})


def done() -> int:
    return OutboxEvent.select().where(OutboxEvent.state == "done").count()


def is_all_done() -> bool:
    return not OutboxEvent.select().where(OutboxEvent.state != "done").exists()


def assert_each_paid_once(count: int) -> None:
    assert Charge.select().where(Charge.state == "paid").count() == count
    assert Settlement.select().where(Settlement.state == "accepted").count() == count
    assert Settlement.select().count() == count
    assert ledger.verify() == count
    assert ledger.balances() == {"clearing:kiosk": count * AMOUNT_FEN, "film_fees": -count * AMOUNT_FEN}
    assert IntakeProblem.select().count() == 0


def storm(processes: Processes, roles: list[str], also: Callable[[], None]) -> int:
    """Rounds of new work with kills at random moments; return how much work there was."""
    dice = random.Random(20261124)
    for role in roles:
        processes.start(role)
    for number in range(ROUNDS):
        owe(range(number * LINES_PER_ROUND, (number + 1) * LINES_PER_ROUND))
        enough = number * LINES_PER_ROUND + dice.randrange(LINES_PER_ROUND)
        wait_until(lambda: done() > enough, 60, "some work to be done while more is under way")  # noqa: B023
        processes.kill(dice.choice(roles))
        also()
        processes.restart_dead()
    return ROUNDS * LINES_PER_ROUND


def test_inline_relay_killed_again_and_again_loses_and_doubles_nothing(processes: Processes) -> None:
    count = storm(processes, ["inline"], lambda: None)
    wait_until(is_all_done, 60, "the backlog")
    assert_each_paid_once(count)
    assert OutboxEvent.select().where(OutboxEvent.attempts > 1).exists(), "the kills met work"


def test_rq_killed_and_emptied_again_and_again_loses_and_doubles_nothing(
    processes: Processes, redis_url: str
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        count = storm(processes, ["relay", "worker"], client.flushall)

        def drained() -> bool:
            processes.restart_dead()
            return is_all_done()

        wait_until(drained, 90, "the backlog")
    assert_each_paid_once(count)


@pytest.mark.parametrize("nth", [1, 2, 5])
def test_death_between_work_and_its_note_runs_it_again_and_changes_nothing(
    processes: Processes, nth: int
) -> None:
    owe(range(6))
    process = processes.start("inline", fail=f"outbox.before_done:{nth}")
    wait_until(lambda: process.poll() is not None, 30, "the failpoint")
    assert process.returncode == 137
    assert not is_all_done()
    processes.start("inline", fail=f"outbox.before_done:{nth}")
    wait_until(is_all_done, 30, "the rest")
    assert_each_paid_once(6)
