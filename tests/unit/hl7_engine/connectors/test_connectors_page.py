"""docs/connectors.md tells every setting with its default, and its examples work."""

import re
import sys
import tomllib
from dataclasses import MISSING, fields
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hl7_engine import json_commands
from hl7_engine.connectors import registry, senders
from hl7_engine.connectors.rows import RowMapping
from hl7_engine.site import Peer

pytestmark = pytest.mark.requirement("P2")

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "connectors.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SECTIONS = {
    "rabbitmq": "RabbitMQ",
    "redis": "Redis Streams",
    "folder": "Watched folder",
    "view": "Database view",
}


def rows(title: str) -> dict[str, str]:
    """The default by setting, as the section's table tells it."""
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return {
        name: default
        for names, default in re.findall(r"^\| (`[^|]*`) \| ([^|]*) \|", section, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    }


def told(default: Any) -> str:
    """A default as the page writes it."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, int | float):
        return str(default)
    if isinstance(default, tuple):
        return "`[" + ", ".join(f'"{one}"' for one in default) + "]`" if default else "empty"
    return f"`{default}`" if default else "empty"


@pytest.mark.parametrize("kind", SECTIONS)
def test_every_setting_is_told_with_its_default(kind: str) -> None:
    settings_type, _ = registry._KINDS[kind]
    on_page = rows(SECTIONS[kind])
    known = {field.name: field for field in fields(settings_type) if field.name != "name"}
    assert set(on_page) == set(known)
    for name, field in known.items():
        if name in ("url", "url_file", "dead_letter"):
            continue
        if field.default is MISSING:
            expected = "needed" if field.default_factory is MISSING else "empty"
        else:
            expected = told(field.default)
        assert on_page[name] == expected, name


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: re.search(r'name = "(.*)"', text)[1])
def test_examples_are_built(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    oracle = ModuleType("oracledb")
    oracle.paramstyle, oracle.Error = "named", Exception  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "oracledb", oracle)
    password = tmp_path / "password"
    password.write_text("secret\n", encoding="utf-8")
    text = re.sub(r'(password_file = )".*"', rf'\1"{password}"', example)
    (table,) = tomllib.loads(text)["connector"]
    assert registry.build(table).name == table["name"]


@pytest.mark.parametrize("action", ["PlaceOrder", "CancelOrder"])
def test_rows_of_the_examples_become_commands(action: str) -> None:
    tables = [tomllib.loads(example)["connector"][0] for example in EXAMPLES]
    (table,) = [table for table in tables if table.get("action") == action]
    mapping = RowMapping("v", action, table["columns"], table.get("constants", {}))
    row = dict.fromkeys(mapping.names, "1") | {"KDSJ": "2026-11-24 09:30:00", "ZFSJ": "2026-11-24 09:30:00"}
    (command,) = json_commands.read(mapping.command(row, 1))
    assert type(command).__name__ == action


def test_every_kind_has_an_example() -> None:
    kinds = {tomllib.loads(example)["connector"][0]["kind"] for example in EXAMPLES}
    assert kinds == set(SECTIONS) == set(registry._KINDS)


def test_ways_out_are_built() -> None:
    section = PAGE.split("\n## Ways out\n")[1]
    examples = [
        example
        for cells in re.findall(r"^\| (`[^|]*`) \|", section, re.MULTILINE)
        for example in re.findall(r"`([^`]+)`", cells)
        if example != "send_to"
    ]
    assert len(examples) == 5, examples
    for example in examples:
        senders.build_sender(Peer(name="HIS", send_to=example), 5)
