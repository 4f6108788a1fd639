"""The WeChat simulator against wechatpy over real sockets."""

import http.cookiejar
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException, WeChatOAuthException
from wechatpy.oauth import WeChatOAuth

from simulators.wechat import WechatSimulator, WechatTemplate

APP_ID, APP_SECRET = "wx0000000000000001", "secret-of-test"
TEMPLATES = {
    "TPL_FILM": WechatTemplate(
        "检查报告通知", {"thing1": "检查项目", "time2": "检查时间", "phrase3": "状态"}
    ),
}
FILM = {
    "thing1": {"value": "头颅CT平扫"},
    "time2": {"value": "2024-06-01 09:30"},
    "phrase3": {"value": "已发布"},
}
LINK = "http://127.0.0.1:8100/e/abc"

pytestmark = pytest.mark.requirement("E2")


class Hands:
    """A clock that a test moves."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def wechat(tmp_path: Path, hands: Hands) -> Iterator[WechatSimulator]:
    with WechatSimulator(tmp_path, APP_ID, APP_SECRET, templates=TEMPLATES, clock=hands) as simulator:
        yield simulator


class Client(WeChatClient):
    """wechatpy fenced as little as a test needs: the simulator's address, no retry, the stable token."""

    def __init__(self, wechat: WechatSimulator, secret: str = APP_SECRET) -> None:
        super().__init__(APP_ID, secret, timeout=5, auto_retry=False)
        self.API_BASE_URL = wechat.url + "/cgi-bin/"
        self._wechat = wechat

    def fetch_access_token(self) -> dict[str, Any]:
        answer = stable_token(self._wechat, secret=self.secret)
        if "errcode" in answer:
            raise WeChatClientException(answer["errcode"], answer["errmsg"])
        self.session.set(self.access_token_key, answer["access_token"], 3600)
        self.expires_at = int(time.time()) + 3600
        return answer


def stable_token(wechat: WechatSimulator, secret: str = APP_SECRET, force: bool = False) -> dict[str, Any]:
    given = {"grant_type": "client_credential", "appid": APP_ID, "secret": secret, "force_refresh": force}
    return call(wechat.url + "/cgi-bin/stable_token", given)


def test_template_message_reaches_the_follower_as_a_card(wechat: WechatSimulator) -> None:
    openid = wechat.add_follower(nickname="珅東")
    answer = Client(wechat).message.send_template(openid, "TPL_FILM", FILM, url=LINK)
    assert answer["errcode"] == 0
    (message,) = wechat.messages(openid)
    assert (message["msgid"], message["url"], message["rows"][0]) == (
        answer["msgid"],
        LINK,
        ["检查项目", "头颅CT平扫"],
    )
    page = get(f"{wechat.url}/chat?openid={openid}").body
    assert f'href="{LINK}"' in page
    assert "头颅CT平扫" in page
    assert "检查报告通知" in get(wechat.url + "/chat").body


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"touser": "oNobody"}, 40003),
        ({"touser": "oLeft"}, 43004),
        ({"template_id": "TPL_NONE"}, 40037),
        ({"data": FILM | {"thing1": {"value": "长" * 21}}}, 47003),
        ({"data": FILM | {"phrase3": {"value": "ok"}}}, 47003),
        ({"data": FILM | {"time2": {"value": "昨天"}}}, 47003),
        ({"data": {}}, 47003),
    ],
)
def test_template_message_refusals(wechat: WechatSimulator, change: dict[str, Any], errcode: int) -> None:
    wechat.add_follower("oReader")
    wechat.add_follower("oLeft", is_following=False)
    message = {"touser": "oReader", "template_id": "TPL_FILM", "data": FILM} | change
    with pytest.raises(WeChatClientException) as refused:
        Client(wechat).post("message/template/send", data=message)
    assert refused.value.errcode == errcode
    assert wechat.messages() == []


def test_repeated_client_msg_id_is_one_message(wechat: WechatSimulator, hands: Hands) -> None:
    openid = wechat.add_follower()
    message = {"touser": openid, "template_id": "TPL_FILM", "data": FILM, "client_msg_id": "exam-7"}
    client = Client(wechat)
    first = client.post("message/template/send", data=message)
    assert client.post("message/template/send", data=message)["msgid"] == first["msgid"]
    hands.ahead = 601
    assert client.post("message/template/send", data=message)["msgid"] != first["msgid"]
    assert len(wechat.messages(openid)) == 2


