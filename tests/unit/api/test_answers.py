"""What every answer carries, and how errors look to people and to programs (K5, F6, F10)."""

from collections.abc import Callable
from typing import Any

import peewee
import pytest
from flask.testing import FlaskClient

from api.application import create_app
from core.config import Settings
from core.errors import Conflict, NotAllowed, NotFound, Refused, Unavailable
from crypto.keyring import Keyring
from tests.unit.api import makers
from tests.unit.api.html import json_of, page_of
from workflow import list_history

STATUS = {
    NotFound("exam 7"): 404,
    NotAllowed("exam 7"): 403,
    Refused("exam 7"): 422,
    Conflict("exam 7"): 409,
    Unavailable("exam 7"): 503,
    peewee.OperationalError("no such table"): 503,
    KeyError("exam 7"): 500,
}


@pytest.mark.requirement("F10")
@pytest.mark.parametrize("error", list(STATUS), ids=lambda error: type(error).__name__)
def test_errors_have_their_status_for_people_and_programs(
    browser: FlaskClient, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(list_history, "list_history", fail)
    makers.sign_in(browser)
    page = browser.get("/exams")
    assert page.status_code == STATUS[error]
    assert page.headers["X-Request-Id"] in page_of(page).text
    problem = browser.get("/api/v1/exams")
    assert (problem.status_code, problem.mimetype) == (STATUS[error], "application/problem+json")
    assert json_of(problem)["request_id"] == problem.headers["X-Request-Id"]
    assert json_of(problem)["status"] == STATUS[error]
    assert "no such table" not in problem.get_data(as_text=True)


@pytest.mark.requirement("F10")
def test_unforeseen_errors_are_logged_with_the_request(
    browser: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    log_lines: Callable[[], list[dict[str, Any]]],
) -> None:
    def fail(*_: Any) -> None:
        raise KeyError("the cause")

    monkeypatch.setattr(list_history, "list_history", fail)
    makers.sign_in(browser)
    answer = browser.get("/exams")
    lines = log_lines()
    (failure,) = [line for line in lines if line["event"] == "request_failed"]
    assert failure["request_id"] == answer.headers["X-Request-Id"]
    assert "the cause" in failure["exception"]
    assert [line["route"] for line in lines if line["event"] == "request"] == ["/exams"]


@pytest.mark.requirement("K5", "F6")
def test_every_answer_carries_the_policy(browser: FlaskClient) -> None:
    for path in (
        "/login",
        "/nowhere",
        "/static/dist/nothing.js",
        "/healthz",
        "/api/v1/exams",
        "/openapi.json",
    ):
        headers = browser.get(path).headers
        policy = headers["Content-Security-Policy"].split("; ")
        assert "default-src 'self'" in policy
        assert "script-src 'self' 'wasm-unsafe-eval'" in policy
        assert "frame-ancestors 'self'" in policy
        assert not [part for part in policy if "unsafe-inline" in part or "'unsafe-eval'" in part]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.requirement("F6")
@pytest.mark.usefixtures("memory_database")
def test_sites_that_may_frame_us_are_a_setting(settings: Settings, keyring: Keyring) -> None:
    his = Settings(home=settings.home, frame_ancestors="https://his.invalid")
    headers = create_app(makers.platform(his, keyring)).test_client().get("/login").headers
    assert headers["Content-Security-Policy"].endswith("frame-ancestors https://his.invalid")
    assert "X-Frame-Options" not in headers


@pytest.mark.requirement("F10")
@pytest.mark.usefixtures("memory_database")
@pytest.mark.parametrize("hops", [0, 1])
def test_proxies_are_believed_only_when_told(settings: Settings, keyring: Keyring, hops: int) -> None:
    behind = Settings(home=settings.home, trusted_proxies=hops)
    app = create_app(makers.platform(behind, keyring))
    headers = {"X-Forwarded-For": "10.9.8.7", "X-Request-Id": "proxy-0001"}
    with app.test_client() as browser:
        answer = browser.get("/login", headers=headers)
        from api.request_scope import address

        assert address() == ("10.9.8.7" if hops else "127.0.0.1")
    assert (answer.headers["X-Request-Id"] == "proxy-0001") is bool(hops)


@pytest.mark.requirement("F10")
@pytest.mark.usefixtures("memory_database")
@pytest.mark.parametrize("forged", ["x", "a" * 65, "a b c d e f", '{"a":1}{"b"'])
def test_request_ids_cannot_forge_log_lines(settings: Settings, keyring: Keyring, forged: str) -> None:
    behind = Settings(home=settings.home, trusted_proxies=1)
    browser = create_app(makers.platform(behind, keyring)).test_client()
    assert browser.get("/login", headers={"X-Request-Id": forged}).headers["X-Request-Id"] != forged


@pytest.mark.requirement("K5")
def test_bodies_have_a_limit(browser: FlaskClient) -> None:
    answer = browser.post("/api/v1/otp", data=b"{" + b" " * 300_000, content_type="application/json")
    assert answer.status_code == 413
    form = {"csrf_token": page_of(browser.get("/login")).field("csrf_token"), "phone": "1" * 300_000}
    assert browser.post("/login/code", data=form).status_code == 413


@pytest.mark.requirement("K5")
def test_methods_that_a_route_has_not_are_405(browser: FlaskClient) -> None:
    answer = browser.delete("/login")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
