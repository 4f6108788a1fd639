"""Every route says who may call it (ARCHITECTURE §5), and templates keep to the policy of the pages."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from apiflask import APIFlask
from jinja2 import Environment, FileSystemLoader, nodes

from api import guards
from api.application import create_app
from api.guards import Caller, guard_of
from core.config import Settings
from core.errors import Misconfigured

TEMPLATES = Path(__file__).resolve().parents[2] / "api" / "templates"

pytestmark = pytest.mark.requirement("K5")


@pytest.fixture
def app() -> APIFlask:
    return create_app(SimpleNamespace(settings=Settings()))  # type: ignore[arg-type]


def test_every_route_has_one_guard(app: APIFlask) -> None:
    rules = list(app.url_map.iter_rules())
    assert len(rules) > 20
    unmarked = [rule.rule for rule in rules if guard_of(app.view_functions[rule.endpoint]) is None]
    assert unmarked == []


def test_public_routes_say_why(app: APIFlask) -> None:
    marks = {name: guard_of(view) for name, view in app.view_functions.items()}
    without = [
        name for name, mark in marks.items() if mark and mark.caller is Caller.ANYBODY and not mark.why
    ]
    assert without == []


def test_a_route_without_guard_is_found_and_does_not_run(app: APIFlask) -> None:
    app.add_url_rule("/planted", "planted", lambda: "let in")
    with pytest.raises(Misconfigured, match="planted"):
        guards.require_all_guarded(app)
    assert app.test_client().get("/planted").status_code == 403


def test_two_guards_on_one_view_are_refused() -> None:
    with pytest.raises(Misconfigured, match="two guards"):
        guards.patient(guards.public("why")(lambda: ""))


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_templates_have_no_inline_code_and_trust_no_text(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|https?://", source, re.IGNORECASE)
    scripts = re.findall(r"<script\b([^>]*)>", source)
    assert all("src=" in one or 'type="application/json"' in one for one in scripts)
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    tree = environment.parse(source)
    assert not [one for one in tree.find_all(nodes.Filter) if one.name == "safe"]
    assert "autoescape" not in source
    assert all("csrf_token()" in form for form in re.findall(r"<form\b.*?</form>", source, re.DOTALL))