def test_subscription_message_needs_an_agreement_each(wechat: WechatSimulator) -> None:
    openid = wechat.add_follower(is_following=False)
    send = Client(wechat).message.send_subscribe_message
    with pytest.raises(WeChatClientException) as refused:
        send(openid, "TPL_FILM", FILM, page=LINK)
    assert refused.value.errcode == 43101
    call(wechat.url + "/_sim/credits", {"openid": openid, "template_id": "TPL_FILM"})
    assert send(openid, "TPL_FILM", FILM, page=LINK)["errcode"] == 0
    with pytest.raises(WeChatClientException, match="43101"):
        send(openid, "TPL_FILM", FILM, page=LINK)
    assert [m["kind"] for m in wechat.messages(openid)] == ["subscription"]


def test_stable_token_stays_until_shortly_before_its_end(wechat: WechatSimulator, hands: Hands) -> None:
    first = stable_token(wechat)
    hands.ahead = 6000
    again = stable_token(wechat)
    assert again["access_token"] == first["access_token"]
    assert again["expires_in"] <= 1200
    hands.ahead = 6950
    renewed = stable_token(wechat)
    assert renewed["access_token"] != first["access_token"]
    assert renewed["expires_in"] == 7200
    assert ping(wechat, first["access_token"]) == 40003
    hands.ahead = 7201
    assert ping(wechat, first["access_token"]) == 42001
    assert ping(wechat, renewed["access_token"]) == 40003


def test_forced_refresh_ends_the_old_token_but_not_twice_in_30_seconds(
    wechat: WechatSimulator, hands: Hands
) -> None:
    first = stable_token(wechat)["access_token"]
    second = stable_token(wechat, force=True)["access_token"]
    assert ping(wechat, first) == 40001
    assert stable_token(wechat, force=True)["access_token"] == second
    hands.ahead = 31
    assert stable_token(wechat, force=True)["access_token"] != second


def test_plain_token_replaces_the_one_before_and_leaves_the_stable_one(
    wechat: WechatSimulator, hands: Hands
) -> None:
    query = urllib.parse.urlencode({"grant_type": "client_credential", "appid": APP_ID, "secret": APP_SECRET})
    stable = stable_token(wechat)["access_token"]
    first = call(f"{wechat.url}/cgi-bin/token?{query}")["access_token"]
    second = call(f"{wechat.url}/cgi-bin/token?{query}")["access_token"]
    hands.ahead = 301
    assert [ping(wechat, token) for token in (first, second, stable)] == [42001, 40003, 40003]


def test_wrong_credentials_and_tokens(wechat: WechatSimulator) -> None:
    assert stable_token(wechat, secret="wrong")["errcode"] == 40125
    assert call(wechat.url + "/cgi-bin/stable_token", {"grant_type": "x"})["errcode"] == 40002
    other = {"grant_type": "client_credential", "appid": "wx9", "secret": APP_SECRET}
    assert call(wechat.url + "/cgi-bin/stable_token", other)["errcode"] == 40013
    assert ping(wechat, "") == 41001
    assert ping(wechat, "made-up") == 40001
    token = stable_token(wechat)["access_token"]
    call(wechat.url + "/_sim/tokens/expire", {})
    assert ping(wechat, token) == 42001
    assert ping(wechat, stable_token(wechat)["access_token"]) == 40003


def oauth_of(wechat: WechatSimulator, scope: str = "snsapi_base") -> WeChatOAuth:
    oauth = WeChatOAuth(APP_ID, APP_SECRET, "http://127.0.0.1:8100/wechat/back?next=/exams", scope, "state-1")
    oauth.API_BASE_URL = wechat.url + "/"
    oauth.OAUTH_BASE_URL = wechat.url + "/connect/"
    return oauth


def test_login_gives_a_code_that_works_once(wechat: WechatSimulator) -> None:
    openid = wechat.add_follower(nickname="珅東")
    oauth = oauth_of(wechat, "snsapi_userinfo")
    browser = Browser()
    assert "珅東" in browser.open(oauth.authorize_url).body
    back = browser.open(oauth.authorize_url, {"openid": openid}).location
    query = urllib.parse.parse_qs(back.query)
    assert (back.path, query["next"], query["state"]) == ("/wechat/back", ["/exams"], ["state-1"])
    code = query["code"][0]
    token = oauth.fetch_access_token(code)
    assert (token["openid"], token["scope"]) == (openid, "snsapi_userinfo")
    assert oauth.get_user_info()["nickname"] == "珅東"
    with pytest.raises(WeChatOAuthException) as again:
        oauth.fetch_access_token(code)
    assert again.value.errcode == 40163
    with pytest.raises(WeChatOAuthException) as unknown:
        oauth.fetch_access_token("made-up")
    assert unknown.value.errcode == 40029


