"""Log-in inside WeChat (OAuth 2.0, snsapi_base): who is this follower? (E2)"""

import requests
from wechatpy.exceptions import WeChatOAuthException
from wechatpy.oauth import WeChatOAuth

from core.errors import NotAllowed
from wechat.client import PASSING, WechatUnavailable

TIMEOUT = (3, 8)


class _Fenced(WeChatOAuth):
    def __init__(
        self, app_id: str, app_secret: str, redirect_uri: str, state: str, oauth: str, api: str
    ) -> None:
        super().__init__(app_id, app_secret, redirect_uri, scope="snsapi_base", state=state)
        if oauth:
            self.OAUTH_BASE_URL = oauth.rstrip("/") + "/"
        if api:
            self.API_BASE_URL = api.rstrip("/") + "/"

    def _request(self, method: str, url_or_endpoint: str, **kwargs: object) -> object:
        return super()._request(method, url_or_endpoint, timeout=TIMEOUT, **kwargs)


class OAuth:
    """One service account. `oauth`, `api`: base addresses; the real ones when empty."""

    def __init__(self, app_id: str, app_secret: str, oauth: str = "", api: str = "") -> None:
        self._app_id, self._app_secret, self._oauth, self._api = app_id, app_secret, oauth, api

    def authorize_url(self, redirect_uri: str, state: str) -> str:
        """Where to send the browser. `state` must be url-safe: wechatpy does not encode it."""
        return str(self._client(redirect_uri, state).authorize_url)

    def exchange(self, code: str) -> str:
        """The openid behind a code, which works once. Raises `NotAllowed` or `WechatUnavailable`."""
        try:
            told = self._client("", "").fetch_access_token(code)
        except WeChatOAuthException as error:
            if error.errcode in PASSING:
                raise WechatUnavailable(f"WeChat answers {error.errcode}: try again later") from error
            raise NotAllowed(f"WeChat does not accept this code ({error.errcode}): begin again") from error
        except (requests.RequestException, ValueError) as error:
            raise WechatUnavailable(f"WeChat does not answer ({type(error).__name__})") from error
        if told.get("is_snapshotuser"):
            raise NotAllowed("微信快照页模式不能登录，请在微信中打开完整页面")
        return str(told["openid"])

    def _client(self, redirect_uri: str, state: str) -> _Fenced:
        return _Fenced(self._app_id, self._app_secret, redirect_uri, state, self._oauth, self._api)
