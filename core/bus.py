"""The seam between the two sites (ARCHITECTURE decision 17): engines hand commands to a bus and forget who acts on them.

In one process (`role = all`) the bus is a table of functions, called in the caller's transaction. Split sites will put a
signed, idempotent post behind the same port.
"""

from collections.abc import Callable
from typing import Any, Protocol

from core.errors import Misconfigured


class Bus(Protocol):
    """Where commands (core/commands.py) go."""

    def submit(self, command: object) -> None:
        """Act on `command`, or make durable that it will be acted on. Raises the handler's errors."""


class InProcessBus:
    """The bus of `role = all`: the handler runs at once, in the caller's transaction."""

    def __init__(self) -> None:
        self._handlers: dict[type, Callable[[Any], object]] = {}

    def on(self, command_type: type, handler: Callable[[Any], object]) -> None:
        """Bind the one handler of a command type."""
        if command_type in self._handlers:
            raise Misconfigured(f"{command_type.__name__} already has a handler")
        self._handlers[command_type] = handler

    def submit(self, command: object) -> None:
        """Run the handler. An unbound command is a mistake of assembly, and says so."""
        handler = self._handlers.get(type(command))
        if handler is None:
            raise Misconfigured(f"no handler for {type(command).__name__}: bind it in app/platform.py")
        handler(command)


class MemoryBus:
    """Remembers what was submitted; for tests of engines."""

    def __init__(self) -> None:
        self.submitted: list[object] = []

    def submit(self, command: object) -> None:
        """Keep the command."""
        self.submitted.append(command)
