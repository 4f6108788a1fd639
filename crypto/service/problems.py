"""Errors become answers: `application/problem+json` (RFC 9457), and back into the same errors at the client.

`kind` is the name of the class in crypto/errors.py. Nothing of a request is repeated, and what nobody foresaw is told by the
request's number alone: its text could hold what it was working on.
"""

import json
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from crypto import errors
from crypto.errors import CryptoError
from crypto.service.limits import TooManyRequests

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 1
_WORST_SHOWN = 5
_PLACE_LENGTH = 80


class NotKnown(CryptoError):
    """The caller showed nothing by which it is known here."""


class NotThere(CryptoError):
    """No such path, or not by this method."""


class TooLarge(CryptoError):
    """The body is longer than is taken."""


class TooSlow(CryptoError):
    """The body did not come in time."""


class Problem(BaseModel):
    """What an answer other than 200 says (RFC 9457): `detail` is for people, `kind` for programs."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    kind: str
    index: int | None = None


# The first kind that fits decides.
STATUS_OF: tuple[tuple[type[CryptoError], int], ...] = (
    (NotKnown, 401),
    (errors.RoleRefused, 403),
    (NotThere, 404),
    (TooSlow, 408),
    (TooLarge, 413),
    (TooManyRequests, 429),
    (errors.EncodingRefused, 400),
    (errors.InputRefused, 400),
    (errors.KeyRefused, 422),
    (errors.SealBroken, 422),
    (errors.SignatureRefused, 422),
    (errors.ShareRefused, 422),
    (errors.VaultSealed, 503),
    (errors.AuditUnavailable, 503),
    (errors.SourceFailed, 503),
    (errors.ServiceUnavailable, 503),
    (CryptoError, 500),
)
TITLES = {
    400: "The request is not of the form it should be",
    401: "The caller is not known",
    403: "The caller may not do this",
    404: "There is nothing here",
    408: "The body did not come in time",
    413: "The body is too large",
    422: "The request does not fit the keys or the content",
    429: "Too many requests",
    500: "A mistake of ours",
    503: "Not now",
}
# What only this package raises comes back as the error that callers of `crypto` know.
_AT_CLIENT: dict[str, type[CryptoError]] = {
    "NotKnown": errors.RoleRefused,
    "NotThere": errors.InputRefused,
    "TooLarge": errors.InputRefused,
    "TooSlow": errors.ServiceUnavailable,
    "TooManyRequests": TooManyRequests,
}


def status_of(error: CryptoError) -> int:
    """The HTTP status."""
    return next(status for kind, status in STATUS_OF if isinstance(error, kind))


def answer_to(error: CryptoError) -> Response:
    """The answer that says why not."""
    status = status_of(error)
    problem = Problem(
        title=TITLES[status],
        status=status,
        detail=str(error),
        kind=type(error).__name__,
        index=getattr(error, "index", None),
    )
    headers = {"cache-control": "no-store"}
    if isinstance(error, TooLarge | TooSlow):
        # What is left of the body is not read: the next request could not be told from it.
        headers["connection"] = "close"
    if status in (429, 503):
        headers["retry-after"] = str(RETRY_SECONDS)
    return Response(problem.model_dump_json(exclude_none=True), status, headers, MEDIA_TYPE)


def unforeseen(number: str) -> Response:
    """A mistake of ours, by the number of the request in the log."""
    return answer_to(CryptoError(f"request {number} failed by a mistake of ours; the log has its number"))


def from_validation(error: ValidationError) -> errors.InputRefused:
    """Which fields are wrong and how; not what they hold."""
    told = [
        f"{'.'.join(map(str, one['loc']))[:_PLACE_LENGTH] or 'the body'}: {_words(one['type'], one['msg'])}"
        for one in error.errors(include_input=False, include_url=False, include_context=False)[:_WORST_SHOWN]
    ]
    return errors.InputRefused("; ".join(told))


def error_from(status: int, body: bytes) -> CryptoError:
    """The error that an answer of the service tells of."""
    try:
        told: dict[str, Any] = json.loads(body)
        kind, detail, index = str(told["kind"]), str(told["detail"]), told.get("index")
    except (ValueError, TypeError, KeyError):
        return errors.ServiceUnavailable(f"the key server answered {status} without a reason")
    known = _AT_CLIENT.get(kind) or getattr(errors, kind, CryptoError)
    if known is errors.SignatureRefused:
        return errors.SignatureRefused(detail, index or 0)
    return (
        known(detail) if isinstance(known, type) and issubclass(known, CryptoError) else CryptoError(detail)
    )


def _words(kind: str, message: str) -> str:
    """pydantic names the character that is no base64, or the line of broken JSON: it may be one of a key."""
    return {
        "bytes_invalid_encoding": "no base64 (RFC 4648)",
        "json_invalid": "no JSON (RFC 8259) in UTF-8",
    }.get(kind, message)
