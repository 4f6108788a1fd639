"""Signing in on a phone: two forms without script; the workflow behind them is a fake."""

import re
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from access import sessions
from access.otp import TooMany, WrongCode
from api.application import create_app
from api.cookies import FORM, SESSION
from core.config import Settings
from core.errors import Refused
from core.models import Session
from crypto.keyring import Keyring
from tests.unit.api import makers
from tests.unit.api.html import page_of
from workflow import sign_in

pytestmark = pytest.mark.requirement("E6", "K5")

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def codes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Phones that asked for a code; the code is always 246810."""
    asked: list[str] = []

    def enter(_platform: Any, phone: str, code: str, _address: str) -> sessions.NewSession:
        if code != "246810":
            raise WrongCode("the code is wrong")
        return sessions.open_patient_session(phone, "", 12)

    monkeypatch.setattr(sign_in, "request_code", lambda _platform, phone, _address: asked.append(phone))
    monkeypatch.setattr(sign_in, "sign_in", enter)
    return asked


def test_phone_then_code_then_the_page_that_was_wanted(browser: FlaskClient, codes: list[str]) -> None:
    first = page_of(browser.get("/login?next=/exams/7"))
    form = {"csrf_token": first.field("csrf_token"), "next": first.field("next"), "phone": "138 0013 8000"}
    second = page_of(browser.post("/login/code", data=form))
    assert codes == ["13800138000"]
    assert "138****8000" in second.text
    form = {"csrf_token": second.field("csrf_token"), "next": second.field("next"), "code": " 246810"}
    answer = browser.post("/login", data={**form, "phone": second.field("phone")})
    assert (answer.status_code, answer.location) == (303, "/exams/7")
    assert browser.get("/exams").status_code == 200


def test_wrong_code_says_so_and_keeps_the_form(browser: FlaskClient, codes: list[str]) -> None:
    form = {"csrf_token": page_of(browser.get("/login")).field("csrf_token"), "phone": makers.PHONE}
    answer = browser.post("/login", data={**form, "code": "000000"})
    assert answer.status_code == 422
    page = page_of(answer)
    assert [one for one in page.all("p") if one.get("role") == "alert"]
    assert page.field("phone") == makers.PHONE
    assert browser.get_cookie(SESSION) is None


@pytest.mark.parametrize(
    ("message", "shown"),
    [("请 60 秒后再获取验证码", "请 60 秒后再获取验证码"), ("too often", "操作太频繁，请稍候再试。")],
)
def test_refusal_is_told_in_chinese(
    browser: FlaskClient, monkeypatch: pytest.MonkeyPatch, message: str, shown: str
) -> None:
    def refuse(*_: Any) -> None:
        raise TooMany(message)

    monkeypatch.setattr(sign_in, "request_code", refuse)
    form = {"csrf_token": page_of(browser.get("/login")).field("csrf_token"), "phone": makers.PHONE}
    answer = browser.post("/login/code", data=form)
    assert answer.status_code == 429
    assert shown in page_of(answer).text


@pytest.mark.usefixtures("codes")
def test_refused_phone_is_asked_for_again(browser: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise Refused("not a phone number")

    monkeypatch.setattr(sign_in, "request_code", refuse)
    form = {"csrf_token": page_of(browser.get("/login")).field("csrf_token"), "phone": "12<b>"}
    answer = browser.post("/login/code", data=form)
    assert answer.status_code == 422
    assert page_of(answer).field("phone") == "12<b>"


@pytest.mark.parametrize("path", ["/login", "/login/code", "/staff/login"])
@pytest.mark.parametrize("token", ["", "x" * 43, None])
def test_form_of_another_site_is_refused(
    browser: FlaskClient, codes: list[str], path: str, token: str | None
) -> None:
    browser.get("/login")
    data = {"phone": makers.PHONE, "code": "246810"} | ({} if token is None else {"csrf_token": token})
    assert browser.post(path, data=data).status_code == 403
    assert codes == []


def test_empty_cookie_and_empty_token_do_not_match(browser: FlaskClient, codes: list[str]) -> None:
    browser.set_cookie(FORM, "")
    assert browser.post("/login/code", data={"phone": makers.PHONE, "csrf_token": ""}).status_code == 403
    assert codes == []


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.invalid/",
        "//evil.invalid",
        "/\\evil.invalid",
        "/logout",
        "javascript:alert(1)",
        "/exams/1\n",
    ],
)
def test_a_link_cannot_send_people_elsewhere(browser: FlaskClient, onward: str) -> None:
    page = page_of(browser.get("/login", query_string={"next": onward}))
    assert page.field("next") == "/exams"


@pytest.mark.usefixtures("codes", "memory_database")
@pytest.mark.parametrize("is_secure", [False, True])
def test_cookies_stay_out_of_reach(settings: Settings, keyring: Keyring, is_secure: bool) -> None:
    secure = Settings(home=settings.home, secure_cookies=is_secure)
    browser = create_app(makers.platform(secure, keyring)).test_client()
    base = "https://localhost" if is_secure else "http://localhost"
    token = page_of(browser.get("/login", base_url=base)).field("csrf_token")
    form = {"csrf_token": token, "phone": makers.PHONE, "code": "246810"}
    answer = browser.post("/login", data=form, base_url=base)
    cookie = SimpleCookie(answer.headers["Set-Cookie"])[SESSION]
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert bool(cookie["secure"]) is is_secure
    assert ("Strict-Transport-Security" in answer.headers) is is_secure


def test_leaving_ends_the_session_on_the_server(browser: FlaskClient) -> None:
    new = makers.sign_in(browser)
    answer = browser.post("/logout", data={"csrf_token": new.visitor.csrf_token})
    assert (answer.status_code, answer.location) == (303, "/login?left=1")
    browser.set_cookie(SESSION, new.token)
    assert browser.get("/exams").status_code == 303
    assert Session.get_by_id(new.visitor.session_id).revoked_at is not None


@pytest.mark.requirement("K5")
@pytest.mark.parametrize("door", ["/login", "/staff/login"])
def test_what_the_viewer_kept_goes_when_someone_leaves(browser: FlaskClient, door: str) -> None:
    new = makers.sign_in(browser) if door == "/login" else makers.sign_in_staff(browser)
    answer = browser.post("/logout", data={"csrf_token": new.visitor.csrf_token})
    assert answer.headers["Clear-Site-Data"] == '"storage"'
    assert answer.location == f"{door}?left=1"
    assert "/static/forget.js" in browser.get(answer.location).text
    assert "/static/forget.js" not in browser.get(door).text
    database = re.search(r"DATABASE = '([\w-]+)'", (ROOT / "web/src/cache/idb.ts").read_text())
    assert database is not None
    assert f"deleteDatabase('{database[1]}')" in browser.get("/static/forget.js").text


@pytest.mark.parametrize("token", ["", "x" * 43])
def test_leaving_needs_the_sessions_own_token(browser: FlaskClient, token: str) -> None:
    makers.sign_in(browser)
    assert browser.post("/logout", data={"csrf_token": token}).status_code == 403
    assert browser.get("/exams").status_code == 200


def test_front_door_sends_each_to_their_list(browser: FlaskClient) -> None:
    assert browser.get("/").location == "/login"
    makers.sign_in(browser)
    assert browser.get("/").location == "/exams"
    assert browser.get("/login").location == "/exams"
    makers.sign_in_staff(browser)
    assert browser.get("/").location == "/staff/exams"
    assert browser.get("/staff/login").location == "/staff/exams"
