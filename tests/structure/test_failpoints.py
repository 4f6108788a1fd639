"""The list of failpoints is the truth: each stands in the source, and none stands there unlisted."""

import ast
from pathlib import Path

from core import failpoints

ROOT = Path(__file__).resolve().parents[2]


def test_every_name_is_passed_somewhere_and_every_passed_name_is_listed() -> None:
    passed = set()
    for path in ROOT.glob("*/**/*.py"):
        if path.relative_to(ROOT).parts[0] in {"tests", ".venv", "web"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "failpoints.passing":
                passed.add(ast.literal_eval(node.args[0]))
    assert passed == set(failpoints.NAMES)
