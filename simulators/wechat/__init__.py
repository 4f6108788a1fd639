"""WeChat's service-account API on loopback (E2, S2): tokens, log-in, template and subscription messages.

`GET /chat` shows what a follower received; `/_sim/…` adds followers and ends tokens.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from simulators.loopback import LoopbackServer
from simulators.outage import OutageSwitch
from simulators.wechat.account import Account
from simulators.wechat.templates import WechatTemplate
from simulators.wechat.web import create_app

__all__ = ["WechatSimulator", "WechatTemplate", "serve"]


class WechatSimulator(LoopbackServer):
    """WeChat for tests: `with WechatSimulator(state_dir, "wx…", "secret", templates=…) as wechat`."""

    def __init__(
        self,
        state_dir: Path,
        app_id: str,
        app_secret: str,
        *,
        templates: Mapping[str, WechatTemplate],
        account_name: str = "演示医院",
        oauth_domains: Sequence[str] = ("127.0.0.1", "localhost"),
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._account = Account(state_dir, app_id, app_secret, account_name, templates, clock)
        self.outage = OutageSwitch(clock)
        super().__init__(create_app(self._account, self.outage, oauth_domains), host, port)

    def add_follower(
        self, openid: str | None = None, nickname: str = "微信用户", is_following: bool = True
    ) -> str:
        """Add a WeChat user whom the account knows; returns the openid."""
        return self._account.people.add(openid, nickname, is_following)

    def grant(self, openid: str, template_id: str, count: int = 1) -> None:
        """Let the user agree to `count` subscription messages."""
        self._account.people.grant(openid, template_id, count)

    def expire_tokens(self) -> None:
        """End all access tokens now: the next call is answered 42001."""
        self._account.tokens.expire_all()

    def messages(self, openid: str | None = None) -> list[dict[str, Any]]:
        """What was delivered, oldest first: kind, openid, template_id, title, rows, url, data, msgid, at."""
        return self._account.messages(openid)


def serve(
    host: str,
    port: int,
    *,
    state_dir: Path,
    app_id: str,
    app_secret: str,
    templates: Mapping[str, WechatTemplate],
    account_name: str = "演示医院",
    followers: Mapping[str, str] | None = None,
) -> None:
    """Run until the process ends. `templates` by their id; `followers` (openid to nickname) at start."""
    simulator = WechatSimulator(
        state_dir, app_id, app_secret, templates=templates, account_name=account_name, host=host, port=port
    )
    for openid, nickname in (followers or {}).items():
        simulator.add_follower(openid, nickname)
    simulator.serve_forever()
