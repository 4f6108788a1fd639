"""Requests that change something come from our own pages: proven by a token that another site cannot know.

With a session the token is the session's. Before one (log-in forms) it is the double-submit token of a
cookie. JSON to a public URL needs none: a browser asks first (CORS preflight) before it sends JSON to another
site, and we never agree. Bearer tokens and signatures need none either, since no browser adds them by itself.
Where an address alone is trusted, a browser at that address is not.
"""

import hmac
import re
import secrets

from flask import Flask, Response, g, request

from access.sessions import Visitor
from api import cookies
from core.errors import NotAllowed

FIELD = "csrf_token"
HEADER = "X-CSRF-Token"
FORM_SECONDS = 7200
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_TOKEN = re.compile(r"[0-9A-Za-z_-]{43}")


def install(app: Flask) -> None:
    """Let pages ask for a token, and hand out the cookie that belongs to it."""
    app.after_request(_hand_out)


def require_for_session(visitor: Visitor) -> None:
    """Raise `NotAllowed` unless the request carries the session's token."""
    if request.method not in SAFE_METHODS:
        _require_equal(_given(), visitor.csrf_token)


def require_before_session() -> None:
    """Raise `NotAllowed` unless the request is JSON or carries the token of its cookie."""
    if request.method not in SAFE_METHODS and not request.is_json:
        _require_equal(_given(), request.cookies.get(cookies.FORM, ""))


def require_no_browser() -> None:
    """Raise `NotAllowed` for a change that a page in somebody's browser asks for: those send one of these headers."""
    if request.method not in SAFE_METHODS and {"Origin", "Sec-Fetch-Site"} & set(request.headers.keys()):
        raise NotAllowed("this interface is for systems, not for pages in a browser")


def form_token() -> str:
    """The token for a form on a page without session; its cookie goes out with the answer."""
    if "form_token" not in g:
        known = request.cookies.get(cookies.FORM, "")
        g.form_token = known if _TOKEN.fullmatch(known) else secrets.token_urlsafe(32)
    token: str = g.form_token
    return token


def _given() -> str:
    return request.headers.get(HEADER) or request.form.get(FIELD, "")


def _require_equal(given: str, expected: str) -> None:
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise NotAllowed("the page is too old or the request came from elsewhere: load the page again")


def _hand_out(response: Response) -> Response:
    if "form_token" in g:
        cookies.set_short(response, cookies.FORM, g.form_token, FORM_SECONDS)
    return response
