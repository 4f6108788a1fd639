"""Marks name requirements that exist, and docs/requirements.md tells the tests that bear on each."""

import ast
import re
from collections import defaultdict
from pathlib import Path

from tests.fixtures.requirement_page import PAGE, words

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
ROW = re.compile(r"^\| ([A-Z][0-9.]+) \| (.+) \| (later|`.+) \|$", re.MULTILINE)


def marked() -> dict[str, set[str]]:
    """Test files by requirement id, from the source: `pytest.mark.requirement("E6", …)`."""
    found = defaultdict(set)
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.requirement":
                for argument in node.args:
                    assert isinstance(argument, ast.Constant), f"{path}: write the id where it is marked"
                    found[str(argument.value)].add(path.relative_to(ROOT).as_posix())
    return found


def told() -> dict[str, set[str]]:
    """Test files by requirement id, from the page."""
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    return {name: set(re.findall(r"`([^`]+)`", evidence)) for name, _, evidence in rows}


def test_marks_name_requirements_that_exist() -> None:
    assert marked().keys() <= words().keys()


def test_the_page_has_every_requirement_in_order() -> None:
    assert list(told()) == list(words())


def test_the_page_tells_no_test_that_is_not_marked() -> None:
    sources = marked()
    stale = {name: files - sources[name] for name, files in told().items() if files - sources[name]}
    assert not stale, f"write docs/requirements.md anew (CONTRIBUTING.md): {stale}"


def test_what_has_a_test_is_not_called_later() -> None:
    later = {name for name, files in told().items() if not files and marked().get(name)}
    assert not later, f"write docs/requirements.md anew (CONTRIBUTING.md): {sorted(later)}"
