"""Whatever an outside system can ask for, somebody acts on it."""

import dataclasses
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.bindings import bind_commands
from core import commands
from core.bus import InProcessBus
from core.config import Settings
from workflow.context import Platform

PARTS = {"PatientFacts", "FeeLine"}


class RecordingBus(InProcessBus):
    def __init__(self) -> None:
        super().__init__()
        self.bound: set[str] = set()

    def on(self, command_type: type, handler: Any) -> None:
        super().on(command_type, handler)
        self.bound.add(command_type.__name__)


@pytest.mark.requirement("P6")
def test_every_command_has_its_step() -> None:
    bus = RecordingBus()
    bind_commands(bus, cast(Platform, SimpleNamespace(settings=Settings())))
    asked = {name for name, kind in vars(commands).items() if dataclasses.is_dataclass(kind)}
    assert bus.bound == asked - PARTS
