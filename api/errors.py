"""Errors become answers: a page in Chinese for people, `application/problem+json` (RFC 9457) for programs.

The kinds of core.errors map to statuses in one table. What nobody foresaw is a 500 that names the request's
id, which is also in the log.
"""

from typing import Any
from urllib.parse import urlencode

import peewee
from apiflask.exceptions import HTTPError
from flask import Flask, Response, g, jsonify, make_response, redirect, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response as AnyResponse

from access.otp import TooMany
from core import logs
from core.errors import CloudFilmError, Conflict, NotAllowed, NotFound, Refused, Unavailable

PROBLEM_MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 30
# IHE's own path, at which doctors come in from other systems (api/pages/invoke.py).
INVOKE = "/IHEInvokeImageDisplay"

_log = logs.get_logger("api")


class SignInRequired(Refused):
    """The view is for someone who is signed in."""


# The first kind that fits decides.
_STATUS_OF: tuple[tuple[type[Exception], int], ...] = (
    (SignInRequired, 401),
    (TooMany, 429),
    (NotFound, 404),
    (NotAllowed, 403),
    (Refused, 422),
    (Conflict, 409),
    (Unavailable, 503),
    (peewee.OperationalError, 503),
    (peewee.InterfaceError, 503),
)

# What a page says, and what the reader can do.
WORDS: dict[int, tuple[str, str]] = {
    400: ("请求无法理解", "请返回上一页重新操作。"),
    401: ("请先登录", "登录后即可继续。"),
    403: ("暂时不能打开", "页面可能已过期，或此内容尚未开放。请刷新页面后重试。"),
    404: ("没有找到", "该内容不存在，或不属于当前登录的手机号。"),
    405: ("操作不支持", "请返回上一页重新操作。"),
    409: ("内容有冲突", "同一编号已有不同的内容，请联系医院处理。"),
    413: ("内容太大", "请缩短后重试。"),
    422: ("填写的内容不正确", "请检查后重试。"),
    429: ("操作太频繁", "请稍候再试。"),
    503: ("服务暂时不可用", "请稍后重试，您的资料不受影响。"),
}
_UNFORESEEN = ("系统出了一点问题", "我们已记录此问题，请稍后重试。")


def install(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(SignInRequired, _ask_to_sign_in)
    for kind in (CloudFilmError, peewee.PeeweeException):
        app.register_error_handler(kind, _known)
    app.register_error_handler(HTTPError, _from_schema)
    app.register_error_handler(HTTPException, _from_werkzeug)
    app.register_error_handler(Exception, _unforeseen)


def status_of(error: Exception) -> int:
    """The HTTP status of an error; 500 for what is not in the table."""
    return next((status for kind, status in _STATUS_OF if isinstance(error, kind)), 500)


def wants_json() -> bool:
    """Whether the caller is a program: an API path, or JSON preferred to HTML."""
    if request.path.startswith("/api/") or request.path in {"/healthz", "/readyz", "/openapi.json"}:
        return True
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def _known(error: Exception) -> AnyResponse:
    status = status_of(error)
    if status == 500:
        return _unforeseen(error)
    if status == 503:
        _log.warning("unavailable", error=f"{type(error).__name__}: {error}")
    response = _answer(status, str(error) if isinstance(error, CloudFilmError) else "the database is away")
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _ask_to_sign_in(error: Exception) -> AnyResponse:
    if wants_json():
        response = _answer(401, str(error))
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    is_invoked = request.path == INVOKE
    login = "/staff/login" if is_invoked or request.path.startswith("/staff") else "/login"
    if request.method == "GET":
        # Only what another system asked for is in the query; pages of ours have nothing there.
        login += "?" + urlencode({"next": request.full_path if is_invoked else request.path})
    if "HX-Request" in request.headers:
        return make_response("", 401, {"HX-Redirect": login})
    return redirect(login, 303)


def _from_schema(error: HTTPError) -> AnyResponse:
    """An input that its schema refused: names of fields and what is wrong with them, never their values."""
    extra = {"errors": error.detail} if error.detail else {}
    response = _answer(error.status_code, error.message or "", **extra)
    response.headers.extend(error.headers)
    return response


def _from_werkzeug(error: HTTPException) -> AnyResponse:
    if isinstance(error, InternalServerError) or error.code is None:
        return _unforeseen(error)
    if error.code < 400:
        return error.get_response()
    response = _answer(error.code, error.description or "")
    for name, value in error.get_headers():
        if name != "Content-Type":
            response.headers[name] = value
    return response


def _unforeseen(error: Exception) -> AnyResponse:
    _log.error("request_failed", exc_info=error, route=request.url_rule.rule if request.url_rule else "")
    return _answer(500, "an error that nobody foresaw; the log has it under this request's id")


def _answer(status: int, detail: str, **extra: Any) -> Response:
    title, advice = WORDS.get(status, _UNFORESEEN)
    if wants_json():
        problem = {"type": "about:blank", "title": title, "status": status, "detail": detail, **extra}
        response = jsonify({**problem, "request_id": g.request_id})
        response.mimetype = PROBLEM_MEDIA_TYPE
        response.status_code = status
        return response
    room = "staff" if request.path.startswith("/staff") else "patient"
    page = "_problem.html" if "HX-Request" in request.headers else "problem.html"
    text = render_template(f"{room}/{page}", title=title, advice=advice, request_id=g.request_id)
    return make_response(text, status)
