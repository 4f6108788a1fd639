"""A patient's account: whether WeChat messages come, and the way out (E2).

Binding a WeChat follower: to WeChat with a state that only this browser and this session know, and back with
a code that WeChat gives once.
"""

import hmac
import secrets

from apiflask import APIBlueprint
from flask import after_this_request, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from access import wechat_binding
from api import cookies, guards
from api.request_scope import address, platform
from core.errors import NotAllowed, NotFound
from wechat.oauth import OAuth
from workflow import sign_in

blueprint = APIBlueprint("account", __name__, enable_openapi=False)

STATE_SECONDS = 600


@blueprint.get("/account")
@guards.patient
def show() -> str:
    """What is bound to this phone."""
    followers = wechat_binding.openids_of(guards.visitor().phone_index)
    return render_template(
        "patient/account.html", followers=len(followers), has_wechat=platform().wechat_oauth is not None
    )


@blueprint.get("/wechat/bind")
@guards.patient
def start_binding() -> Response:
    """Off to WeChat, which asks the follower and sends them back."""
    state = secrets.token_urlsafe(24)
    back = platform().settings.public_url.rstrip("/") + url_for("account.finish_binding")
    response = redirect(_oauth().authorize_url(back, state), 303)
    cookies.set_short(response, cookies.WECHAT_STATE, _bound_state(state), STATE_SECONDS)
    return response


@blueprint.get("/wechat/callback")
@guards.patient
def finish_binding() -> Response:
    """Back from WeChat: bind the follower to the phone of the session that set out. The state works once."""
    after_this_request(_forget_state)
    expected = request.cookies.get(cookies.WECHAT_STATE, "")
    given = _bound_state(request.args.get("state", ""))
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise NotAllowed("this WeChat sign-in did not begin here, or was used already: begin again")
    sign_in.bind_wechat(guards.visitor(), _oauth().exchange(request.args.get("code", "")), address())
    return redirect(url_for("account.show"), 303)


def _forget_state(response: Response) -> Response:
    cookies.remove(response, cookies.WECHAT_STATE)
    return response


def _bound_state(state: str) -> str:
    """The state together with the session that it belongs to."""
    return f"{guards.visitor().session_id}.{state}"


def _oauth() -> OAuth:
    oauth = platform().wechat_oauth
    if oauth is None:
        raise NotFound("WeChat is not connected: set CLOUDFILM_WECHAT_APP_ID")
    return oauth
