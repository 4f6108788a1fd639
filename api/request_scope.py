"""What belongs to one request: its id, the platform, the caller's address, the connection, one log line."""

import re
import secrets
import time

import structlog
from flask import Flask, Response, current_app, g, request

from core import db, logs
from workflow.context import Platform

REQUEST_ID_HEADER = "X-Request-Id"
# What a proxy in front may hand us: long enough to be unique, and nothing that could forge a log line.
_REQUEST_ID = re.compile(r"[0-9A-Za-z._-]{8,64}")

_log = logs.get_logger("api")


def platform() -> Platform:
    """The platform that this application was made for."""
    found: Platform = current_app.extensions["cloudfilm"]
    return found


def address() -> str:
    """The caller's address for the access record (F10), seen through `CLOUDFILM_TRUSTED_PROXIES` proxies."""
    return request.remote_addr or ""


def is_address_believable() -> bool:
    """Whether `address` is the caller's own: a proxy that was not declared puts its own in the place of everybody's."""
    forwarded = {"X-Forwarded-For", "Forwarded"} & set(request.headers.keys())
    return not forwarded or platform().settings.trusted_proxies > 0


def install(app: Flask) -> None:
    """Begin and end every request of `app`."""
    app.before_request(_begin)
    app.after_request(_answer)
    app.teardown_request(_end)


def _begin() -> None:
    g.request_id = _request_id()
    g.began = time.monotonic()
    # A connection opens by itself at the first query; one that was open before is its owner's to close.
    g.is_connection_ours = db.database.is_closed()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _answer(response: Response) -> Response:
    response.headers[REQUEST_ID_HEADER] = g.request_id
    # The rule, not the path: a path may hold what the caller typed.
    _log.info(
        "request",
        method=request.method,
        route=request.url_rule.rule if request.url_rule else "",
        status=response.status_code,
        milliseconds=round((time.monotonic() - g.began) * 1000),
    )
    return response


def _end(_error: BaseException | None) -> None:
    structlog.contextvars.unbind_contextvars("request_id")
    if g.get("is_connection_ours") and not db.database.is_closed():
        db.database.close()


def _request_id() -> str:
    given = request.headers.get(REQUEST_ID_HEADER, "")
    if platform().settings.trusted_proxies and _REQUEST_ID.fullmatch(given):
        return given
    return secrets.token_hex(16)
