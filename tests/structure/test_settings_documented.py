"""docs/configuration.md tells every setting with its default, and none that does not exist."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from core.config import PREFIX, Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"
# | `CLOUDFILM_HOME` | `var` | meaning |
ROW = re.compile(rf"^\| `{PREFIX}([A-Z0-9_]+)` \| (`[^`]*`|empty) \| \S.* \|$", re.MULTILINE)


def told_defaults() -> dict[str, str]:
    """Default by variable, as the page tells it."""
    return {
        name: "" if default == "empty" else default.strip("`")
        for name, default in ROW.findall(PAGE.read_text(encoding="utf-8"))
    }


def text_of(value: object) -> str:
    """A default as one would write it into the environment."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_every_setting_is_told_with_its_default() -> None:
    assert told_defaults() == {field.name.upper(): text_of(field.default) for field in fields(Settings)}


@pytest.mark.parametrize(
    "page", sorted(PAGE.parents[1].glob("*.md")) + sorted(PAGE.parent.rglob("*.md")), ids=str
)
def test_no_page_names_a_setting_that_does_not_exist(page: Path) -> None:
    known = {field.name.upper() for field in fields(Settings)}
    named = re.findall(rf"{PREFIX}([A-Z][A-Z0-9_]*[A-Z0-9])\b", page.read_text(encoding="utf-8"))
    unknown = {name if name in known else name.removesuffix("_FILE") for name in named} - known
    assert not unknown, f"{page.name} names {sorted(unknown)}"
