"""The WeChat users whom the account knows, what they agreed to receive, and their log-in codes.

Source: developers.weixin.qq.com, web page authorisation (OAuth 2.0): a code lives 5 minutes and works once.
"""

import secrets
from collections.abc import Callable
from typing import Any

from simulators.statefiles import Document
from simulators.wechat.errors import WechatError

CODE_SECONDS = 300
USER_TOKEN_SECONDS = 7200


class People:
    """Users by openid, kept in `state`."""

    def __init__(self, state: Document, clock: Callable[[], float]) -> None:
        self._state = state
        self._clock = clock
        for name in ("people", "codes", "user_tokens"):
            state.values.setdefault(name, {})

    def add(self, openid: str | None, nickname: str, is_following: bool) -> str:
        """Add a user, or change one; returns the openid, a new one unless given."""
        openid = openid or "o" + secrets.token_urlsafe(21)[:27]
        with self._state.lock:
            before = self._state.values["people"].get(openid, {"credits": {}})
            person = before | {"nickname": nickname, "is_following": is_following}
            self._state.values["people"][openid] = person
            self._state.save()
        return openid

    def all(self) -> list[dict[str, Any]]:
        """Everybody: openid, nickname, is_following, credits by template."""
        with self._state.lock:
            return [{"openid": openid, **person} for openid, person in self._state.values["people"].items()]

    def find(self, openid: str | None) -> dict[str, Any]:
        """One user. Raises `WechatError` 40003."""
        with self._state.lock:
            person = self._state.values["people"].get(openid)
            if person is None:
                raise WechatError(40003, "invalid openid")
            return {"openid": openid, **person}

    def grant(self, openid: str, template_id: str, count: int) -> None:
        """The user agrees to receive `count` more subscription messages of a template."""
        with self._state.lock:
            self.find(openid)
            credits_left = self._state.values["people"][openid]["credits"]
            credits_left[template_id] = credits_left.get(template_id, 0) + count
            self._state.save()

    def spend(self, openid: str, template_id: str) -> None:
        """Use up one agreement. Raises `WechatError` 43101 when there is none."""
        with self._state.lock:
            credits_left = self._state.values["people"][openid]["credits"]
            if credits_left.get(template_id, 0) < 1:
                raise WechatError(43101, "user refuse to accept the msg")
            credits_left[template_id] -= 1
            self._state.save()

    def new_code(self, openid: str, scope: str) -> str:
        """A log-in code that `redeem` takes once within 5 minutes."""
        code = secrets.token_hex(16)
        with self._state.lock:
            now = self._clock()
            kept = self._state.values["codes"].items()
            codes = {known: about for known, about in kept if about["ends"] > now}
            about = {"openid": openid, "scope": scope, "ends": now + CODE_SECONDS, "is_used": False}
            self._state.values["codes"] = codes | {code: about}
            self._state.save()
        return code

    def redeem(self, code: str | None) -> dict[str, Any]:
        """The user's token for a code, as /sns/oauth2/access_token gives it.

        Raises `WechatError`: 41008 missing, 40029 unknown or late, 40163 used.
        """
        if not code:
            raise WechatError(41008, "missing code")
        with self._state.lock:
            now = self._clock()
            about = self._state.values["codes"].get(code)
            if about is None or about["ends"] <= now:
                raise WechatError(40029, "invalid code")
            if about["is_used"]:
                raise WechatError(40163, "code been used")
            about["is_used"] = True
            token = secrets.token_urlsafe(64)
            kept = self._state.values["user_tokens"].items()
            tokens = {known: other for known, other in kept if other["ends"] > now}
            owner = {"openid": about["openid"], "scope": about["scope"], "ends": now + USER_TOKEN_SECONDS}
            self._state.values["user_tokens"] = tokens | {token: owner}
            self._state.save()
        return {
            "access_token": token,
            "expires_in": USER_TOKEN_SECONDS,
            "refresh_token": secrets.token_urlsafe(64),
            "openid": owner["openid"],
            "scope": owner["scope"],
        }

    def profile(self, token: str | None, openid: str | None) -> dict[str, Any]:
        """What /sns/userinfo tells. Raises `WechatError`: 40001, 42001, 40003, 48001 for a silent log-in."""
        with self._state.lock:
            owner = self._state.values["user_tokens"].get(token)
            if owner is None:
                raise WechatError(40001, "invalid credential, access_token is invalid or not latest")
            if owner["ends"] <= self._clock():
                raise WechatError(42001, "access_token expired")
            if owner["openid"] != openid:
                raise WechatError(40003, "invalid openid")
            if owner["scope"] != "snsapi_userinfo":
                raise WechatError(48001, "api unauthorized")
            nickname = self.find(openid)["nickname"]
        empty = dict.fromkeys(("province", "city", "country", "headimgurl"), "")
        return {"openid": openid, "nickname": nickname, "sex": 0, **empty, "privilege": []}
