"""The port of a message channel.

CloudFilmError
├── ChannelUnavailable   the provider is away or busy: the outbox tries again
└── ChannelRefused       the provider refuses this message for good: written down, not repeated
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from core.errors import Refused, Unavailable


class ChannelUnavailable(Unavailable):
    """Try again later."""


class ChannelRefused(Refused):
    """Trying again does not help."""


@dataclass(frozen=True)
class ChannelMessage:
    """A template's code and its parameters, as the provider wants them."""

    template: str
    params: Mapping[str, str]


class Channel(Protocol):
    """One way to a person; `address` is a phone number or an openid."""

    name: str

    def send(self, address: str, template: str, params: Mapping[str, str], reference: str) -> str:
        """Send; return the provider's reference. By `reference`, ours, some providers drop repeats."""
