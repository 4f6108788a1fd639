"""What a person reads when something was refused."""

from api.errors import WORDS, status_of
from core.errors import CloudFilmError


def for_person(error: CloudFilmError) -> str:
    """One Chinese sentence; log-in errors of `access` bring their own."""
    return getattr(error, "text", "") or "，".join(WORDS[status_of(error)])
