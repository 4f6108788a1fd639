"""Headers of every answer: what a page may load and run, who may frame it, what may be kept (K5, F6).

No inline script or style anywhere. `'wasm-unsafe-eval'` lets the viewer's decoders be compiled; workers take
their own policy from the headers of their script, so scripts carry it too.
"""

from flask import Flask, Response, request

from api.request_scope import platform

HASHED_ASSETS = "/static/dist/assets/"
_YEAR_SECONDS = 365 * 24 * 3600


def install(app: Flask) -> None:
    """Add the headers to every answer."""
    app.after_request(_protect)


def content_policy(frame_ancestors: str, live_address: str) -> str:
    """The Content-Security-Policy of pages and scripts. For Safari before 15.4 `'self'` means no WebSocket."""
    return "; ".join(
        (
            "default-src 'self'",
            f"connect-src 'self' {live_address}",
            "img-src 'self' blob: data:",
            "worker-src 'self' blob:",
            "script-src 'self' 'wasm-unsafe-eval'",
            "style-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-ancestors {frame_ancestors}",
        )
    )


def _protect(response: Response) -> Response:
    settings = platform().settings
    defaults = {
        "Content-Security-Policy": content_policy(settings.frame_ancestors, settings.live_address),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        "Cache-Control": _cache_control(response),
    }
    if settings.frame_ancestors == "'self'":
        defaults["X-Frame-Options"] = "SAMEORIGIN"  # for browsers that do not know frame-ancestors
    if settings.secure_cookies:
        defaults["Strict-Transport-Security"] = f"max-age={_YEAR_SECONDS}"
    for name, value in defaults.items():
        response.headers.setdefault(name, value)
    return response


def _cache_control(response: Response) -> str:
    """Pages and answers show a person and are not kept; what is named by its content is kept for good."""
    if not request.path.startswith("/static/") or response.status_code >= 400:
        return "no-store"
    if request.path.startswith(HASHED_ASSETS):
        return f"public, max-age={_YEAR_SECONDS}, immutable"
    return "no-cache"
