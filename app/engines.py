"""The crypto engines of this process: which are tried, in which order (H2.4)."""

import threading
from pathlib import Path

from app.randomness import process_drbg
from app.sdf_card import card_settings, open_card
from core.config import Settings
from core.logs import get_logger
from crypto.provider import RandomBytes
from crypto.providers.gmssl_reference import GmsslReferenceProvider
from crypto.providers.gmssl_sm2 import GmsslSm2
from crypto.providers.ippcp import IppcpEngine
from crypto.providers.mbx.engine import MbxEngine
from crypto.providers.openssl_sm2 import OpenSslSm2
from crypto.providers.portable import PortableProvider
from crypto.providers.sdf_engine import SdfEngine
from crypto.selection import Candidate, Engines, select

_log = get_logger("engines")
_lock = threading.Lock()
_chosen: list[Engines] = []


def open_engines(settings: Settings) -> Engines:
    """The fastest engines that prove themselves here, in about a second at the first call of a process.

    They depend on the machine, not on the installation. Raises `EngineUnavailable` when a service has none at all.
    """
    with _lock:
        if not _chosen:
            random = process_drbg(settings).random_bytes
            tried = [*_card(settings, random), *candidates(settings.home_path / "engines", random)]
            _chosen.append(select(tried, _alarm))
        return _chosen[0]


def candidates(library_dir: Path, random: RandomBytes) -> list[Candidate]:
    """All that we have, the fastest first. `library_dir` keeps private copies of libraries."""
    return [
        Candidate("mbx", lambda: MbxEngine.load(library_dir, random)),
        Candidate("ippcp", lambda: IppcpEngine.load(random), is_quick_alone=True),
        Candidate("portable", PortableProvider),
        Candidate("openssl", lambda: OpenSslSm2(random)),
        Candidate("gmssl", lambda: GmsslSm2(random)),
        Candidate("gmssl-reference", GmsslReferenceProvider),
    ]


def _card(settings: Settings, random: RandomBytes) -> list[Candidate]:
    """A configured card comes first: it was bought to compute, and that it does not must be seen."""
    card = card_settings(settings)
    if card is None:
        return []

    def open_engine() -> object:
        return SdfEngine(open_card(card), card.slot, OpenSslSm2(random))

    return [Candidate("sdf", open_engine, is_quick_alone=True, is_configured=True)]


def _alarm(message: str) -> None:
    """To the log; `Engines.report` says the same on the status page."""
    _log.critical("engine_failed", why=message)
