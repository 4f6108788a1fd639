"""How much a request may carry: little, unless the view says that it takes messages with documents."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request

# Forms and JSON are small; what is bigger (DICOM, HL7) does not come this way, or to a view that is marked.
USUAL_BYTES = 256 * 1024
# A message of 32 MB with what is around it.
MESSAGE_BYTES = 33 * 1024 * 1024

View = TypeVar("View", bound=Callable[..., Any])


def up_to(limit: int) -> Callable[[View], View]:
    """Mark a view that takes bodies of so many bytes; more is answered with 413."""

    def mark(view: View) -> View:
        view.body_limit = limit  # type: ignore[attr-defined]
        return view

    return mark


def install(app: Flask) -> None:
    """Set the limit of each request before anything reads its body."""
    app.config.update(MAX_CONTENT_LENGTH=USUAL_BYTES, MAX_FORM_MEMORY_SIZE=USUAL_BYTES, MAX_FORM_PARTS=20)
    app.before_request(_limit)


def _limit() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    limit: int | None = getattr(view, "body_limit", None)
    if limit is not None:
        request.max_content_length = limit
