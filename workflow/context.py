"""What the steps need from outside: one frozen bundle of ports, built by `app` from the settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from access.hospital_peers import HospitalPeers
from access.signed_requests import MachineKey
from core.bus import Bus
from core.config import Settings
from crypto.keyring import Keyring
from crypto.provider import Provider
from hl7_engine.sender import Sender
from hl7_engine.site import Site
from imaging.spool import Spool
from imaging.store import Store
from notify.channel import Channel
from wechat.oauth import OAuth


@dataclass(frozen=True)
class Platform:
    """One running installation. `None` means that the hospital has not connected that peer.

    `senders` by the name of the site's peer to whom they send.
    """

    settings: Settings
    provider: Provider
    keyring: Keyring
    spool: Spool
    store: Store
    bus: Bus
    sms: Channel
    wechat: Channel | None
    wechat_oauth: OAuth | None
    site: Site
    senders: Mapping[str, Sender]
    machine_keys: dict[str, MachineKey]
    hospital_peers: HospitalPeers
