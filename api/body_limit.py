"""How much a request may carry: little, unless the view says that it takes messages with documents."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

# Forms and JSON are small; what is bigger (DICOM, HL7) does not come this way, or to a view that is marked.
USUAL_BYTES = 256 * 1024
# A message of 32 MB with what is around it.
MESSAGE_BYTES = 33 * 1024 * 1024

_CHUNK_BYTES = 1024 * 1024
_DISCARDED_BYTES = 64 * 1024 * 1024

View = TypeVar("View", bound=Callable[..., Any])


def up_to(limit: int) -> Callable[[View], View]:
    """Mark a view that takes bodies of so many bytes; more is answered with 413."""

    def mark(view: View) -> View:
        view.body_limit = limit  # type: ignore[attr-defined]
        return view

    return mark


def read() -> bytes:
    """The body. Raises `RequestEntityTooLarge`; one that came in chunks would otherwise be cut at the limit unnoticed."""
    content = request.get_data()
    limit = request.max_content_length
    if limit is not None and request.content_length is None and len(content) >= limit:
        raise RequestEntityTooLarge
    return content


def discard() -> None:
    """Take what is left of a body from the line: a caller that is cut off while it sends never reads the answer."""
    stream = request.environ["wsgi.input"]
    is_chunked = bool(request.environ.get("wsgi.input_terminated")) and request.content_length is None
    left = _DISCARDED_BYTES if is_chunked else min(request.content_length or 0, _DISCARDED_BYTES)
    while left > 0:
        chunk = stream.read(min(_CHUNK_BYTES, left))
        if not chunk:
            return
        left -= len(chunk)


def install(app: Flask) -> None:
    """Set the limit of each request before anything reads its body."""
    app.config.update(MAX_CONTENT_LENGTH=USUAL_BYTES, MAX_FORM_MEMORY_SIZE=USUAL_BYTES, MAX_FORM_PARTS=20)
    app.before_request(_limit)


def _limit() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    limit: int | None = getattr(view, "body_limit", None)
    if limit is not None:
        request.max_content_length = limit
