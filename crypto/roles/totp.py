"""One-time codes of authenticator apps (RFC 6238 over RFC 4226): HMAC-SHA-1, 6 digits, steps of 30 s.

SHA-1, because the apps in people's phones compute nothing else; HMAC does not need the property that SHA-1 lost.
"""

import base64
import hmac
from urllib.parse import quote, urlencode

SECRET_SIZE = 20
STEP_SECONDS = 30
DIGITS = 6
# RFC 6238 §5.2: one step of clock difference either way.
_NEIGHBOURS = (0, -1, 1)


def code(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of one time step (seconds since 1970 over 30)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"


def matching_step(secret: bytes, given: str, seconds: float, after: int) -> int | None:
    """The step whose code was given, among now and its neighbours and later than `after`. None when it is none of them."""
    now = int(seconds // STEP_SECONDS)
    matches = [
        now + shift
        for shift in _NEIGHBOURS
        if hmac.compare_digest(code(secret, now + shift).encode(), given.encode())
    ]
    return next((step for step in matches if step > after), None)


def enrolment_uri(secret: bytes, account: str, issuer: str) -> str:
    """What an authenticator app reads from a QR code (the `otpauth` form of Google Authenticator's key URI format)."""
    text = base64.b32encode(secret).decode().rstrip("=")
    query = urlencode(
        {"secret": text, "issuer": issuer, "digits": DIGITS, "period": STEP_SECONDS}, quote_via=quote
    )
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{query}"
