"""The card or server by GM/T 0018 of this process, when one is configured."""

from dataclasses import dataclass, field
from functools import lru_cache

from core.config import Settings
from crypto.provider import RandomBytes
from crypto.providers.sdf import SdfDevice


@dataclass(frozen=True)
class CardSettings:
    """Which library, which slot, and what opens it."""

    library: str
    slot: int
    password: bytes = field(repr=False)


def card_settings(settings: Settings) -> CardSettings | None:
    """None when no card is configured."""
    if not settings.sdf_library:
        return None
    return CardSettings(settings.sdf_library, settings.sdf_slot, settings.sdf_password.encode())


@lru_cache(maxsize=1)
def open_card(card: CardSettings) -> SdfDevice:
    """The device, opened once in a process. Raises `EngineUnavailable`."""
    return SdfDevice(card.library, {card.slot: card.password})


def card_random(card: CardSettings) -> tuple[str, RandomBytes]:
    """Its generator as a noise source. The device opens at the first read; that it does not is a failure of the source."""
    return "sdf", lambda count: open_card(card).random_bytes(count)
