"""The Flask app of the WeChat simulator: the API, the consent page, the chat page, and switches for tools."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Flask, Response, jsonify, redirect, render_template, request

from simulators.outage import OutageSwitch
from simulators.wechat.account import Account
from simulators.wechat.errors import WechatError

_CHINA = timezone(timedelta(hours=8))
_COOKIE = "simulated_openid"
_LONGEST_STATE = 128


def create_app(account: Account, outage: OutageSwitch, oauth_domains: Sequence[str]) -> Flask:
    """All routes for one account."""
    app = Flask(
        "simulators.wechat", static_folder=None, template_folder=Path(__file__).parent.parent / "pages"
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.add_template_filter(_clock_time, "clock_time")
    outage.guard(app, lambda: Response("Service Unavailable", status=503))
    app.register_error_handler(WechatError, _refuse)
    _serve_api(app, account)
    _serve_pages(app, account, oauth_domains)
    _serve_switches(app, account)
    return app


def _serve_api(app: Flask, account: Account) -> None:
    @app.post("/cgi-bin/stable_token")
    def stable_token() -> Response:
        given = _json_body()
        account.check_credentials(given, "client_credential")
        token, seconds = account.tokens.stable(given.get("force_refresh") is True)
        return jsonify(access_token=token, expires_in=seconds)

    @app.get("/cgi-bin/token")
    def plain_token() -> Response:
        account.check_credentials(request.args, "client_credential")
        token, seconds = account.tokens.plain()
        return jsonify(access_token=token, expires_in=seconds)

    def send(deliver: Callable[[dict[str, Any]], int]) -> Response:
        account.tokens.check(request.args.get("access_token"))
        return jsonify(errcode=0, errmsg="ok", msgid=deliver(_json_body()))

    @app.post("/cgi-bin/message/template/send")
    def template_send() -> Response:
        return send(account.send_template)

    @app.post("/cgi-bin/message/subscribe/bizsend")
    def subscribe_bizsend() -> Response:
        return send(account.send_subscription)

    @app.get("/sns/oauth2/access_token")
    def oauth_token() -> Response:
        account.check_credentials(request.args, "authorization_code")
        return jsonify(account.people.redeem(request.args.get("code")))

    @app.get("/sns/userinfo")
    def userinfo() -> Response:
        return jsonify(account.people.profile(request.args.get("access_token"), request.args.get("openid")))


def _serve_pages(app: Flask, account: Account, oauth_domains: Sequence[str]) -> None:
    @app.route("/connect/oauth2/authorize", methods=["GET", "POST"])
    def authorize() -> Response | str | tuple[str, int]:
        complaint = _complaint(account, oauth_domains)
        if complaint:
            return render_template("wechat_error.html", complaint=complaint), 400
        scope = request.args["scope"]
        known = {person["openid"] for person in account.people.all()}
        openid = request.cookies.get(_COOKIE) if scope == "snsapi_base" else None
        if request.method == "POST":
            openid = request.form.get("openid")
            if request.form.get("nickname"):
                openid = account.people.add(None, request.form["nickname"], is_following=True)
        if openid not in known and not request.form.get("nickname"):
            return render_template(
                "wechat_consent.html", account=account, people=account.people.all(), scope=scope
            )
        code = account.people.new_code(str(openid), scope)
        back = _with_query(request.args["redirect_uri"], code=code, state=request.args.get("state", ""))
        answer = redirect(back)
        answer.set_cookie(_COOKIE, str(openid), httponly=True, samesite="Lax")
        return answer  # type: ignore[return-value]

    @app.get("/chat")
    def chat() -> str:
        openid = request.args.get("openid")
        if openid is None:
            people = [(person, account.messages(person["openid"])[-1:]) for person in account.people.all()]
            return render_template("wechat_people.html", account=account, people=people)
        person = account.people.find(openid)
        messages = account.messages(openid)[::-1]
        return render_template("wechat_chat.html", account=account, person=person, messages=messages)


def _serve_switches(app: Flask, account: Account) -> None:
    @app.get("/_sim/followers")
    def followers() -> Response:
        return jsonify(followers=account.people.all())

    @app.post("/_sim/followers")
    def add_follower() -> Response:
        given = _json_body()
        is_following = given.get("is_following", True) is True
        openid = account.people.add(given.get("openid"), str(given.get("nickname", "微信用户")), is_following)
        return jsonify(openid=openid)

    @app.post("/_sim/credits")
    def add_credits() -> Response:
        given = _json_body()
        account.people.grant(str(given["openid"]), str(given["template_id"]), int(given.get("count", 1)))
        return jsonify(errcode=0, errmsg="ok")

    @app.post("/_sim/tokens/expire")
    def expire_tokens() -> Response:
        account.tokens.expire_all()
        return jsonify(errcode=0, errmsg="ok")

    @app.get("/_sim/messages")
    def messages() -> Response:
        return jsonify(messages=account.messages(request.args.get("openid")))


def _complaint(account: Account, oauth_domains: Sequence[str]) -> str:
    """What is wrong with an authorisation request, as WeChat's error page says it; empty when nothing is."""
    asked = request.args
    target = urlsplit(asked.get("redirect_uri", ""))
    if asked.get("appid") != account.app_id:
        return "appid 参数错误"
    if target.scheme not in {"http", "https"} or target.hostname not in oauth_domains:
        return "redirect_uri 域名与后台配置不一致，错误码:10003"
    if asked.get("response_type") != "code":
        return "response_type 参数错误"
    if asked.get("scope") not in {"snsapi_base", "snsapi_userinfo"}:
        return "scope 参数错误或没有 scope 权限，错误码:10005"
    if len(asked.get("state", "").encode()) > _LONGEST_STATE:
        return "state 参数过长"
    return ""


def _with_query(url: str, **more: str) -> str:
    parts = urlsplit(url)
    pairs = [*parse_qsl(parts.query, keep_blank_values=True), *more.items()]
    return urlunsplit(parts._replace(query=urlencode(pairs)))


def _json_body() -> dict[str, Any]:
    # wechatpy sends JSON without saying so in Content-Type, and WeChat takes it.
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise WechatError(47001, "data format error")
    return body


def _refuse(error: Exception) -> Response:
    assert isinstance(error, WechatError)  # noqa: S101
    return jsonify(errcode=error.errcode, errmsg=error.errmsg)


def _clock_time(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(_CHINA).strftime("%m月%d日 %H:%M")
