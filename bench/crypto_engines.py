"""The engines that are measured: those that serve on this machine, those that would on lesser ones, and each for itself."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from app.engines import candidates
from crypto.errors import EngineUnavailable
from crypto.rsa_keys import EXPONENT, RsaKeyGenerator
from crypto.selection import Candidate, Engines, select

# Engines that need AVX-512 IFMA; those that need x86-64.
NEEDS_IFMA = frozenset({"mbx"})
NEEDS_X86 = NEEDS_IFMA | {"ippcp"}
# How the libraries under our engines are called.
LIBRARIES = {
    "openssl": "system OpenSSL",
    "gmssl": "gmssl",
    "portable": "cryptography",
    "gmssl-reference": "gmssl",
}


class OurRsa(RsaKeyGenerator):
    """With the lanes of an engine, or without."""

    def __init__(self, fermat: Any = None) -> None:
        super().__init__(os.urandom, fermat)
        self.name = fermat.name if fermat else "gmp"
        self.is_in_lanes = fermat is not None


class RsaOfCryptography:
    """The peer: OpenSSL inside `cryptography`."""

    name = "cryptography"
    is_in_lanes = False

    def generate(self, bits: int, count: int) -> list[rsa.RSAPrivateKey]:
        """Private keys."""
        return [rsa.generate_private_key(EXPONENT, bits) for _ in range(count)]


@dataclass(frozen=True)
class Tier:
    """What serves on one kind of machine. `title` is for people."""

    mark: str
    title: str
    engines: Engines
    rsa: OurRsa

    def server_of(self, service: str) -> Any:
        """The engine of this service."""
        return self.rsa if service == "rsa" else getattr(self.engines, service)

    @property
    def has_lanes(self) -> bool:
        """Whether this is a machine that the goals are set for."""
        return self.engines.sm2.name in NEEDS_IFMA


def tiers(library_dir: Path) -> list[Tier]:
    """This machine's first; then, where they differ, what one without AVX-512 IFMA and one of any kind would have."""
    everything = candidates(library_dir, os.urandom)
    wanted = (
        ("", "this machine", frozenset[str]()),
        ("no_ifma", "x86-64 without AVX-512 IFMA", NEEDS_IFMA),
        ("portable", "any processor", NEEDS_X86),
    )
    result: list[Tier] = []
    for mark, title, without in wanted:
        engines = select([one for one in everything if one.name not in without], _complain)
        if not result or _names(engines) != _names(result[-1].engines):
            result.append(Tier(mark, title, engines, OurRsa(getattr(engines.sm2, "fermat", None))))
    return result


def peers(library_dir: Path) -> list[Any]:
    """Engines over one other library each, and its RSA."""
    opened: list[Any] = [RsaOfCryptography()]
    for candidate in candidates(library_dir, os.urandom):
        if candidate.name in LIBRARIES:
            opened += _opened(candidate)
    return opened


def _opened(candidate: Candidate) -> list[Any]:
    try:
        return [candidate.open()]
    except EngineUnavailable as missing:
        print(f"crypto: {candidate.name} is not measured: {missing}", file=sys.stderr)
        return []


def _names(engines: Engines) -> list[str]:
    return [engine.name for engine in (engines.sm4, engines.modes, engines.sm3, engines.sm2)]


def _complain(message: str) -> None:
    print(f"crypto: {message}", file=sys.stderr)
