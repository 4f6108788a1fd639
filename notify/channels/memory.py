"""Keeps messages instead of sending them, for tests."""

from collections.abc import Mapping


class MemoryChannel:
    """`sent` holds (address, template, params, reference)."""

    name = "memory"

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, dict[str, str], str]] = []

    def send(self, address: str, template: str, params: Mapping[str, str], reference: str) -> str:
        """Keep it."""
        self.sent.append((address, template, dict(params), reference))
        return f"memory-{len(self.sent)}"
