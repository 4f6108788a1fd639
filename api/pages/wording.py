"""What a person reads when something was refused."""

import re

from api.errors import WORDS, status_of
from core.errors import CloudFilmError

_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def for_person(error: CloudFilmError) -> str:
    """One Chinese sentence: the error's own if it was written for people, else that of its status."""
    text = str(error)
    return text if _CHINESE.search(text) else "，".join(WORDS[status_of(error)])
