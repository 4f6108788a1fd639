"""The bus: one handler per command, and a clear text when assembly forgot one."""

import pytest

from core.bus import Bus, InProcessBus, MemoryBus
from core.errors import Misconfigured, Refused


class Knock:
    """A command."""


def test_command_goes_to_its_handler_and_its_errors_come_back() -> None:
    bus = InProcessBus()
    seen: list[Knock] = []
    bus.on(Knock, seen.append)
    knock = Knock()
    bus.submit(knock)
    assert seen == [knock]

    def refuse(command: object) -> None:
        raise Refused("closed")

    other = InProcessBus()
    other.on(Knock, refuse)
    with pytest.raises(Refused, match="closed"):
        other.submit(knock)


def test_second_handler_and_missing_handler_are_mistakes_of_assembly() -> None:
    bus = InProcessBus()
    with pytest.raises(Misconfigured, match="no handler for Knock"):
        bus.submit(Knock())
    bus.on(Knock, print)
    with pytest.raises(Misconfigured, match="already has a handler"):
        bus.on(Knock, print)


def test_memory_bus_remembers() -> None:
    bus = MemoryBus()
    as_port: Bus = bus
    as_port.submit("a")
    assert bus.submitted == ["a"]
