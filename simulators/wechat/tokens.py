"""Access tokens of the account: stable ones that stay the same, plain ones that replace each other.

Source: developers.weixin.qq.com, getStableAccessToken and getAccessToken: 7200 s; a stable token is renewed
in its last 5 minutes while the old one still works; a forced refresh ends the old one at once, but not twice
in 30 s; the two kinds do not disturb each other.
"""

import secrets
from collections.abc import Callable

from simulators.statefiles import Document
from simulators.wechat.errors import WechatError

LIFE_SECONDS = 7200
OVERLAP_SECONDS = 300
FORCE_PAUSE_SECONDS = 30
# How long an ended token is told apart (42001) from one that never was (40001).
_REMEMBER_SECONDS = 86_400


class AccessTokens:
    """The tokens of one account, kept in `state`."""

    def __init__(self, state: Document, clock: Callable[[], float]) -> None:
        self._state = state
        self._clock = clock
        state.values.setdefault("tokens", {})
        state.values.setdefault("current_token", {})

    def stable(self, is_forced: bool) -> tuple[str, int]:
        """The stable token and the seconds that it has left."""
        with self._state.lock:
            now = self._clock()
            token = self._state.values["current_token"].get("stable")
            left = self._expiry(token) - now
            if is_forced and now - self._state.values.get("forced_at", 0) >= FORCE_PAUSE_SECONDS:
                self._state.values["tokens"].pop(token, None)
                self._state.values["forced_at"] = now
                return self._issue("stable")
            if left > OVERLAP_SECONDS:
                return token, int(left)
            return self._issue("stable")

    def plain(self) -> tuple[str, int]:
        """A new plain token; the one before works for 5 minutes more."""
        with self._state.lock:
            before = self._state.values["current_token"].get("plain")
            if before in self._state.values["tokens"]:
                ends = min(self._expiry(before), self._clock() + OVERLAP_SECONDS)
                self._state.values["tokens"][before] = ends
            return self._issue("plain")

    def expire_all(self) -> None:
        """End all tokens now."""
        with self._state.lock:
            now = self._clock()
            tokens = self._state.values["tokens"]
            self._state.values["tokens"] = {token: min(ends, now) for token, ends in tokens.items()}
            self._state.save()

    def check(self, token: str | None) -> None:
        """Raises `WechatError`: 41001 missing, 40001 unknown, 42001 expired."""
        if not token:
            raise WechatError(41001, "access_token missing")
        with self._state.lock:
            if token not in self._state.values["tokens"]:
                raise WechatError(40001, "invalid credential, access_token is invalid or not latest")
            if self._expiry(token) <= self._clock():
                raise WechatError(42001, "access_token expired")

    def _expiry(self, token: str | None) -> float:
        return float(self._state.values["tokens"].get(token, 0.0))

    def _issue(self, kind: str) -> tuple[str, int]:
        now = self._clock()
        token = secrets.token_urlsafe(96)
        kept = self._state.values["tokens"].items()
        tokens = {known: ends for known, ends in kept if ends > now - _REMEMBER_SECONDS}
        self._state.values["tokens"] = tokens | {token: now + LIFE_SECONDS}
        self._state.values["current_token"][kind] = token
        self._state.save()
        return token, LIFE_SECONDS
