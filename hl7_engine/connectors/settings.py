"""Strict reading of one table of the site file into a settings class: what is unknown, missing or of another type is told.

Passwords never stand in the table: `password_file`, or `url_file` for the whole URL.
"""

from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints
from urllib.parse import SplitResult, quote, unquote, urlsplit

from core.errors import Misconfigured

T = TypeVar("T")

# What TOML has for each type of a setting, and how it is called.
_FROM_TOML: dict[Any, Any] = {str: str, int: int, float: (float, int), bool: bool, tuple: list, dict: dict}
_NAMED = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    tuple: "a list",
    dict: "a table",
}


def read(kind: type[T], table: dict[str, Any], subject: str) -> T:
    """An instance of the dataclass `kind` from `table`. Raises `Misconfigured` naming the key."""
    hints = get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise Misconfigured(f"{subject}: unknown {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    missing = [
        name
        for name, field in known.items()
        if name not in table and field.default is MISSING and field.default_factory is MISSING
    ]
    if missing:
        raise Misconfigured(f"{subject}: {', '.join(missing)} missing")
    for name, value in table.items():
        expected = hints[name]
        plain = getattr(expected, "__origin__", expected)
        if not isinstance(value, _FROM_TOML[plain]) or (isinstance(value, bool) and plain is not bool):
            raise Misconfigured(f"{subject}: {name} is {value!r}: {_NAMED[plain]} is needed")
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in table.items()})


def require_positive(subject: str, **values: float) -> None:
    """Raise `Misconfigured` for the first that is not above zero."""
    for name, value in values.items():
        if value <= 0:
            raise Misconfigured(f"{subject}: {name} is {value}: it must be above 0")


@dataclass(frozen=True)
class Endpoint:
    """A server as an URL. `text` names it in messages, without user and password."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    path: str

    @property
    def text(self) -> str:
        """host:port."""
        return f"{self.host}:{self.port}"


def whole_url(subject: str, url: str, url_file: str, password_file: str) -> str:
    """The URL with its password, from the three settings. Raises `Misconfigured`."""
    if bool(url) == bool(url_file):
        raise Misconfigured(f"{subject}: give either url or url_file")
    if url_file:
        return secret(subject, "url_file", url_file)
    parts = split_url(subject, url)
    if parts.password is not None:
        raise Misconfigured(f"{subject}: no password in url: put it into a file and name it in password_file")
    if not password_file:
        return url
    word = quote(secret(subject, "password_file", password_file), safe="")
    user, _, place = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{word}@{place}").geturl()


def endpoint(subject: str, url: str, schemes: dict[str, int]) -> Endpoint:
    """The parts of a URL; `schemes` with their default ports. Raises `Misconfigured` without quoting the URL."""
    parts = split_url(subject, url)
    try:
        port = parts.port
    except ValueError:
        raise no_address(subject) from None
    # The rest of a user or password in which a slash or a hash sign was not encoded.
    if "@" in parts.path or "@" in parts.fragment:
        raise no_address(subject)
    if parts.scheme not in schemes or not parts.hostname:
        raise Misconfigured(
            f"{subject}: url must begin with {' or '.join(f'{name}://host' for name in schemes)}"
        )
    return Endpoint(
        parts.scheme,
        parts.hostname,
        port or schemes[parts.scheme],
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        parts.path,
    )


def no_address(subject: str) -> Misconfigured:
    """What is said of a URL that cannot be read. Nothing of it is repeated: any part may be the password."""
    return Misconfigured(
        f"{subject}: url (or what url_file holds) is no address: write scheme://user@host:port/path, and "
        "what is special in user and password with %, as %40 for @"
    )


def split_url(subject: str, url: str) -> SplitResult:
    """The parts of a URL as they stand. Raises `Misconfigured`."""
    try:
        return urlsplit(url)
    except ValueError:
        raise no_address(subject) from None


def secret(subject: str, name: str, path: str) -> str:
    """The content of a secret's file without the line end. Raises `Misconfigured`."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Misconfigured(f"{subject}: {name}: cannot read {path}: {error.strerror}") from error
