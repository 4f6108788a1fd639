"""Every kind of outbox work that the source records has a handler and a queue, and every queue is served."""

import ast
from pathlib import Path

from jobs.queues import QUEUE_OF_KIND, TIMEOUT_SECONDS, Queues

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    "access",
    "api",
    "app",
    "billing",
    "core",
    "hl7_engine",
    "imaging",
    "jobs",
    "notify",
    "wechat",
    "workflow",
)


def recorded_kinds() -> set[str]:
    """The first argument of every `outbox.record(…)` call."""
    kinds = set()
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "outbox.record":
                    first = node.args[0]
                    assert isinstance(first, ast.Constant), f"{path}: name the kind where it is recorded"
                    kinds.add(str(first.value))
    return kinds


def handled_kinds() -> set[str]:
    """The keys of the table in app/bindings.py."""
    tree = ast.parse((ROOT / "app" / "bindings.py").read_text(encoding="utf-8"))
    function = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "outbox_handlers"
    )
    table = next(node for node in ast.walk(function) if isinstance(node, ast.Dict))
    return {str(key.value) for key in table.keys if isinstance(key, ast.Constant)}


def test_every_recorded_kind_has_a_queue_and_a_handler() -> None:
    assert recorded_kinds() == set(QUEUE_OF_KIND) == handled_kinds()


def test_every_queue_is_served_and_has_a_time_limit() -> None:
    assert set(QUEUE_OF_KIND.values()) == set(Queues.ALL) == set(TIMEOUT_SECONDS)
