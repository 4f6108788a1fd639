"""wechatpy 1.8.18 with a fence: no endless retry, `stable_token` under a lock, time-outs, our errors."""

import threading
import time
from collections.abc import Mapping
from typing import Any

import requests
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

from core.errors import Refused, Unavailable

REAL_API = "https://api.weixin.qq.com/"
TIMEOUT = (3, 8)
TOKEN_ERRORS = frozenset({40001, 40014, 42001})
# Busy or over a rate: later it may pass. None is what wechatpy makes of an HTTP error such as 503.
PASSING = frozenset({None, -1, 45009, 45011, 50002, 44990})
# A token is given up this long before WeChat does.
TOKEN_MARGIN_SECONDS = 300


class WechatRefused(Refused):
    """WeChat refuses the request for good."""


class WechatUnavailable(Unavailable):
    """WeChat is away or busy."""


class _Fenced(WeChatClient):
    def __init__(self, app_id: str, app_secret: str, base: str) -> None:
        super().__init__(app_id, app_secret, timeout=TIMEOUT, auto_retry=False)
        self._base = base.rstrip("/") + "/"
        self._lock = threading.Lock()
        self._token, self._token_until = "", 0.0

    def _request(self, method: str, url_or_endpoint: str, **kwargs: Any) -> Any:
        base = kwargs.pop("api_base_url", self.API_BASE_URL)
        url = url_or_endpoint if url_or_endpoint.startswith("http") else base + url_or_endpoint
        return super()._request(method, url.replace(REAL_API, self._base, 1), **kwargs)

    @property
    def access_token(self) -> str:
        """The account's token; fetched by one thread at a time."""
        with self._lock:
            if time.monotonic() >= self._token_until:
                self._fetch()
            return self._token

    def forget_token(self) -> None:
        """WeChat said that it is no longer good."""
        with self._lock:
            self._token_until = 0.0

    def _fetch(self) -> None:
        answer = self._http.post(
            self._base + "cgi-bin/stable_token",
            json={"grant_type": "client_credential", "appid": self.appid, "secret": self.secret},
            timeout=TIMEOUT,
        )
        answer.raise_for_status()
        told = answer.json()
        if told.get("errcode"):
            raise WeChatClientException(told["errcode"], told.get("errmsg"), client=self)
        self._token = told["access_token"]
        self._token_until = time.monotonic() + max(60, int(told["expires_in"]) - TOKEN_MARGIN_SECONDS)


class WechatClient:
    """One service account. `api`: base address; the real one when empty."""

    def __init__(self, app_id: str, app_secret: str, api: str = "") -> None:
        self._client = _Fenced(app_id, app_secret, api or REAL_API)

    def send_template(
        self, openid: str, template_id: str, values: Mapping[str, str], url: str, client_msg_id: str
    ) -> str:
        """Send a template message; returns the msgid.

        WeChat drops a repeat of `client_msg_id` to the same follower within ten minutes.
        Raises `WechatRefused` or `WechatUnavailable`.
        """
        body = {
            "touser": openid,
            "template_id": template_id,
            "url": url,
            "data": {name: {"value": value} for name, value in values.items()},
            "client_msg_id": client_msg_id,
        }
        answer = self._post("cgi-bin/message/template/send", body)
        return str(answer["msgid"])

    def _post(self, endpoint: str, body: dict[str, Any]) -> dict[str, Any]:
        for is_last in (False, True):
            try:
                told = self._client.post(REAL_API + endpoint, data=body)
                if not isinstance(told, dict):
                    raise WechatUnavailable("WeChat's answer is no JSON; tried again later")
                return told
            except WeChatClientException as error:
                if error.errcode in TOKEN_ERRORS and not is_last:
                    self._client.forget_token()
                    continue
                if error.errcode in PASSING or error.errcode in TOKEN_ERRORS:
                    raise WechatUnavailable(f"WeChat answers {error.errcode}; tried again later") from error
                raise WechatRefused(f"WeChat refuses: {error.errcode} {error.errmsg}") from error
            except (requests.RequestException, OSError, ValueError) as error:
                raise WechatUnavailable(f"WeChat does not answer ({type(error).__name__})") from error
        raise WechatUnavailable("WeChat does not accept a fresh token")
