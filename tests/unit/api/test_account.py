"""Binding WeChat: the state of the round trip works once, in one browser, for one session (E2)."""

from urllib.parse import parse_qs, urlsplit

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from access import wechat_binding
from api.application import create_app
from core.config import Settings
from core.models import WechatBinding
from crypto.keyring import Keyring
from tests.unit.api import makers
from tests.unit.api.html import page_of

pytestmark = pytest.mark.requirement("E2", "K5")


def _begin(browser: FlaskClient) -> str:
    sent = urlsplit(browser.get("/wechat/bind").location)
    asked = parse_qs(sent.query)
    assert asked["redirect_uri"] == ["http://127.0.0.1:8100/wechat/callback"]
    return asked["state"][0]


def _come_back(browser: FlaskClient, state: str) -> int:
    return browser.get("/wechat/callback", query_string={"code": "c1", "state": state}).status_code


def test_follower_is_bound_to_the_phone_of_the_session(browser: FlaskClient) -> None:
    new = makers.sign_in(browser)
    assert "点此绑定" in page_of(browser.get("/account")).text
    assert _come_back(browser, _begin(browser)) == 303
    assert list(wechat_binding.openids_of(new.visitor.phone_index)) == ["o-follower-c1"]
    assert "已绑定 1 个微信号" in page_of(browser.get("/account")).text


def test_state_works_once(browser: FlaskClient) -> None:
    makers.sign_in(browser)
    state = _begin(browser)
    assert _come_back(browser, state) == 303
    WechatBinding.delete().execute()
    assert _come_back(browser, state) == 403
    assert WechatBinding.select().count() == 0


@pytest.mark.parametrize("state", ["", "guessed"])
def test_another_state_binds_nothing(browser: FlaskClient, state: str) -> None:
    makers.sign_in(browser)
    _begin(browser)
    assert _come_back(browser, state) == 403
    assert WechatBinding.select().count() == 0


def test_nobody_is_sent_a_round_trip_that_they_did_not_begin(app: APIFlask) -> None:
    attacker, victim = app.test_client(), app.test_client()
    makers.sign_in(attacker)
    makers.sign_in(victim, makers.OTHER_PHONE)
    assert _come_back(victim, _begin(attacker)) == 403
    assert WechatBinding.select().count() == 0


def test_round_trip_ends_with_the_session_that_began_it(browser: FlaskClient) -> None:
    makers.sign_in(browser)
    state = _begin(browser)
    makers.sign_in(browser, makers.OTHER_PHONE)
    assert _come_back(browser, state) == 403


def test_without_wechat_the_page_says_so(
    settings: Settings, keyring: Keyring, memory_database: object
) -> None:
    browser = create_app(makers.platform(settings, keyring, wechat_oauth=None)).test_client()
    makers.sign_in(browser)
    assert "尚未开通" in page_of(browser.get("/account")).text
    assert browser.get("/wechat/bind").status_code == 404
