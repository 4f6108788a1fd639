"""Systems of the hospital that call us over HTTP without signing (SOAP): known by their address, and by a token if set.

Vendors' SOAP clients can send a header or HTTP Basic, and hardly more. The token file is JSON, a name and the digest
(SHA-256 or SM3, hex) of each token, so that it holds nothing to steal: {"HIS": "9f86d0…"}. Tokens are long random texts.
"""

import base64
import binascii
import hashlib
import hmac
import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import Misconfigured, NotAllowed
from crypto.sm3 import sm3

TOKEN_HEADER = "X-CloudFilm-Token"  # noqa: S105 — a name
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_NAME_LENGTH = 64

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TokenRequired(NotAllowed):
    """The caller has to say who it is, by the header or by HTTP Basic."""


@dataclass(frozen=True)
class HospitalPeers:
    """Who may call. `digests` by name; empty: the address alone counts."""

    networks: tuple[Network, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict, repr=False)


def load(networks: str, token_file: str = "") -> HospitalPeers:
    """From the settings CLOUDFILM_HTTP_PEERS and CLOUDFILM_HTTP_PEER_TOKENS. Raises `Misconfigured` naming what is wrong."""
    return HospitalPeers(_networks(networks), _digests(token_file) if token_file else {})


def verify(peers: HospitalPeers, address: str, headers: Mapping[str, str]) -> str:
    """The name of the caller's token; empty where addresses alone count. Raises `NotAllowed`."""
    if not _is_expected(peers.networks, address):
        raise NotAllowed("this address is not among CLOUDFILM_HTTP_PEERS")
    if not peers.digests:
        return ""
    token = headers.get(TOKEN_HEADER, "") or _basic_password(headers.get("Authorization", ""))
    if not token:
        raise TokenRequired(f"send the token in {TOKEN_HEADER} or as password of HTTP Basic")
    told = token.encode()
    digests = (hashlib.sha256(told).hexdigest(), sm3(told).hex())
    # All are compared, so that the time tells nothing.
    matching = [
        name
        for name, known in peers.digests.items()
        if hmac.compare_digest(known, digests[0]) | hmac.compare_digest(known, digests[1])
    ]
    if not matching:
        raise TokenRequired("the token is not known here")
    return matching[0]


def _networks(text: str) -> tuple[Network, ...]:
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            found.append(ipaddress.ip_network(part))
        except ValueError as error:
            raise Misconfigured(f"CLOUDFILM_HTTP_PEERS: {part!r} is no address or network: {error}") from None
    return tuple(found)


def _digests(path: str) -> dict[str, str]:
    try:
        told = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Misconfigured(f"CLOUDFILM_HTTP_PEER_TOKENS {path}: {type(error).__name__}") from None
    if not isinstance(told, dict) or not told:
        raise Misconfigured(
            f'CLOUDFILM_HTTP_PEER_TOKENS {path}: {{"name": "digest"}} is needed, at least one'
        )
    for name, digest in told.items():
        if not 1 <= len(name) <= _NAME_LENGTH or not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise Misconfigured(
                f"CLOUDFILM_HTTP_PEER_TOKENS {path}: {name[:_NAME_LENGTH]}: 64 hex digits of SHA-256 or SM3 are needed"
            )
    return {name: digest.lower() for name, digest in told.items()}


def _is_expected(networks: tuple[Network, ...], address: str) -> bool:
    try:
        told = ipaddress.ip_address(address)
    except ValueError:
        return False
    # On a socket for both kinds, 10.1.2.3 calls itself ::ffff:10.1.2.3.
    mapped = told.ipv4_mapped if isinstance(told, ipaddress.IPv6Address) else None
    return any((mapped or told) in network for network in networks)


def _basic_password(authorization: str) -> str:
    scheme, _, told = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(told.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
