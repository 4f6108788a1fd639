"""One service account: who may call for it, what it sends to whom, and what they received.

Source: developers.weixin.qq.com, sendTemplateMessage and bizsend (subscription notification).
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulators.statefiles import Document, Journal
from simulators.wechat.errors import WechatError
from simulators.wechat.people import People
from simulators.wechat.templates import WechatTemplate
from simulators.wechat.tokens import AccessTokens

# The same client_msg_id to the same user within ten minutes is one message.
REPEAT_SECONDS = 600


class Account:
    """A service account with its state in `state_dir`."""

    def __init__(
        self,
        state_dir: Path,
        app_id: str,
        app_secret: str,
        name: str,
        templates: Mapping[str, WechatTemplate],
        clock: Callable[[], float],
    ) -> None:
        self.app_id = app_id
        self.name = name
        self._app_secret = app_secret
        self._templates = dict(templates)
        self._clock = clock
        self._lock = threading.Lock()
        self._journal = Journal(state_dir / "messages.jsonl")
        state = Document(state_dir / "account.json", {})
        self.tokens = AccessTokens(state, clock)
        self.people = People(state, clock)

    def check_credentials(self, given: Mapping[str, Any], grant_type: str) -> None:
        """Raises `WechatError`: 40002 wrong grant type, 40013 wrong appid, 40125 wrong secret."""
        if given.get("grant_type") != grant_type:
            raise WechatError(40002, "invalid grant_type")
        if given.get("appid") != self.app_id:
            raise WechatError(40013, "invalid appid")
        if given.get("secret") != self._app_secret:
            raise WechatError(40125, "invalid appsecret")

    def send_template(self, message: Mapping[str, Any]) -> int:
        """Send a template message to a follower; returns the msgid.

        Raises `WechatError`: 40003 unknown user, 43004 no follower, 40037 unknown template, 47003 bad field.
        """
        openid = self._reader(message)
        if not self.people.find(openid)["is_following"]:
            raise WechatError(43004, "require subscribe")
        template, rows = self._filled(message)
        repeat_id = str(message.get("client_msg_id") or "")
        with self._lock:
            if repeat_id:
                for sent in reversed(self._journal.entries()):
                    if (sent["openid"], sent["client_msg_id"]) == (openid, repeat_id):
                        if self._clock() - sent["at_seconds"] < REPEAT_SECONDS:
                            return int(sent["msgid"])
                        break
            return self._deliver("template", message, template, rows, str(message.get("url") or ""))

    def send_subscription(self, message: Mapping[str, Any]) -> int:
        """Send a subscription notice to somebody who agreed to it; returns the msgid.

        Raises `WechatError`: 40003 unknown user, 40037 unknown template, 47003 bad field, 43101 not agreed.
        """
        openid = self._reader(message)
        template, rows = self._filled(message)
        with self._lock:
            self.people.spend(openid, message["template_id"])
            return self._deliver("subscription", message, template, rows, str(message.get("page") or ""))

    def messages(self, openid: str | None = None) -> list[dict[str, Any]]:
        """What was delivered (to one user), oldest first: openid, title, rows, url, data, msgid, at …"""
        return [sent for sent in self._journal.entries() if openid is None or sent["openid"] == openid]

    def _reader(self, message: Mapping[str, Any]) -> str:
        return str(self.people.find(message.get("touser"))["openid"])

    def _filled(self, message: Mapping[str, Any]) -> tuple[WechatTemplate, list[tuple[str, str]]]:
        template = self._templates.get(str(message.get("template_id")))
        if template is None:
            raise WechatError(40037, "invalid template_id")
        return template, template.fill(message.get("data"))

    def _deliver(
        self,
        kind: str,
        message: Mapping[str, Any],
        template: WechatTemplate,
        rows: list[tuple[str, str]],
        url: str,
    ) -> int:
        msgid = secrets.randbelow(10**15) + 3 * 10**18
        now = self._clock()
        self._journal.append(
            {
                "kind": kind,
                "openid": message["touser"],
                "template_id": message["template_id"],
                "title": template.title,
                "rows": [list(row) for row in rows],
                "url": url,
                "data": message["data"],
                "client_msg_id": str(message.get("client_msg_id") or ""),
                "msgid": msgid,
                "at": datetime.fromtimestamp(now, UTC).isoformat(),
                "at_seconds": now,
            }
        )
        return msgid
