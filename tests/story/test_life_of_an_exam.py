"""One exam's whole life over real sockets: plain, in any order, doubled, and with a process killed at each failpoint."""

from pathlib import Path
from typing import Any

import pytest

from app.commands.story import play_once
from app.story.rows import Rows, differences
from core import failpoints
from simulators.phantom import generate

FEW_SLICES = 3
# Each kill costs a whole story; the passes beyond the first are walked by `./cloudfilm faults`.
FIRST_PASS = 1


def quiet(_name: str, _evidence: dict[str, Any]) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom")
    for path in generate(folder)[FEW_SLICES:-1]:
        path.unlink()
    return folder


@pytest.fixture(scope="module")
def plain(study: Path) -> tuple[dict[str, Any], Rows]:
    return play_once(study, quiet)


@pytest.mark.requirement(
    "E1", "E2", "E3", "E4", "E6", "E8", "E10", "E11", "S1", "S3", "C1", "D3", "H2", "P1", "P6", "F10"
)
def test_the_plain_story(plain: tuple[dict[str, Any], Rows]) -> None:
    told, rows = plain
    assert told["rebuilt_identical"] == FEW_SLICES + 1
    assert told["first_frame_identical"] is True
    assert [row[3] for row in rows["charges"]] == ["paid"]
    assert rows["problems"] == [] and rows["parked"] == []


@pytest.mark.requirement("E1", "P6")
@pytest.mark.parametrize("seed", [1, 5])
def test_any_order_of_arrival_ends_with_the_same_rows(
    study: Path, plain: tuple[Any, Rows], seed: int
) -> None:
    _, rows = play_once(study, quiet, shuffle=seed)
    assert differences(plain[1], rows) == []


@pytest.mark.requirement("S3", "P6")
def test_everything_delivered_twice_ends_with_the_same_rows(study: Path, plain: tuple[Any, Rows]) -> None:
    _, rows = play_once(study, quiet, repeat=2, shuffle=2)
    assert differences(plain[1], rows) == []


@pytest.mark.parametrize("name", failpoints.NAMES)
def test_a_kill_at_any_failpoint_ends_with_the_same_rows(
    study: Path, plain: tuple[Any, Rows], name: str
) -> None:
    told, rows = play_once(study, quiet, fail=f"{name}:{FIRST_PASS}")
    assert told["fired"], f"the story does not pass {name}"
    assert differences(plain[1], rows) == []