def test_code_is_good_for_five_minutes(wechat: WechatSimulator, hands: Hands) -> None:
    oauth = oauth_of(wechat)
    back = Browser().open(oauth.authorize_url, {"openid": wechat.add_follower()}).location
    hands.ahead = 301
    with pytest.raises(WeChatOAuthException) as late:
        oauth.fetch_access_token(urllib.parse.parse_qs(back.query)["code"][0])
    assert late.value.errcode == 40029


def test_silent_login_asks_once_and_gives_no_profile(wechat: WechatSimulator) -> None:
    oauth, browser = oauth_of(wechat), Browser()
    assert browser.open(oauth.authorize_url).status == 200
    first = browser.open(oauth.authorize_url, {"nickname": "新用户"}).location
    second = browser.open(oauth.authorize_url).location
    codes = [urllib.parse.parse_qs(back.query)["code"][0] for back in (first, second)]
    people = {oauth.fetch_access_token(code)["openid"] for code in codes}
    assert len(people) == 1
    followers = call(wechat.url + "/_sim/followers")["followers"]
    assert [(f["openid"], f["nickname"], f["is_following"]) for f in followers] == [
        (people.pop(), "新用户", True)
    ]
    with pytest.raises(WeChatOAuthException) as refused:
        oauth.get_user_info()
    assert refused.value.errcode == 48001


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"appid": "wx9"}, "appid"),
        ({"redirect_uri": "https://elsewhere.example/back"}, "10003"),
        ({"redirect_uri": "javascript:alert(1)"}, "10003"),
        ({"scope": "snsapi_all"}, "10005"),
    ],
)
def test_wrong_authorisation_is_not_redirected(
    wechat: WechatSimulator, change: dict[str, str], text: str
) -> None:
    asked = {
        "appid": APP_ID,
        "redirect_uri": "http://127.0.0.1:8100/back",
        "response_type": "code",
        "scope": "snsapi_base",
    } | change
    openid = wechat.add_follower()
    url = f"{wechat.url}/connect/oauth2/authorize?{urllib.parse.urlencode(asked)}"
    answer = Browser().open(url, {"openid": openid})
    assert answer.status == 400
    assert text in answer.body


def test_restart_keeps_messages_tokens_and_people(tmp_path: Path) -> None:
    with WechatSimulator(tmp_path, APP_ID, APP_SECRET, templates=TEMPLATES) as first:
        openid = first.add_follower()
        first.grant(openid, "TPL_FILM")
        client = Client(first)
        client.message.send_template(openid, "TPL_FILM", FILM, url=LINK)
        token = client.access_token
    with WechatSimulator(tmp_path, APP_ID, APP_SECRET, templates=TEMPLATES) as second:
        assert stable_token(second)["access_token"] == token
        Client(second).message.send_subscribe_message(openid, "TPL_FILM", FILM)
        assert [m["kind"] for m in second.messages(openid)] == ["template", "subscription"]


def test_down_and_up(wechat: WechatSimulator) -> None:
    wechat.outage.down()
    assert get(wechat.url + "/cgi-bin/token").status == 503
    wechat.outage.up()
    assert call(wechat.url + "/cgi-bin/token")["errcode"] == 40002


def ping(wechat: WechatSimulator, token: str) -> int:
    """The errcode of a send to nobody: 40003 says that the token was good."""
    query = urllib.parse.urlencode({"access_token": token})
    return int(call(f"{wechat.url}/cgi-bin/message/template/send?{query}", {"touser": "oNobody"})["errcode"])


def call(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        result: dict[str, Any] = json.loads(answer.read())
    return result


def get(url: str) -> SimpleNamespace:
    return Browser().open(url)


class Browser:
    """Keeps cookies, and shows a redirect instead of following it."""

    class _Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    def __init__(self) -> None:
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(self._Stay, cookies)

    def open(self, url: str, form: dict[str, str] | None = None) -> SimpleNamespace:
        data = None if form is None else urllib.parse.urlencode(form).encode()
        try:
            answer = self._opener.open(url.partition("#")[0], data, timeout=10)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            location = urllib.parse.urlsplit(answer.headers.get("Location", ""))
            return SimpleNamespace(status=answer.status, body=answer.read().decode(), location=location)
