"""The cookies that we set: the session, the token of forms before any session, the state of a WeChat sign-in.

All are HttpOnly and SameSite=Lax: Lax, not Strict, because a patient comes by a link from an SMS or from
WeChat. Where a HIS of another site embeds us, they are SameSite=None and Partitioned: sent in its frame, but kept apart
for each embedding site (CHIPS). Changes are safe all the same, since they carry a CSRF token (api/csrf.py).
"""

from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from api.request_scope import platform

SESSION = "cf_session"
FORM = "cf_form"
WECHAT_STATE = "cf_wechat_state"


def set_session(response: Response, token: str, expires_at: datetime) -> None:
    """Hand the browser its session."""
    response.set_cookie(SESSION, token, expires=expires_at, **_flags())


def set_short(response: Response, name: str, value: str, seconds: int) -> None:
    """Hand the browser something to bring back within `seconds`."""
    response.set_cookie(name, value, max_age=seconds, **_flags())


def remove(response: Response, name: str) -> None:
    """Take a cookie back."""
    response.delete_cookie(name, **_flags())


def _flags() -> dict[str, Any]:
    settings = platform().settings
    is_framed = settings.cross_site_frames
    return {
        "httponly": True,
        "secure": settings.secure_cookies,
        "samesite": "None" if is_framed else "Lax",
        "partitioned": is_framed,
        "path": "/",
    }
