"""Machines that may use keys: known by their user on this machine, by a token, or by a certificate. They are operators.

The peers file is JSON and holds nothing to steal, digests only (64 hex digits):

    {"platform": {"users": ["cloudfilm"], "tokens": ["9f86d0…"], "certificates": ["2c26b4…"]}}

`users` are names or numbers of the system's users (Unix socket, SO_PEERCRED), `tokens` SHA-256 or SM3 of a long random text,
`certificates` SHA-256 of the DER form. Without a file the user who runs the service is `platform`, and nobody else is known.
"""

import hashlib
import hmac
import json
import pwd
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crypto.errors import KeyRefused
from crypto.service.connection import Peer
from crypto.service.problems import NotKnown
from crypto.sm3 import sm3

PLATFORM = "platform"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_FIELDS = {"users", "tokens", "certificates"}


@dataclass(frozen=True)
class Machines:
    """Accounts by what shows them. No account is in two places with another's name."""

    users: Mapping[int, str] = field(default_factory=dict)
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    certificates: Mapping[str, str] = field(default_factory=dict)

    def account_of(self, peer: Peer, token: str) -> str:
        """The account of a caller. Raises `NotKnown`: a wrong token is refused even where the user alone would do."""
        if token:
            return self._by_token(token)
        if peer.uid is not None and peer.uid in self.users:
            return self.users[peer.uid]
        if peer.certificate in self.certificates:
            return self.certificates[peer.certificate]
        if peer.uid is not None:
            raise NotKnown(
                f"user {peer.uid} of this machine has no account here: add it to the file of CLOUDFILM_CRYPTO_PEERS"
            )
        raise NotKnown("send a token (Authorization: Bearer …), or show a certificate that is known here")

    def _by_token(self, token: str) -> str:
        told = token.encode()
        digests = (hashlib.sha256(told).hexdigest(), sm3(told).hex())
        # All are compared, so that the time tells nothing.
        matching = [
            name
            for known, name in self.tokens.items()
            if hmac.compare_digest(known, digests[0]) | hmac.compare_digest(known, digests[1])
        ]
        if not matching:
            raise NotKnown("the token is not known here")
        return matching[0]


def load(path: Path | None, own_uid: int) -> Machines:
    """The file's machines, or this user alone. Raises `KeyRefused` naming what is wrong in the file."""
    if path is None:
        return Machines(users={own_uid: PLATFORM})
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise KeyRefused(f"peers file {path}: it cannot be read ({type(error).__name__})") from None
    if not isinstance(told, dict):
        raise KeyRefused(f'peers file {path}: {{"name": {{"users": […], "tokens": […], …}}}} is needed')
    found: dict[str, dict[Any, str]] = {kind: {} for kind in sorted(_FIELDS)}
    for name, shown in told.items():
        _take(path, name, shown, found)
    return Machines(found["users"], found["tokens"], found["certificates"])


def _take(path: Path, name: str, shown: Any, found: dict[str, dict[Any, str]]) -> None:
    if not _NAME.fullmatch(name) or not isinstance(shown, dict) or not shown.keys() <= _FIELDS:
        raise KeyRefused(
            f"peers file {path}: {name[:32]!r}: a name of small letters, and lists {', '.join(sorted(_FIELDS))}"
        )
    for kind, values in shown.items():
        for value in values if isinstance(values, list) else [None]:
            key = _user(value) if kind == "users" else _digest(value)
            if key is None or found[kind].get(key, name) != name:
                raise KeyRefused(
                    f"peers file {path}: {name}: {kind}: users of this system, or 64 hex digits, each of one account"
                )
            found[kind][key] = name


def _user(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return pwd.getpwnam(value).pw_uid
    except (KeyError, TypeError):
        return None


def _digest(value: Any) -> str | None:
    return value.lower() if isinstance(value, str) and _DIGEST.fullmatch(value.lower()) else None
