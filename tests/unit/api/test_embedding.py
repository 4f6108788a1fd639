"""Embedding: who may frame and steer the film, and cookies in a frame."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from api.application import create_app
from api.embedding import origins_of
from core.config import Settings
from crypto.keyring import Keyring
from tests.unit.api import makers
from tests.unit.api.html import page_of
from workflow import open_film
from workflow.open_film import Film


@pytest.mark.requirement("F6", "K5")
@pytest.mark.parametrize(
    ("sources", "origins"),
    [
        ("'self'", "self"),
        ("'none'", ""),
        ("'self' https://his.invalid", "self https://his.invalid"),
        ("https://his.invalid:8443 http://10.0.0.5", "https://his.invalid:8443 http://10.0.0.5"),
        ("https://HIS.invalid:8443", "https://his.invalid:8443"),
        ("* https: https://*.his.invalid https://his.invalid/path", ""),
    ],
)
def test_only_whole_origins_may_steer(sources: str, origins: str) -> None:
    assert origins_of(sources) == origins


@pytest.mark.requirement("F6")
@pytest.mark.usefixtures("memory_database")
def test_the_film_page_is_told_who_may_steer_it(
    settings: Settings, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_film, "open_film", lambda *_: Film("x", {"series": []}, None))
    allowed = replace(settings, frame_ancestors="'self' https://his.invalid")
    browser = create_app(makers.platform(allowed, keyring)).test_client()
    makers.sign_in(browser)
    answer = browser.get("/exams/7/film")
    assert page_of(answer).all("main")[0]["data-embed-origins"] == "self https://his.invalid"
    assert "frame-ancestors 'self' https://his.invalid" in answer.headers["Content-Security-Policy"]


def cookie_of(browser: FlaskClient) -> set[str]:
    """The attributes of the cookie that the log-in page hands out."""
    parts = browser.get("/staff/login").headers["Set-Cookie"].split("; ")
    return {part for part in parts[1:] if not part.startswith(("Max-Age", "Expires"))}


@pytest.mark.requirement("F6", "K5")
@pytest.mark.usefixtures("memory_database")
def test_cookies_travel_into_frames_of_another_site_only_when_told(
    settings: Settings, keyring: Keyring
) -> None:
    usual = create_app(makers.platform(settings, keyring)).test_client()
    assert cookie_of(usual) == {"HttpOnly", "Path=/", "SameSite=Lax"}
    framed = replace(settings, cross_site_frames=True, secure_cookies=True)
    other = create_app(makers.platform(framed, keyring)).test_client()
    assert cookie_of(other) == {"HttpOnly", "Path=/", "SameSite=None", "Secure", "Partitioned"}
