"""Failpoints kill the process at the n-th pass, once per installation, and only where they are named."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import failpoints
from core.errors import Misconfigured

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import sys
from pathlib import Path
from core import failpoints
failpoints.arm(sys.argv[1], Path(sys.argv[2]))
for number in range(3):
    print(number, flush=True)
    failpoints.passing("hl7.before_ack")
    failpoints.passing("his.before_send")
"""


@pytest.fixture(autouse=True)
def _disarm(tmp_path: Path) -> Iterator[None]:
    yield
    failpoints.arm("", tmp_path)


def run(spec: str, home: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", PROGRAM, spec, str(home)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_process_dies_at_the_nth_pass_and_only_the_first_time(tmp_path: Path) -> None:
    first = run("hl7.before_ack:2", tmp_path)
    assert (first.returncode, first.stdout.split()) == (137, ["0", "1"])
    assert (tmp_path / "failpoint.fired").read_text(encoding="utf-8") == "hl7.before_ack:2\n"
    again = run("hl7.before_ack:2", tmp_path)
    assert (again.returncode, again.stdout.split()) == (0, ["0", "1", "2"])


def test_unarmed_process_passes(tmp_path: Path) -> None:
    assert run("", tmp_path).returncode == 0
    assert run("sms.after_send:1", tmp_path).returncode == 0


@pytest.mark.parametrize("spec", ["no.such_place:1", "hl7.before_ack", "hl7.before_ack:", "hl7.before_ack:x"])
def test_unknown_place_refuses_to_start(spec: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="name:n"):
        failpoints.arm(spec, tmp_path)
