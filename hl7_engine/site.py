"""The site: which systems talk to us, in which dialect, what each wants to hear, and the connectors beside MLLP.

One TOML file, `CLOUDFILM_HL7_SITE` (docs/configuration.md). Without it everybody speaks `standard_251`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from core.errors import Misconfigured
from hl7_engine import profile as profiles
from hl7_engine.profile import Profile

ANYBODY = "*"
PAYMENT = "payment"
FILM_LINK = "film_link"
ORDER_ANSWER = "order_answer"
APPLICATION_ACK = "application_ack"
# What we owe a HIS when nothing else is said.
RECEIVED_BY_DEFAULT = (PAYMENT,)
_RECEIVED = frozenset({PAYMENT, FILM_LINK, ORDER_ANSWER, APPLICATION_ACK})


@dataclass(frozen=True)
class Peer:
    """One system. `sender` is MSH-3|MSH-4 as it names itself, or `*`; `send_to` where our messages to it go, if any."""

    name: str
    sender: str = ""
    profile: Profile = field(default_factory=lambda: profiles.load(profiles.STANDARD))
    send_to: str = ""
    tls: bool = False
    tls_ca: str = ""
    receives: tuple[str, ...] = ()
    application: str = "HIS"
    facility: str = ""
    silent_minutes: int = 0


@dataclass(frozen=True)
class Site:
    """All peers and connectors. `film_item_code` is the HIS's code of the digital film fee."""

    application: str = "CLOUDFILM"
    facility: str = ""
    film_item_code: str = "YYX0001"
    peers: tuple[Peer, ...] = ()
    connectors: tuple[Mapping[str, Any], ...] = ()

    def peer_of(self, sender: str) -> Peer:
        """The peer that calls itself `sender` (MSH-3|MSH-4, or the name of a credential or connector)."""
        for peer in self.peers:
            if peer.sender == sender:
                return peer
        return next((peer for peer in self.peers if peer.sender == ANYBODY), _STRANGER)

    def receivers(self, kind: str) -> list[Peer]:
        """The peers that want such messages from us."""
        return [peer for peer in self.peers if peer.send_to and kind in peer.receives]


_STRANGER = Peer(name="*", sender=ANYBODY)
STANDARD_SITE = Site()


def load(path: str, *, his_address: str = "", film_item_code: str = "YYX0001") -> Site:
    """The site of the file at `path`; without one, everybody in the standard dialect and the HIS at `his_address`.

    Raises `Misconfigured` naming what is wrong.
    """
    if not path:
        his = Peer(name="HIS", send_to=his_address, receives=RECEIVED_BY_DEFAULT)
        return Site(film_item_code=film_item_code, peers=(his,) if his_address else ())
    try:
        with Path(path).open("rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        raise Misconfigured(f"CLOUDFILM_HL7_SITE: cannot read {path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"CLOUDFILM_HL7_SITE: {path}: {error}") from None
    _require_known(table, {"application", "facility", "peer", "connector"}, path)
    peers = tuple(_peer(told, Path(path).parent) for told in table.get("peer", []))
    _require_distinct([peer.name for peer in peers], "name")
    _require_distinct([peer.sender for peer in peers if peer.sender], "sender")
    return Site(
        application=table.get("application", "CLOUDFILM"),
        facility=table.get("facility", ""),
        film_item_code=film_item_code,
        peers=peers,
        connectors=tuple(table.get("connector", [])),
    )


def _peer(told: dict[str, Any], directory: Path) -> Peer:
    name = str(told.get("name", ""))
    if not name:
        raise Misconfigured("CLOUDFILM_HL7_SITE: every [[peer]] needs a name")
    subject = f"peer {name}"
    _require_known(told, {known.name for known in fields(Peer)}, subject)
    receives = tuple(told.get("receives", RECEIVED_BY_DEFAULT if told.get("send_to") else ()))
    _require_known(dict.fromkeys(receives), set(_RECEIVED), f"{subject}: receives")
    chosen = str(told.get("profile", profiles.STANDARD))
    if chosen.endswith(".toml"):
        chosen = str(directory / chosen)
    return Peer(**told | {"receives": receives, "profile": profiles.load(chosen)})


def _require_known(told: Mapping[str, Any], known: set[str], subject: str) -> None:
    unknown = set(told) - known
    if unknown:
        raise Misconfigured(
            f"CLOUDFILM_HL7_SITE: {subject}: unknown {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}"
        )


def _require_distinct(values: list[str], what: str) -> None:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise Misconfigured(f"CLOUDFILM_HL7_SITE: two peers have the {what} {', '.join(twice)}")
